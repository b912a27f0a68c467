"""How the rows of a table lie in its records: types, offsets, bits."""

from __future__ import annotations

import msgspec
import pyarrow

from unransom.catalog.databases.table import Column, Numbering

IMAGE, TEXT, GUID, DATE, TIME, DATETIME2, DATETIMEOFFSET, TINYINT = 34, 35, 36, 40, 41, 42, 43, 48
SMALLINT, INT, SMALLDATETIME, REAL, MONEY, DATETIME, FLOAT, VARIANT, NTEXT = (
    52,
    56,
    58,
    59,
    60,
    61,
    62,
    98,
    99,
)
BIT, DECIMAL, NUMERIC, SMALLMONEY, BIGINT = 104, 106, 108, 122, 127
VARBINARY, VARCHAR, BINARY, CHAR, ROWVERSION, NVARCHAR, NCHAR = 165, 167, 173, 175, 189, 231, 239
CLR, XML, JSON = 240, 241, 244
HIERARCHYID, GEOMETRY, GEOGRAPHY = 128, 129, 130  # user types of CLR

NAMES = {
    IMAGE: "image", TEXT: "text", GUID: "uniqueidentifier", DATE: "date", TIME: "time",
    DATETIME2: "datetime2", DATETIMEOFFSET: "datetimeoffset", TINYINT: "tinyint", SMALLINT: "smallint",
    INT: "int", SMALLDATETIME: "smalldatetime", REAL: "real", MONEY: "money", DATETIME: "datetime",
    FLOAT: "float", VARIANT: "sql_variant", NTEXT: "ntext", BIT: "bit", DECIMAL: "decimal",
    NUMERIC: "numeric", SMALLMONEY: "smallmoney", BIGINT: "bigint", VARBINARY: "varbinary",
    VARCHAR: "varchar", BINARY: "binary", CHAR: "char", ROWVERSION: "rowversion", NVARCHAR: "nvarchar",
    NCHAR: "nchar", CLR: "varbinary", XML: "xml", JSON: "json",
}  # fmt: skip
CLR_NAMES = {HIERARCHYID: "hierarchyid", GEOMETRY: "geometry", GEOGRAPHY: "geography"}
FIXED = {
    GUID: 16, DATE: 3, TINYINT: 1, SMALLINT: 2, INT: 4, SMALLDATETIME: 4, REAL: 4, MONEY: 8, DATETIME: 8,
    FLOAT: 8, BIT: 1, SMALLMONEY: 4, BIGINT: 8, ROWVERSION: 8,
}  # fmt: skip
LOBS = frozenset((IMAGE, TEXT, NTEXT, XML, JSON))
UNICODE = frozenset((NVARCHAR, NCHAR, NTEXT))
SINGLE = frozenset((VARCHAR, CHAR, TEXT))
BYTES = frozenset((VARBINARY, BINARY, IMAGE, ROWVERSION, JSON))
MOST_SLOTS = 4048  # of a page
MAX = -1  # length of varchar(max) and its like

_ARROW = {
    TINYINT: pyarrow.uint8(), SMALLINT: pyarrow.int16(), INT: pyarrow.int32(), BIGINT: pyarrow.int64(),
    BIT: pyarrow.bool_(), REAL: pyarrow.float32(), FLOAT: pyarrow.float64(), DATE: pyarrow.date32(),
    MONEY: pyarrow.decimal128(19, 4), SMALLMONEY: pyarrow.decimal128(10, 4),
    DATETIME: pyarrow.timestamp("us"), SMALLDATETIME: pyarrow.timestamp("us"),
}  # fmt: skip

# Sort order number, the low byte of a collation's number: code page of its texts of one byte a character.
_CODE_PAGES = {
    0x01: "cp1256", 0x03: "cp950", 0x07: "cp1253", 0x08: "cp1252", 0x0C: "cp1255",
    0x10: "cp932", 0x11: "cp949", 0x13: "cp1250", 0x15: "cp1251", 0x19: "cp874", 0x1A: "cp1254",
    0x1F: "cp1257", 0x20: "cp1258", 0x24: "gb18030",
}  # fmt: skip
UTF8 = 0x100  # bit of a collation's number
WESTERN = "cp1252"


