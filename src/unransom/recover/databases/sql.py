"""SQL scripts for MySQL and MariaDB, PostgreSQL, and SQL Server."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow

from unransom.catalog.databases.table import Column
from unransom.core.drafts import DraftFile
from unransom.recover.databases.values import length_of, plain
from unransom.recover.databases.writer import Shown

ROWS = 500  # of one INSERT; SQL Server takes up to 1,000
TOGETHER = 1 << 20  # characters of one; servers of MySQL take 16 MiB at once
QUOTES = {"mysql": ("`", "`"), "postgresql": ('"', '"'), "mssql": ("[", "]")}
OPTIONS = {"mysql": " DEFAULT CHARSET=utf8mb4"}  # of tables: the server's own may not hold every text
EXACT = {"mysql": "utf8mb4_bin", "mssql": "Latin1_General_BIN2"}
LONGEST_KEY = {"mysql": 3072, "mssql": 900}  # bytes that an index takes
CHARACTER = {"mysql": 4, "mssql": 2}  # bytes of a character in an index
_TEXT = re.compile(r"n?(var)?char\(", re.I)
_NO_KEY = re.compile(r"^(tiny|medium|long)?(text|blob)|^json|^geometry|\(max\)$", re.I)
LONGEST = 8000  # characters of a text or bytes that SQL Server takes with a stated length
_MYSQL_TYPE = re.compile(
    r"(tiny|small|medium|big)?int|bool|decimal|numeric|float|double|bit|date|time|year|char|varchar|binary"
    r"|varbinary|(tiny|medium|long)?(text|blob)|enum|set|json|geometry|inet|uuid",
    re.I,
)


class SqlWriter:
    """Writes one script per database."""

    def __init__(self, folder: Path, database: str, dialect: str, *, creating: bool = True) -> None:
        """Begin the script of ``database`` in ``folder``.

        Args:
            folder: Where it goes.
            database: Its name.
            dialect: ``mysql``, ``postgresql`` or ``mssql``.
            creating: Write statements that create the tables.
        """
        self._dialect = dialect
        self._creating = creating
        self._draft = DraftFile(folder, f"{database}.sql")
        self._file = self._draft.path.open("w", encoding="utf-8", newline="\n")
        self._shown: Shown | None = None
        if dialect == "mysql":
            self._file.write("SET NAMES utf8mb4;\nSET time_zone = '+00:00';\nSET sql_mode = '';\n")

    def begin(self, shown: Shown) -> None:
        """Write the statement that creates the table."""
        self._shown = shown
        if not self._creating:
            return
        self._file.write(f"\n{create_statement(shown, self._dialect)};\n")

    def write(self, batch: pyarrow.RecordBatch) -> None:
        """Write rows as INSERT statements."""
        assert self._shown is not None  # noqa: S101  begin came first
        pairs = zip(batch.columns, self._shown.columns, strict=True)
        texts = [self._literals(array, column) for array, column in pairs]
        head = f"INSERT INTO {quoted(self._shown.name, self._dialect)} VALUES\n"
        rows = (f"({', '.join(row)})" for row in zip(*texts, strict=True))
        for together in _together(rows):
            self._file.write(head + ",\n".join(together) + ";\n")

    def keep(self) -> list[Path]:
        """Give the script its name."""
        self._file.close()
        return [self._draft.keep()]

    def drop(self) -> None:
        """Remove the script."""
        self._file.close()
        self._draft.drop()

    def _literals(self, array: pyarrow.Array, column: Column) -> list[str]:
        zero_dates = column if self._dialect == "mysql" else None
        return list(self._each(plain(array, zero_dates), pyarrow.types.is_decimal(array.type)))

    def _each(self, values: list[object], bare: bool) -> Iterator[str]:
        for value in values:
            if value is None:
                yield "NULL"
            elif isinstance(value, bytes):
                yield self._hex(value)
            elif isinstance(value, str) and not bare:
                yield self._text(value)
            elif isinstance(value, bool):
                yield str(int(value))
            else:
                yield str(value)

    def _hex(self, value: bytes) -> str:
        if self._dialect == "postgresql":
            return f"'\\x{value.hex()}'::bytea"
        return f"0x{value.hex()}" if value or self._dialect == "mssql" else "''"

    def _text(self, value: str) -> str:
        quoted = "'" + value.replace("'", "''") + "'"
        if self._dialect == "mysql":
            return quoted.replace("\\", "\\\\").replace("\0", "\\0")
        if self._dialect == "postgresql":
            return quoted.replace("\0", "")  # which PostgreSQL cannot hold
        return "N" + quoted


def _together(rows: Iterable[str]) -> Iterator[list[str]]:
    """Yield rows as many as one statement takes."""
    some: list[str] = []
    size = 0
    for row in rows:
        if some and (len(some) == ROWS or size + len(row) > TOGETHER):
            yield some
            some, size = [], 0
        some.append(row)
        size += len(row)
    if some:
        yield some


def create_statement(shown: Shown, dialect: str) -> str:
    """Return the statement that creates a table, without a semicolon."""
    keyed = len(shown.columns) == len(shown.table.columns) and _is_keyed(shown, dialect)
    columns = [
        f"  {quoted(column.name, dialect)} {_type(column, dialect)}"
        + (_exact(column, dialect) if keyed and column.name in shown.table.key else "")
        + ("" if column.nullable else " NOT NULL")
        for column in shown.columns
    ]
    if keyed:
        key = ", ".join(quoted(name, dialect) for name in shown.table.key)
        columns.append(f"  PRIMARY KEY ({key})")
    body = ",\n".join(columns)
    return f"CREATE TABLE {quoted(shown.name, dialect)} (\n{body}\n){OPTIONS.get(dialect, '')}"


def quoted(name: str, dialect: str) -> str:
    """Return the name of a table or a column as SQL writes it."""
    left, right = QUOTES[dialect]
    return left + name.replace(right, 2 * right).replace("\0", "") + right


def _is_keyed(shown: Shown, dialect: str) -> bool:
    """Return whether the key can be declared: not where it is long, or text without a stated length."""
    parts = {column.name: column for column in shown.columns if column.name in shown.table.key}
    if not parts or len(parts) < len(set(shown.table.key)):
        return False
    if dialect == "postgresql":
        return all(
            column.arrow not in {pyarrow.large_string(), pyarrow.large_binary()} for column in parts.values()
        )
    types = [_type(column, dialect) for column in parts.values()]
    length = sum(length_of(kind) * (CHARACTER[dialect] if _TEXT.match(kind) else 1) for kind in types)
    return length <= LONGEST_KEY[dialect] and not any(_NO_KEY.search(kind) for kind in types)


def _exact(column: Column, dialect: str) -> str:
    """Return the collation by which no two texts of a key are the same: that of the table is not known."""
    return f" COLLATE {EXACT[dialect]}" if dialect in EXACT and _TEXT.match(_type(column, dialect)) else ""


def _type(column: Column, dialect: str) -> str:
    if dialect == "mysql" and _MYSQL_TYPE.match(column.declared) and "char" not in column.declared:
        return column.declared
    return _TYPES[dialect](column)


def _generic(column: Column) -> tuple[str, int]:
    """Return the Arrow type in one word, and its length where the declaration has one."""
    kind, types = column.arrow, pyarrow.types
    if types.is_decimal(kind):
        return "decimal", 0
    if types.is_large_string(kind) or types.is_large_binary(kind):
        return ("text" if types.is_large_string(kind) else "blob"), 0
    if types.is_string(kind) or types.is_dictionary(kind):
        return "char", length_of(column.declared)
    if types.is_binary(kind) or types.is_fixed_size_binary(kind):
        return "binary", length_of(column.declared)
    return str(kind).split("[")[0], 0


def _decimal(column: Column) -> str:
    return f"decimal({column.arrow.precision},{column.arrow.scale})"


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


def _mysql(column: Column) -> str:
    word, length = _generic(column)
    if word == "decimal":
        return _decimal(column)
    if word == "char":
        return f"varchar({length})" if 0 < length < 16000 else "longtext"
    if word == "binary":
        return f"varbinary({length})" if 0 < length < 60000 else "longblob"
    return _MYSQL.get(word, "longtext")


def _postgresql(column: Column) -> str:
    word, _ = _generic(column)
    return _decimal(column) if word == "decimal" else _POSTGRESQL.get(word, "text")


def _mssql(column: Column) -> str:
    word, length = _generic(column)
    if word == "decimal":
        return _decimal(column)
    if word == "char":
        return f"nvarchar({length})" if 0 < length <= LONGEST // 2 else "nvarchar(max)"
    if word == "binary":
        return f"varbinary({length})" if 0 < length <= LONGEST else "varbinary(max)"
    return _MSSQL.get(word, "nvarchar(max)")


_TYPES = {"mysql": _mysql, "postgresql": _postgresql, "mssql": _mssql}
