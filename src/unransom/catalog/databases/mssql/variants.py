"""Values that hold more than a plain type, written as text: sql_variant, hierarchyid, geometry, geography."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import pairwise

from unransom.catalog.databases.mssql import layout as types
from unransom.catalog.databases.mssql.layout import Field

HEAD = 2  # bytes of a variant before its properties: type, version
_PROPERTIES = {  # bytes of properties that follow, by type
    types.DECIMAL: 2, types.NUMERIC: 2, types.BINARY: 2, types.VARBINARY: 2, types.CHAR: 6, types.VARCHAR: 6,
    types.NCHAR: 6, types.NVARCHAR: 6, types.TIME: 1, types.DATETIME2: 1, types.DATETIMEOFFSET: 1,
}  # fmt: skip
MOST_POINTS = 1 << 20
_SHAPES = ("GEOMETRY", "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON",
           "GEOMETRYCOLLECTION", "CIRCULARSTRING", "COMPOUNDCURVE", "CURVEPOLYGON", "FULLGLOBE")  # fmt: skip
HAS_Z, HAS_M, SINGLE_POINT, SINGLE_LINE = 1, 2, 8, 16  # bits of a geometry's second byte


def variant_field(raw: bytes) -> tuple[Field, bytes] | None:
    """Return what a sql_variant holds: a field of its type, and the value's bytes; None where it is none."""
    if len(raw) < HEAD or raw[1] != 1 or raw[0] not in types.NAMES:
        return None
    kind, size = raw[0], _PROPERTIES.get(raw[0], 0)
    properties, value = raw[HEAD : HEAD + size], raw[HEAD + size :]
    if len(properties) < size:
        return None
    if size == 1:
        return Field("", kind, scale=min(properties[0], 7)), value
    if kind in (types.DECIMAL, types.NUMERIC):
        return Field("", kind, precision=min(properties[0], 38), scale=min(properties[1], 38)), value
    collation = int.from_bytes(properties[2:6], "little") if size == 6 else 0
    return Field("", kind, max(len(value), 1), collation=collation), value


def clr_text(field: Field, raw: bytes) -> str | None:
    """Return a hierarchyid as a path, a geometry or geography as well-known text, all else as hexadecimal."""
    try:
        if field.user_type == types.HIERARCHYID:
            return _path(raw)
        return _well_known_text(raw, field.user_type == types.GEOGRAPHY)
    except (struct.error, ValueError, IndexError):
        return "0x" + raw.hex()


# Of a hierarchyid's labels: the bits they begin with, the bits of the number with fixed ones, its base.
_LABELS = (
    ("01", "xxT", 0), ("100", "xxT", 4), ("101", "xxxT", 8), ("110", "xxx0x1xxxT", 16),
    ("1110", "xxx0xxx0x1xxxT", 80), ("11110", "xxxxx0xxxxxx0xxx0x1xxxT", 1104),
    ("00111", "xxxT", -8), ("0010", "xx0x1xxxT", -72),
)  # fmt: skip


def _path(raw: bytes) -> str:
    """Return a hierarchyid as ``/1/2/``."""
    bits = "".join(f"{byte:08b}" for byte in raw[:892])
    out, at = "/", 0
    while "1" in bits[at:]:
        label, at, last = _label(bits, at)
        out += str(label) + ("/" if last else ".")
    return out


def _label(bits: str, at: int) -> tuple[int, int, bool]:
    """Return the number of a label, where the next one starts, and whether it ends its level."""
    for prefix, pattern, base in _LABELS:
        if not bits.startswith(prefix, at):
            continue
        place, digits = at + len(prefix), ""
        if place + len(pattern) > len(bits):
            break
        for index, mark in enumerate(pattern):
            bit = bits[place + index]
            if mark == "x":
                digits += bit
            elif mark in "01" and bit != mark:
                raise ValueError(prefix)
        last = bits[place + len(pattern) - 1] == "1"
        return int(digits, 2) + base - (not last), place + len(pattern), last
    raise ValueError(bits[at:])


def _well_known_text(raw: bytes, turned: bool) -> str:
    """Return a geometry as well-known text; of a geography latitude comes first in the bytes."""
    flags = raw[5]
    if raw[4] not in (1, 2):
        raise ValueError(raw[4])
    count, at = 1, 6
    if flags & SINGLE_LINE:
        count = 2
    elif not flags & SINGLE_POINT:
        (count,), at = struct.unpack_from("<I", raw, 6), 10
    if count > MOST_POINTS or at + 16 * count > len(raw):
        raise ValueError(count)
    points = [struct.unpack_from("<dd", raw, at + 16 * n) for n in range(count)]
    written = [f"{y:.15g} {x:.15g}" if turned else f"{x:.15g} {y:.15g}" for x, y in points]
    if flags & SINGLE_POINT:
        return f"POINT ({written[0]})"
    if flags & SINGLE_LINE:
        return f"LINESTRING ({', '.join(written)})"
    at += 16 * count + 8 * count * (bool(flags & HAS_Z) + bool(flags & HAS_M))
    return "".join(_shapes(raw, at, written))


def _shapes(raw: bytes, at: int, points: list[str]) -> Iterator[str]:
    """Yield the text of the shapes that a geometry's tables of figures and shapes describe."""
    (figures,) = struct.unpack_from("<I", raw, at)
    if figures > len(points):
        raise ValueError(figures)
    starts = [struct.unpack_from("<BI", raw, at + 4 + 5 * n)[1] for n in range(figures)] + [len(points)]
    at += 4 + 5 * figures
    (shapes,) = struct.unpack_from("<I", raw, at)
    if shapes > max(len(points), 1) * 2:
        raise ValueError(shapes)
    table = [struct.unpack_from("<iiB", raw, at + 4 + 9 * n) for n in range(shapes)]
    rings = ["(" + ", ".join(points[a:b]) + ")" for a, b in pairwise(starts)]
    yield _shape(table, 0, rings, 0)


def _shape(table: list[tuple[int, int, int]], number: int, rings: list[str], depth: int) -> str:
    """Return the text of a shape with those inside it."""
    _, figure, kind = table[number]
    name = _SHAPES[kind]
    following = [first for _, first, _ in table[number + 1 :] if first > figure]
    inside = [n for n, (parent, _, _) in enumerate(table) if parent == number]
    if depth > 16:
        raise ValueError(depth)
    if inside:
        parts = [_shape(table, n, rings, depth + 1) for n in inside]
        if name != "GEOMETRYCOLLECTION":  # the parts of all others have no name of their own
            parts = [part.split(" ", 1)[1] for part in parts]
        return f"{name} ({', '.join(parts)})"
    if figure < 0:
        return f"{name} EMPTY"
    own = rings[figure : min(following, default=len(rings))]
    return f"{name} ({', '.join(own)})" if kind == 3 else f"{name} {own[0]}"
