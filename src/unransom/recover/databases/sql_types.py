"""Which type of MySQL, PostgreSQL or SQL Server holds every value of a column, by how it was declared."""

from __future__ import annotations

import re

import pyarrow

from unransom.catalog.databases.table import Column
from unransom.recover.databases.values import length_of

LONGEST = 8000  # bytes that SQL Server takes with a stated length
_MYSQL_TYPE = re.compile(
    r"(tiny|small|medium|big)?int|bool|decimal|numeric|float|double|bit|date|time|year|char|varchar|binary"
    r"|varbinary|(tiny|medium|long)?(text|blob)|enum|set|json|geometry|inet|uuid",
    re.I,
)
_SIZED = re.compile(r"n?(var)?char\b|(var)?binary\b|character\b|national\b", re.I)
_ELEMENT = re.compile(r"'((?:[^'\\]|''|\\.)*)'", re.S)
_MOMENT = re.compile(r"(datetime2?|timestamp)\b\s*(?:\((\d)\))?", re.I)
# What SQL Server declares and takes back as it is written.
_OWN = re.compile(
    r"(money|smallmoney|uniqueidentifier|xml|hierarchyid|date|datetime|smalldatetime)$"
    r"|(decimal|numeric|time|datetime2|datetimeoffset|nchar|nvarchar|(var)?binary)\([\d,]+\)$"
)
_LIKE_OWN = {
    "uniqueidentifier": "char(36)",
    "datetimeoffset": "varchar(34)",
    "datetime2": "varchar(27)",
    "time": "varchar(16)",
    "hierarchyid": "longtext",
}  # fmt: skip  of what is text in batches
_PLAIN = {"time": 17, "uuid": 36, "inet4": 15, "inet6": 45}  # characters of what is written so
_MYSQL = {
    "int8": "tinyint", "int16": "smallint", "int32": "int", "int64": "bigint", "uint8": "tinyint unsigned",
    "uint16": "smallint unsigned", "uint32": "int unsigned", "uint64": "bigint unsigned", "float": "float",
    "halffloat": "float", "double": "double", "bool": "tinyint", "date32": "date", "timestamp": "datetime(6)",
    "time64": "time(6)", "time32": "time", "text": "longtext", "blob": "longblob",
}  # fmt: skip
_POSTGRESQL = {
    "int8": "smallint", "int16": "smallint", "int32": "integer", "int64": "bigint", "uint8": "smallint",
    "uint16": "integer", "uint32": "bigint", "uint64": "numeric(20)", "float": "real", "halffloat": "real",
    "double": "double precision", "bool": "smallint", "date32": "date", "timestamp": "timestamp",
    "time64": "time", "time32": "time", "text": "text", "blob": "bytea", "char": "text", "binary": "bytea",
}  # fmt: skip
_MSSQL = {
    "int8": "smallint", "int16": "smallint", "int32": "int", "int64": "bigint", "uint8": "tinyint",
    "uint16": "int", "uint32": "bigint", "uint64": "decimal(20)", "float": "real", "halffloat": "real",
    "double": "float", "bool": "bit", "date32": "date", "timestamp": "datetime2(7)", "time64": "time(7)",
    "time32": "time", "text": "nvarchar(max)", "blob": "varbinary(max)",
}  # fmt: skip


def type_of(column: Column, declared_by: str, dialect: str, *, keyed: bool = False) -> str:
    """Return the type of ``column`` in ``dialect``.

    Args:
        column: The column.
        declared_by: Whose words its declaration is in: ``mysql``, ``mssql``, or "" where that is not known.
        dialect: ``mysql``, ``postgresql`` or ``mssql``.
        keyed: It is in the key, which takes so many bytes only.
    """
    if dialect == "mysql":
        own = declared_by != "mssql" and _MYSQL_TYPE.match(column.declared)
        return column.declared if own and "char" not in column.declared else _mysql(column)
    if dialect == "postgresql":
        word, _ = _generic(column)
        return _decimal(column) if word == "decimal" else _POSTGRESQL.get(word, "text")
    if declared_by == "mssql" and _OWN.match(column.declared):
        return column.declared
    return _mssql(column, keyed=keyed or declared_by == "mssql")


def _generic(column: Column) -> tuple[str, int]:
    """Return the Arrow type in one word, and its length where the declaration has one."""
    kind, types = column.arrow, pyarrow.types
    length = length_of(column.declared) if _SIZED.match(column.declared) else 0
    if types.is_decimal(kind):
        return "decimal", 0
    if types.is_large_string(kind) or types.is_large_binary(kind):
        return ("text" if types.is_large_string(kind) else "blob"), 0
    if types.is_string(kind) or types.is_dictionary(kind):
        return "char", length
    if types.is_binary(kind) or types.is_fixed_size_binary(kind):
        return "binary", length
    return str(kind).split("[")[0], 0


def _decimal(column: Column) -> str:
    return f"decimal({column.arrow.precision},{column.arrow.scale})"


def _mysql(column: Column) -> str:
    word, length = _generic(column)
    if word == "decimal":
        return _decimal(column)
    if word == "char":
        like = _LIKE_OWN.get(column.declared.partition("(")[0], "longtext")
        return f"varchar({length})" if 0 < length < 16000 else like
    if word == "binary":
        length = 8 if column.declared == "rowversion" else length
        return f"varbinary({length})" if 0 < length < 60000 else "longblob"
    return _MYSQL.get(word, "longtext")


def _mssql(column: Column, *, keyed: bool) -> str:
    word, length = _generic(column)
    declared = column.declared.lower()
    moment = _MOMENT.match(declared)
    if word == "decimal":
        # More digits than SQL Server has are text.
        return _decimal(column) if column.arrow.precision <= 38 else f"nvarchar({column.arrow.precision + 3})"
    if word == "timestamp" and moment:
        return f"datetime2({moment[2] or 0})"
    if word == "char":
        plain = _PLAIN.get(declared.partition("(")[0], 0)
        if plain:
            return f"nvarchar({plain})"
        length = length or _longest(declared)
        # Characters outside of the first 65,536 take two places.
        length = length if keyed or 2 * length > LONGEST // 2 else 2 * length
        return f"nvarchar({length})" if 0 < length <= LONGEST // 2 else "nvarchar(max)"
    if word == "binary":
        if declared == "rowversion":
            return "binary(8)"
        return f"varbinary({length})" if 0 < length <= LONGEST else "varbinary(max)"
    return _MSSQL.get(word, "nvarchar(max)")


def _longest(declared: str) -> int:
    """Return the characters of the longest value of a type that has no length, 0 where it is not known."""
    elements = [len(each) for each in _ELEMENT.findall(declared)]
    if declared.startswith("enum"):
        return max(elements, default=0)
    if declared.startswith("set"):
        return sum(elements) + len(elements)
    return 0


def literal_of(kind: str, value: str) -> str:
    """Return a point in time, as text, as type ``kind`` of SQL Server reads it by every setting.

    ``datetime`` takes thousandths, of which it holds every third.
    """
    if kind not in {"datetime", "smalldatetime"}:
        return value
    moment, _, fraction = value.replace(" ", "T").partition(".")
    thousandths = round(int(fraction[:6].ljust(6, "0")) / 1000) if fraction else 0
    return f"{moment}.{min(thousandths, 997):03d}" if fraction else moment
