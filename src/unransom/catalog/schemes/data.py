"""What all parts of a scheme have in common, so that a scheme can be written down as text and checked.

A part is a structure of plain data. What it refers to by name, e.g. a field of the tail, is a string whose
type says so (``FieldName`` ...): ``references`` follows these types to see that what is named exists.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

LARGEST = (1 << 63) - 1  # bytes of a file, and more than any has
MOST_METADATA = 1 << 20  # bytes of a part of the metadata

Hex = Annotated[
    str, Meta(pattern="^(?:[0-9a-f]{2})*$", description="Bytes, two lower-case hexadecimal digits each.")
]
Name = Annotated[
    str,
    Meta(pattern="^[a-z][a-z0-9 _-]{0,39}$", description="A name to refer to; it begins with a letter."),
]
FieldName = Annotated[str, Meta(description="Name of a field of head or tail.", extra={"refers": "field"})]
BytesName = Annotated[
    str,
    Meta(
        description="Name of a field of head or tail, or of a part of the unwrapped key.",
        extra={"refers": "bytes"},
    ),
]
NumberName = Annotated[
    str,
    Meta(
        description="Name of a number of head or tail, or of a part of the unwrapped key of 8 bytes or less.",
        extra={"refers": "number"},
    ),
]
Length = Annotated[int, Meta(ge=0, le=LARGEST)]
Amount = Length | NumberName
Size = Annotated[int, Meta(ge=1, le=LARGEST)] | NumberName
Percent = Annotated[int, Meta(ge=0, le=100)] | NumberName


class Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of a scheme, as plain data."""
