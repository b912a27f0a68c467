"""Column types: how a declared type is stored in a record, and which Arrow type its values have."""

from __future__ import annotations

import enum
import re

import msgspec
import pyarrow

from unransom.catalog.databases.innodb.charsets import BINARY, Charset, charset_named

MOST_DECIMAL = 38  # digits that decimal128 takes
VARIABLE = -1  # length of what has its length in the record


class Kind(enum.IntEnum):
    """How the bytes of a value are to be read."""

    SIGNED = 0
    UNSIGNED = 1
    FLOAT = 2
    DOUBLE = 3
    DECIMAL = 4
    DATE = 5
    TIME = 6
    DATETIME = 7
    TIMESTAMP = 8
    YEAR = 9
    ENUM = 10
    SET = 11
    BIT = 12
    TEXT = 13
    BINARY = 14
    JSON = 15
    INET4 = 16
    INET6 = 17
    UUID = 18
    OLD_TIME = 19  # before MySQL 5.6.4
    OLD_DATETIME = 20
    OLD_TIMESTAMP = 21


class ColumnType(msgspec.Struct, frozen=True):
    """A declared type and its place in a record.

    Attributes:
        declared: In the words of the engine.
        kind: How its bytes are read.
        length: Bytes in a record, ``VARIABLE`` where the record says.
        most: Most bytes that a value can have.
        big: Its length takes two bytes in a record where it is 128 or more, and it may lie off the page.
        charset: Of text.
        precision, scale: Of decimals; ``scale`` is also the number of fractional digits of a time.
        elements: Of ENUM and SET.
        padded: Trailing spaces are padding.
        packed: MariaDB compresses each value: see ``packed_type``.
    """

    declared: str
    kind: Kind
    length: int
    most: int
    big: bool = False
    charset: Charset = BINARY
    precision: int = 0
    scale: int = 0
    elements: tuple[str, ...] = ()
    padded: bool = False
    packed: bool = False

    @property
    def arrow(self) -> pyarrow.DataType:
        """The type of its values in batches."""
        return _arrow(self)


_INTEGERS = {"tinyint": 1, "smallint": 2, "mediumint": 3, "int": 4, "bigint": 8}
_ALIASES = {
    "integer": "int", "int1": "tinyint", "int2": "smallint", "int3": "mediumint", "int4": "int",
    "int8": "bigint", "middleint": "mediumint", "bool": "tinyint", "boolean": "tinyint", "dec": "decimal",
    "numeric": "decimal", "fixed": "decimal", "real": "double", "character": "char", "nchar": "char",
    "nvarchar": "varchar", "varcharacter": "varchar", "long": "mediumtext", "float4": "float",
    "float8": "double", "long varchar": "mediumtext", "geomcollection": "geometrycollection",
    "double precision": "double",
    "character varying": "varchar", "char varying": "varchar", "national char": "char",
    "national varchar": "varchar", "long varbinary": "mediumblob", "vector": "blob",
}  # fmt: skip
_LOBS = {"tiny": 1, "": 2, "medium": 3, "long": 4}  # bytes of the length
_GEOMETRIES = "geometry point linestring polygon multipoint multilinestring multipolygon geometrycollection"
_GEOMETRY = frozenset(_GEOMETRIES.split())
_DECLARED = re.compile(
    r"\s*([a-z0-9]+(?: (?:precision|varying|varchar|varbinary|char)\b)?)\s*(?:\(([^)]*)\))?", re.I
)

DIGIT_BYTES = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)  # of 0 to 9 decimal digits


def column_type(declared: str, charset: Charset, elements: tuple[str, ...] = ()) -> ColumnType | None:
    """Return the type that ``declared`` means, None where it means none.

    Args:
        declared: E.g. ``decimal(10,2) unsigned``; of ENUM and SET the elements may follow in brackets.
        charset: Of text without one of its own.
        elements: Of ENUM and SET, where known otherwise.
    """
    lower = declared.lower()
    if lower.lstrip().startswith(("enum", "set")):
        return _chosen(declared, elements or tuple(quoted(declared)), charset)
    found = _DECLARED.match(lower)
    if not found:
        return None
    name = _ALIASES.get(found[1], found[1])
    numbers = [int(part) for part in (found[2] or "").split(",") if part.strip().isdecimal()]
    if name in {"bool", "boolean"} or lower.strip() in {"bool", "boolean"}:
        numbers = [1]
    for make in (_number, _moment, _text, _binary):
        made = make(name, numbers, lower, charset)
        if made is not None:
            return msgspec.structs.replace(made, declared=declared.strip())
    return None


