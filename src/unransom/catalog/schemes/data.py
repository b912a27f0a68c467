"""What all parts of a scheme have in common, so that a scheme can be written down as text and checked.

A part is a structure of plain data. What it refers to by name, e.g. a field of the tail, is a string whose
type says so (``FieldName`` ...), so that a description can be searched for names that nothing has.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from unransom.core.messages import Message

LARGEST = (1 << 63) - 1  # bytes of a file, and more than any has
MOST_METADATA = 1 << 20  # bytes of a part of the metadata

Hex = Annotated[
    str,
    Meta(
        title="hexadecimal",
        pattern="^(?:[0-9a-f]{2})*$",
        description="Bytes, two lower-case hexadecimal digits each.",
    ),
]
Name = Annotated[
    str,
    Meta(pattern="^[a-z][a-z0-9 _-]{0,39}$", description="A name to refer to; it begins with a letter."),
]
FieldName = Annotated[
    str, Meta(title="name", description="Name of a field of head or tail.", extra={"refers": "field"})
]
BytesName = Annotated[
    str,
    Meta(
        title="name",
        description="Name of a field of head or tail, or of a part of the unwrapped key.",
        extra={"refers": "bytes"},
    ),
]
NumberName = Annotated[
    str,
    Meta(
        title="name",
        description="Name of a number of head or tail, or of a part of the unwrapped key of 8 bytes or less.",
        extra={"refers": "number"},
    ),
]
Length = Annotated[int, Meta(ge=0, le=LARGEST)]
Amount = Length | NumberName
Size = Annotated[int, Meta(ge=1, le=LARGEST)] | NumberName
Percent = Annotated[int, Meta(ge=0, le=100)] | NumberName


Path = tuple[str | int, ...]  # keys and indices that lead to a value


class Fault(NamedTuple):
    """A value that no scheme can have.

    Attributes:
        path: Where it is, from the part that says so.
        why: What is wrong with it.
    """

    path: Path
    why: Message


class Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of a scheme, as plain data."""

    def faults(self) -> Iterator[Fault]:
        """Yield what makes no sense in this part by itself."""
        yield from ()

    def unused(self) -> frozenset[str]:
        """Return the fields whose names need not exist, as other fields make them superfluous."""
        return frozenset()


def parts_of(value: object, path: Path = ()) -> Iterator[tuple[Path, Data]]:
    """Yield each part in ``value`` and where it is, the outermost first."""
    inner: list[tuple[str | int, object]] = []
    if isinstance(value, Data):
        yield path, value
        inner = [(name, getattr(value, name)) for name in value.__struct_fields__]
    elif isinstance(value, dict):
        inner = [(str(key), each) for key, each in value.items()]
    elif isinstance(value, tuple):
        inner = list(enumerate(value))
    for name, each in inner:
        yield from parts_of(each, (*path, name))


class Reference(NamedTuple):
    """A name that a part of a scheme refers to something by.

    Attributes:
        path: Where it is.
        kind: To what: ``field``, ``bytes`` or ``number``.
        name: Of that.
    """

    path: Path
    kind: str
    name: str


def references(value: object) -> Iterator[Reference]:
    """Yield every name by which the parts in ``value`` refer to something."""
    for path, part in parts_of(value):
        for field, kind in _referring(type(part)).items():
            name = getattr(part, field)
            if isinstance(name, str) and name and field not in part.unused():
                yield Reference((*path, field), kind, name)


@functools.cache
def _referring(part: type[Data]) -> dict[str, str]:
    """Return the fields of a kind of part that hold names, and of what."""
    found = {}
    info = msgspec.inspect.type_info(part)
    assert isinstance(info, msgspec.inspect.StructType)  # noqa: S101 Data is one
    for field in info.fields:
        types = field.type.types if isinstance(field.type, msgspec.inspect.UnionType) else (field.type,)
        for each in types:
            if isinstance(each, msgspec.inspect.Metadata) and each.extra:
                found[field.encode_name] = each.extra["refers"]
    return found