class Field(msgspec.Struct, frozen=True):
    """A column as it lies in records.

    Attributes:
        name: As declared.
        kind: Number of its type in the catalogue.
        length: Bytes at most as declared, ``MAX`` without limit.
        precision: Digits in all.
        scale: Digits behind the point.
        user_type: Which CLR type.
        collation: Number, 0 where it has none.
        place: Offset in the fixed part; -(number of the variable value + 1); 0 for sparse columns.
        bit: Bit in the byte of a ``bit`` column.
        null_bit: Its number in the null bitmap, from 1; 0 where it has none.
        number: Of the column, as sparse vectors name it.
        nullable: It may be NULL.
        hidden: The server's own.
        automatic: IDENTITY.
        numbering: How its numbers are drawn, where that is known.
    """

    name: str
    kind: int
    length: int = 0
    precision: int = 0
    scale: int = 0
    user_type: int = 0
    collation: int = 0
    place: int = 0
    bit: int = 0
    null_bit: int = 0
    number: int = 0
    nullable: bool = True
    hidden: bool = False
    automatic: bool = False
    numbering: Numbering | None = None

    @property
    def width(self) -> int:
        """Bytes that it takes in the fixed part."""
        if self.kind in (DECIMAL, NUMERIC):
            return 1 + 4 * (1 + (self.precision > 9) + (self.precision > 19) + (self.precision > 28))
        if self.kind in (TIME, DATETIME2, DATETIMEOFFSET):
            return self.time_width + {TIME: 0, DATETIME2: 3, DATETIMEOFFSET: 5}[self.kind]
        return FIXED.get(self.kind, max(self.length, 0))

    @property
    def time_width(self) -> int:
        """Bytes of the time of day."""
        return 3 + (self.scale > 2) + (self.scale > 4)

    @property
    def variable(self) -> bool:
        """It is stored in the variable part."""
        return self.kind in LOBS or self.kind in (VARCHAR, NVARCHAR, VARBINARY, VARIANT, CLR)

    @property
    def encoding(self) -> str:
        """Of its texts of one byte a character."""
        if self.collation & UTF8:
            return "utf-8"
        return _CODE_PAGES.get(self.collation & 0xFF, WESTERN)

    @property
    def raw(self) -> bool:
        """Its values are bytes that mean nothing here."""
        return (
            self.kind in BYTES
            or self.kind not in NAMES
            or (self.kind == CLR and self.user_type not in CLR_NAMES)
        )

    @property
    def declared(self) -> str:
        """Its type in the words of the server."""
        if self.kind == CLR:
            return CLR_NAMES.get(self.user_type, "varbinary(max)")
        name = NAMES.get(self.kind, f"type{self.kind}")
        if self.kind in (DECIMAL, NUMERIC):
            return f"{name}({self.precision},{self.scale})"
        if self.kind in (TIME, DATETIME2, DATETIMEOFFSET):
            return f"{name}({self.scale})"
        if self.kind in (VARCHAR, CHAR, VARBINARY, BINARY, NVARCHAR, NCHAR):
            size = self.length // 2 if self.kind in UNICODE else self.length
            return f"{name}({'max' if self.length == MAX else size})"
        return name

    @property
    def arrow(self) -> pyarrow.DataType:
        """The type of its values in batches."""
        if self.kind in _ARROW:
            return _ARROW[self.kind]
        if self.kind in (DECIMAL, NUMERIC):
            return pyarrow.decimal128(min(max(self.precision, 1), 38), min(self.scale, 38))
        large = self.kind in LOBS or self.length == MAX
        if self.raw:
            return pyarrow.large_binary() if large or self.kind == CLR else pyarrow.binary()
        if self.kind in (TIME, DATETIME2) and self.scale < 7:  # else microseconds would lose a digit
            return pyarrow.timestamp("us") if self.kind == DATETIME2 else pyarrow.time64("us")
        return pyarrow.large_string() if large or self.kind == CLR else pyarrow.string()

    @property
    def column(self) -> Column:
        """What it is to people."""
        about = (self.nullable, self.hidden, self.automatic, self.numbering)
        return Column(self.name, self.declared, self.arrow, *about)


class Layout(msgspec.Struct, frozen=True):
    """A table's columns in declared order, and where they lie.

    Attributes:
        fields: Columns.
        fixed: Where the fixed part of a record ends, the header's pminlen.
        columns: How many columns a record has, with the server's own.
        whole: All columns are known, with their names.
        likely: Tables usually lie so; others need better proof.
    """

    fields: tuple[Field, ...]
    fixed: int = 0
    columns: int = 0
    whole: bool = True
    likely: bool = True


def arranged(fields: list[Field], key: tuple[str, ...] = ()) -> Layout:
    """Return the layout that the server gives a table of these columns.

    Args:
        fields: In declared order, without places.
        key: Columns of the clustered index: they come first.
    """
    order = sorted(fields, key=lambda field: key.index(field.name) if field.name in key else len(key))
    offset, variable, byte, bit = 4, 0, 0, 8
    placed: dict[str, Field] = {}
    for number, field in enumerate(order, 1):
        if field.variable:
            variable += 1
            placed[field.name] = msgspec.structs.replace(field, place=-variable, null_bit=number)
            continue
        if field.kind == BIT:
            if bit == 8:
                byte, bit, offset = offset, 0, offset + 1
            placed[field.name] = msgspec.structs.replace(field, place=byte, bit=bit, null_bit=number)
            bit += 1
            continue
        placed[field.name] = msgspec.structs.replace(field, place=offset, null_bit=number)
        offset += field.width
    return Layout(tuple(placed[field.name] for field in fields), offset, len(order))


def not_unique(fields: list[Field]) -> list[Layout]:
    """Return the layouts with a clustered index that is not unique.

    The number that makes its rows unique is the first variable value; whether it counts as a column depends
    on the server's version.
    """
    plain = arranged(fields)
    moved = tuple(
        msgspec.structs.replace(field, place=field.place - 1) if field.place < 0 else field
        for field in plain.fields
    )
    if moved == plain.fields:
        return []
    return [Layout(moved, plain.fixed, plain.columns + more, likely=False) for more in (0, 1)]