def quoted(text: str) -> list[str]:
    """Return the strings in single quotes in ``text``, doubled quotes and backslashes resolved."""
    return [
        re.sub(r"''|\\(.)", lambda each: each[1] or "'", part)
        for part in re.findall(r"'((?:[^'\\]|''|\\.)*)'", text, re.S)
    ]


def _chosen(declared: str, elements: tuple[str, ...], charset: Charset) -> ColumnType:
    """Return the type of an ENUM or a SET."""
    count = len(elements)
    if declared.lower().lstrip().startswith("enum"):
        length, kind = 1 if count < 256 else 2, Kind.ENUM
    else:
        length = (count + 7) // 8
        length, kind = length if length <= 4 else 8, Kind.SET
    return ColumnType(declared.strip(), kind, max(length, 1), length, charset=charset, elements=elements)


def _number(name: str, numbers: list[int], lower: str, _charset: Charset) -> ColumnType | None:
    unsigned = "unsigned" in lower or "zerofill" in lower
    if name in _INTEGERS or name == "serial":
        length = _INTEGERS.get(name, 8)
        kind = Kind.UNSIGNED if unsigned or name == "serial" else Kind.SIGNED
        return ColumnType(lower, kind, length, length)
    if name == "float" and (len(numbers) != 1 or numbers[0] <= 24):
        return ColumnType(lower, Kind.FLOAT, 4, 4)
    if name in {"double", "float"}:
        return ColumnType(lower, Kind.DOUBLE, 8, 8)
    if name == "decimal":
        precision, scale = (*numbers, *(10, 0)[len(numbers) :])[:2] if len(numbers) < 2 else numbers[:2]
        if not 0 < precision <= 65 or not 0 <= scale <= min(30, precision):
            return None
        length = decimal_length(precision, scale)
        return ColumnType(lower, Kind.DECIMAL, length, length, precision=precision, scale=scale)
    if name == "bit":
        bits = min(max(numbers[0] if numbers else 1, 1), 64)
        return ColumnType(lower, Kind.BIT, (bits + 7) // 8, 8, precision=bits)
    return None


def decimal_length(precision: int, scale: int) -> int:
    """Return the bytes of a packed decimal."""
    whole = precision - scale
    return whole // 9 * 4 + DIGIT_BYTES[whole % 9] + scale // 9 * 4 + DIGIT_BYTES[scale % 9]


def _moment(name: str, numbers: list[int], lower: str, _charset: Charset) -> ColumnType | None:
    fraction = min(numbers[0], 6) if numbers and name != "year" else 0
    more = (fraction + 1) // 2
    lengths = {
        "date": (Kind.DATE, 3),
        "time": (Kind.TIME, 3 + more),
        "datetime": (Kind.DATETIME, 5 + more),
        "timestamp": (Kind.TIMESTAMP, 4 + more),
        "year": (Kind.YEAR, 1),
    }
    if name not in lengths:
        return None
    kind, length = lengths[name]
    return ColumnType(lower, kind, length, length, scale=fraction)


def _text(name: str, numbers: list[int], lower: str, charset: Charset) -> ColumnType | None:
    if own := re.search(r"(?:character set|charset)\s+([a-z0-9_]+)", lower):
        charset = charset_named(own[1])
    if name == "json":
        return ColumnType(lower, Kind.JSON, VARIABLE, 1 << 32, big=True)
    if name.endswith("text") and name[:-4] in _LOBS:
        most = 1 << 8 * _LOBS[name[:-4]]
        return ColumnType(lower, Kind.TEXT, VARIABLE, most, big=True, charset=charset)
    if name not in {"char", "varchar"}:
        return None
    if charset is BINARY or charset.codec == "binary":
        return _binary({"char": "binary", "varchar": "varbinary"}[name], numbers, lower, charset)
    most = (numbers[0] if numbers else 1) * charset.most
    fixed = name == "char" and charset.least == charset.most
    length = most if fixed else VARIABLE
    return ColumnType(lower, Kind.TEXT, length, most, most > 255, charset, padded=name == "char")


def _binary(name: str, numbers: list[int], lower: str, _charset: Charset) -> ColumnType | None:
    if name in _GEOMETRY:
        return ColumnType(lower, Kind.BINARY, VARIABLE, 1 << 32, big=True)
    if name.endswith("blob") and name[:-4] in _LOBS:
        return ColumnType(lower, Kind.BINARY, VARIABLE, 1 << 8 * _LOBS[name[:-4]], big=True)
    fixed = {"binary": numbers[0] if numbers else 1, "inet4": 4, "inet6": 16, "uuid": 16}
    if name in fixed:
        kind = {"inet4": Kind.INET4, "inet6": Kind.INET6, "uuid": Kind.UUID}.get(name, Kind.BINARY)
        return ColumnType(lower, kind, fixed[name], fixed[name])
    if name == "varbinary":
        most = numbers[0] if numbers else 1
        return ColumnType(lower, Kind.BINARY, VARIABLE, most, big=most > 255)
    return None


def packed_type(of: ColumnType) -> ColumnType:
    """Return the type of a column that is COMPRESSED (MariaDB): a byte says how each value is stored."""
    if of.kind not in {Kind.TEXT, Kind.BINARY} or of.length != VARIABLE:
        return of
    return msgspec.structs.replace(of, packed=True, most=of.most + 1, big=of.most + 1 > 255)


OLD_TYPES = {  # as they were stored before MySQL 5.6.4
    Kind.TIMESTAMP: ColumnType("timestamp", Kind.OLD_TIMESTAMP, 4, 4),
    Kind.TIME: ColumnType("time", Kind.OLD_TIME, 3, 3),
    Kind.DATETIME: ColumnType("datetime", Kind.OLD_DATETIME, 8, 8),
}
_PLAIN_ARROW = {
    Kind.FLOAT: pyarrow.float32(),
    Kind.DOUBLE: pyarrow.float64(),
    Kind.DATE: pyarrow.date32(),
    Kind.DATETIME: pyarrow.timestamp("us"),
    Kind.TIMESTAMP: pyarrow.timestamp("us"),
    Kind.OLD_DATETIME: pyarrow.timestamp("us"),
    Kind.OLD_TIMESTAMP: pyarrow.timestamp("us"),
    Kind.YEAR: pyarrow.uint16(),
    Kind.BIT: pyarrow.uint64(),
    Kind.JSON: pyarrow.large_string(),
}
_SIGNED_ARROW = {1: pyarrow.int8(), 2: pyarrow.int16(), 3: pyarrow.int32(), 4: pyarrow.int32()}
_UNSIGNED_ARROW = {1: pyarrow.uint8(), 2: pyarrow.uint16(), 3: pyarrow.uint32(), 4: pyarrow.uint32()}
SMALL = 1 << 16  # bytes; text and binary from there on is large


def _arrow(of: ColumnType) -> pyarrow.DataType:
    if of.kind is Kind.SIGNED:
        return _SIGNED_ARROW.get(of.length, pyarrow.int64())
    if of.kind is Kind.UNSIGNED:
        return _UNSIGNED_ARROW.get(of.length, pyarrow.uint64())
    if of.kind is Kind.DECIMAL:
        wide = of.precision > MOST_DECIMAL
        return (pyarrow.decimal256 if wide else pyarrow.decimal128)(of.precision, of.scale)
    if of.kind is Kind.BINARY:
        return pyarrow.large_binary() if of.most > SMALL else pyarrow.binary()
    if of.kind is Kind.TEXT and of.most > SMALL:
        return pyarrow.large_string()
    return _PLAIN_ARROW.get(of.kind, pyarrow.string())
