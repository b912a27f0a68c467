"""Rows as binary logs write them, made into the bytes that the same values have in InnoDB's records."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from unransom.catalog.databases.innodb.binlog import TableMap
from unransom.catalog.databases.innodb.types import VARIABLE, ColumnType, Kind

INTEGERS = {1: 1, 2: 2, 9: 3, 3: 4, 8: 8}  # types: their bytes
DATE, YEAR, NEW_DATE, BIT, DECIMAL, ENUM, SET, STRING = 10, 13, 14, 16, 246, 247, 248, 254
MOMENTS = {17: Kind.TIMESTAMP, 18: Kind.DATETIME, 19: Kind.TIME}
OLD_MOMENTS = {7: (4, False), 12: (8, True), 11: (3, True)}  # bytes, and whether a sign bit is flipped
VARCHARS, BLOBS = (
    frozenset({15, 253, 141}),
    frozenset({252, 245, 255, 140}),
)  # with those of MariaDB that it packs
PACKED = frozenset({140, 141})
TEXTS = frozenset({Kind.TEXT, Kind.BINARY, Kind.JSON, Kind.INET4, Kind.INET6, Kind.UUID})

Taker = Callable[[bytes, int], tuple[bytes, int]]  # bytes and a place: the stored value and where it ends


def takers(table: TableMap, columns: Sequence[ColumnType]) -> list[Taker] | None:
    """Return what takes the values of each column out of an image, None where the columns are others."""
    if len(table.types) != len(columns):
        return None
    found = [_taker(kind, meta, column) for (kind, meta), column in zip(table.types, columns, strict=True)]
    known = [taker for taker in found if taker is not None]
    return known if len(known) == len(found) else None


def image(data: bytes, at: int, known: Sequence[Taker], there: int = -1) -> tuple[list[bytes | None], int]:
    """Return the values of an image at ``at``, None for NULL and for what is not in it, and where it ends.

    Args:
        data: Images.
        at: Where it begins.
        known: What takes the value of each column.
        there: Bits of the columns that are in it.

    Raises:
        IndexError: It is cut off.
    """
    chosen = [place for place in range(len(known)) if there >> place & 1]
    width = (len(chosen) + 7) // 8
    nulls = int.from_bytes(data[at : at + width], "little")
    at += width
    values: list[bytes | None] = [None] * len(known)
    for bit, place in enumerate(chosen):
        if nulls >> bit & 1:
            continue
        values[place], at = known[place](data, at)
        if at > len(data):
            raise IndexError(at)
    return values, at


def _taker(kind: int, meta: bytes, column: ColumnType) -> Taker | None:
    """Return what takes values of a type of the log for ``column``, None where they do not go together."""
    if kind == STRING and meta[0] in {ENUM, SET}:
        return _number(meta[1], flip=False) if column.kind in {Kind.ENUM, Kind.SET} else None
    if kind in INTEGERS:
        signed = column.kind is Kind.SIGNED
        fits = column.kind in {Kind.SIGNED, Kind.UNSIGNED} and column.length == INTEGERS[kind]
        return _number(INTEGERS[kind], flip=signed) if fits else None
    if kind in OLD_MOMENTS:
        width, flip = OLD_MOMENTS[kind]
        return _number(width, flip=flip) if column.length == width else None
    if kind in {DATE, NEW_DATE}:
        return _number(3, flip=True) if column.kind is Kind.DATE else None
    if column.kind in TEXTS:
        return _text(kind, meta, column)
    return _as_stored(kind, meta, column)


def _as_stored(kind: int, meta: bytes, column: ColumnType) -> Taker | None:
    """Return what takes values that logs write as InnoDB stores them."""
    same = {4: Kind.FLOAT, 5: Kind.DOUBLE, YEAR: Kind.YEAR, BIT: Kind.BIT, DECIMAL: Kind.DECIMAL} | MOMENTS
    if same.get(kind) is not column.kind:
        return None
    if kind == DECIMAL and (meta[0], meta[1]) != (column.precision, column.scale):
        return None
    if kind in MOMENTS and meta[0] != column.scale:
        return None
    width = column.length
    return lambda data, at: (data[at : at + width], at + width)


def _number(width: int, *, flip: bool) -> Taker:
    def take(data: bytes, at: int) -> tuple[bytes, int]:
        value = data[at : at + width][::-1]
        if flip and value:
            value = bytes([value[0] ^ 0x80]) + value[1:]
        return value, at + width

    return take


def _text(kind: int, meta: bytes, column: ColumnType) -> Taker | None:
    if (kind in PACKED) != column.packed:
        return None
    if kind in VARCHARS:
        prefix = 1 if int.from_bytes(meta, "little") < 256 else 2
    elif kind in BLOBS:
        prefix = meta[0]
    elif kind == STRING:
        # The length of a wide text borrows two bits of the type.
        most = ((meta[0] & 0x30) ^ 0x30) << 4 | meta[1]
        prefix = 1 if most < 256 else 2
    else:
        return None
    least, filler = _least(column)

    def take(data: bytes, at: int) -> tuple[bytes, int]:
        end = at + prefix + int.from_bytes(data[at : at + prefix], "little")
        value = data[at + prefix : end].ljust(least, filler)
        return (_stored_uuid(value) if column.kind is Kind.UUID else value), end

    return take


def _stored_uuid(value: bytes) -> bytes:
    """Return a UUID as InnoDB stores it: of versions 1 to 5 the parts that vary least come first."""
    if 1 <= value[6] >> 4 <= 5 and value[8] & 0x80:
        return value[10:16] + value[8:10] + value[6:8] + value[4:6] + value[0:4]
    return value


def _least(column: ColumnType) -> tuple[int, bytes]:
    """Return the bytes to which InnoDB fills up a value, and with what."""
    if column.kind is not Kind.TEXT:
        return max(column.length, 0), b"\0"
    if not column.padded or column.charset.least > 1:
        return 0, b" "
    return (column.most // column.charset.most if column.length == VARIABLE else column.length), b" "
