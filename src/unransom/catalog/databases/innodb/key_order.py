"""The order of keys, whatever their collation: it is the reading of them that contradicts the pages least."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from unransom.catalog.databases.innodb import decode
from unransom.catalog.databases.innodb.origin import Found
from unransom.catalog.databases.innodb.schema import Field
from unransom.catalog.databases.innodb.types import ColumnType, Kind

ACCENTED = "\x80", "\u024f"  # letters from and to
Key = tuple[bytes, ...]  # stored bytes by field
Comparable = tuple[object, ...]
Reading = Callable[[bytes, ColumnType], object]


def _as_stored(value: bytes, _kind: ColumnType) -> object:
    return value


def _text(value: bytes, kind: ColumnType) -> str:
    codec = kind.charset.codec
    return value.decode("latin-1" if codec == "binary" else codec, "replace").rstrip(" ")


def _exact(value: bytes, kind: ColumnType) -> object:
    return _text(value, kind) if kind.kind is Kind.TEXT else value


def _folded(value: bytes, kind: ColumnType) -> object:
    """Return text as collations compare it that know no capitals and no accents."""
    if kind.kind is not Kind.TEXT:
        return value
    plain = unicodedata.normalize("NFKD", _text(value, kind).casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _plain(value: bytes, kind: ColumnType) -> object:
    """Return text as `_folded`, but with what stands between Z and a behind the letters."""
    folded = _folded(value, kind)
    return folded.upper() if isinstance(folded, str) else folded


def _upper(value: bytes, kind: ColumnType) -> object:
    """Return text as collations compare it that sort by capitals."""
    return _text(value, kind).upper() if kind.kind is Kind.TEXT else value


@functools.total_ordering
class _Falling:
    """A value of which larger ones come first."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Falling) and self._value == other._value

    def __lt__(self, other: _Falling) -> bool:
        return bool(other._value < self._value)

    def __hash__(self) -> int:
        return hash(self._value)


READINGS: tuple[Reading, ...] = (_as_stored, _folded, _plain, _upper, _exact)


def key_fields(found: Found) -> tuple[Field, ...]:
    """Return the fields of the key."""
    return found.layout.fields[: found.layout.key]


def is_told(key: Key, fields: Sequence[Field]) -> bool:
    """Return whether collations agree where ``key`` belongs: not of letters with accents.

    They stand beside the plain letters, or behind Z as in Swedish, which is what latin1 is sorted by.
    """
    kinds = (field.type for field in fields)
    texts = (_text(part, kind) for part, kind in zip(key, kinds, strict=True) if kind.kind is Kind.TEXT)
    return not any(ACCENTED[0] <= letter <= ACCENTED[1] for text in texts for letter in text)


def read(key: Key, fields: Sequence[Field], reading: Reading) -> Comparable:
    """Return what ``key`` is compared by."""
    parts = ((reading(part, field.type), field.descending) for part, field in zip(key, fields, strict=True))
    return tuple(_Falling(value) if falling else value for value, falling in parts)


def key_of(located: decode.Located, row: int, fields: int) -> Key:
    """Return the key of a record, which is its first ``fields`` fields."""
    return tuple(
        located.data[start : start + max(length, 0)].tobytes()
        for start, length in zip(located.starts[:fields, row], located.lengths[:fields, row], strict=True)
    )
