"""SQL scripts for MySQL and MariaDB, PostgreSQL, and SQL Server."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pyarrow

from unransom.catalog.databases.table import Column, Numbering
from unransom.core.drafts import DraftFile
from unransom.recover.databases.sql_types import literal_of, type_of
from unransom.recover.databases.values import length_of, plain
from unransom.recover.databases.writer import Shown

ROWS = 500  # of one INSERT; SQL Server takes up to 1,000
TOGETHER = 1 << 20  # characters of one; servers of MySQL take 16 MiB at once
QUOTES = {"mysql": ("`", "`"), "postgresql": ('"', '"'), "mssql": ("[", "]")}
OPTIONS = {"mysql": " DEFAULT CHARSET=utf8mb4"}  # of tables: the server's own may not hold every text
EXACT = {"mysql": "utf8mb4_bin", "mssql": "Latin1_General_BIN2"}
LONGEST_KEY = {"mysql": 3072, "mssql": 900}  # bytes that an index takes
CHARACTER = {"mysql": 4, "mssql": 2}  # bytes of a character in an index
_WHOLE = {  # types of numbers that the server can draw
    "mysql": re.compile(r"(tiny|small|medium|big)?int\b", re.I),
    "postgresql": re.compile(r"(smallint|integer|bigint)$"),
    "mssql": re.compile(r"(small|tiny|big)?int$|(decimal|numeric)\(\d+(, *0)?\)$", re.I),
}
_TEXT = re.compile(r"n?(var)?char\(", re.I)
_NO_KEY = re.compile(r"^(tiny|medium|long)?(text|blob)|^json|^geometry|\(max\)$", re.I)


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
        self._empty = True  # the table that was begun last
        if dialect == "mysql":
            self._file.write(
                "SET NAMES utf8mb4;\nSET time_zone = '+00:00';\nSET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';\n"
            )

    def begin(self, shown: Shown) -> None:
        """Write the statement that creates the table."""
        self._end()
        self._shown, self._empty = shown, True
        if not self._creating:
            return
        self._file.write(f"\n{create_statement(shown, self._dialect)};\n")
        if self._dialect == "mssql" and numbered(shown, "mssql"):
            self._file.write(f"SET IDENTITY_INSERT {quoted(shown.name, 'mssql')} ON;\n")

    def write(self, batch: pyarrow.RecordBatch) -> None:
        """Write rows as INSERT statements."""
        assert self._shown is not None  # noqa: S101  begin came first
        self._empty &= not batch.num_rows
        self._shown, statements = with_lost(self._shown, batch, self._dialect)
        self._file.writelines(f"{each};\n" for each in statements if self._creating)
        pairs = zip(batch.columns, self._shown.columns, strict=True)
        kinds = [_type(self._shown, column, self._dialect) for column in self._shown.columns]
        texts = [self._literals(*pair, kind) for pair, kind in zip(pairs, kinds, strict=True)]
        head = f"INSERT INTO {quoted(self._shown.name, self._dialect)}{self._named()} VALUES\n"
        rows = (f"({', '.join(row)})" for row in zip(*texts, strict=True))
        for together in _together(rows):
            self._file.write(head + ",\n".join(together) + ";\n")

    def keep(self) -> list[Path]:
        """Give the script its name."""
        self._end()
        self._file.close()
        return [self._draft.keep()]

    def drop(self) -> None:
        """Remove the script."""
        self._file.close()
        self._draft.drop()

    def _end(self) -> None:
        """Write what numbers the rows to come of the table that was begun last."""
        if self._shown is not None and self._creating:
            last = when_full(self._shown, self._dialect, empty=self._empty)
            self._file.writelines(f"{each};\n" for each in last)

    def _named(self) -> str:
        """Return the names of the columns as an INSERT has them, which only SQL Server's own numbers need."""
        if self._shown is None or self._dialect != "mssql" or not numbered(self._shown, "mssql"):
            return ""
        return f" ({', '.join(quoted(column.name, 'mssql') for column in self._shown.columns)})"

    def _literals(self, array: pyarrow.Array, column: Column, kind: str) -> list[str]:
        values = plain(array, column if self._dialect == "mysql" else None)
        if self._dialect == "mssql" and pyarrow.types.is_timestamp(array.type):
            values = [literal_of(kind, each) if isinstance(each, str) else each for each in values]
        bare = pyarrow.types.is_decimal(array.type) and not kind.startswith("nvarchar")
        return list(self._each(values, bare))

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
    drawn = numbered(shown, dialect)
    columns = [
        f"  {quoted(column.name, dialect)} {_type(shown, column, dialect)}"
        + (_exact(shown, column, dialect) if keyed and column.name in shown.table.key else "")
        + ("" if column.nullable or _may_be_zero(shown, column, dialect) else " NOT NULL")
        + (_numbering(column, dialect) if column is drawn else "")
        for column in shown.columns
    ]
    if keyed:
        key = ", ".join(quoted(name, dialect) for name in shown.table.key)
        columns.append(f"  PRIMARY KEY ({key})")
    if drawn and dialect == "mysql" and not (keyed and drawn.name == shown.table.key[0]):
        columns.append(f"  KEY ({quoted(drawn.name, dialect)})")  # which MySQL wants of such columns
    body = ",\n".join(columns)
    return f"CREATE TABLE {quoted(shown.name, dialect)} (\n{body}\n){OPTIONS.get(dialect, '')}"


def _numbering(column: Column, dialect: str) -> str:
    """Return the words by which a column draws its numbers: PostgreSQL's do so when they are full."""
    if dialect == "mssql":
        numbers = column.numbering or Numbering()
        return f" IDENTITY({numbers.first},{numbers.step})"
    return " AUTO_INCREMENT" if dialect == "mysql" else ""


def numbered(shown: Shown, dialect: str) -> Column | None:
    """Return the column whose numbers the server draws, None without one that ``dialect`` can have."""
    for column in shown.columns:
        if column.automatic and not column.nullable:
            return column if _WHOLE[dialect].match(_type(shown, column, dialect)) else None
    return None


def when_full(shown: Shown, dialect: str, *, empty: bool = False) -> list[str]:
    """Return the statements behind a table's rows, by which the server goes on behind its largest number.

    MySQL does so by itself. SQL Server does, too, but for numbers of rows that are not there any more.

    Args:
        shown: The table.
        dialect: Whose words.
        empty: It has no rows.
    """
    column, table = numbered(shown, dialect), quoted(shown.name, dialect)
    if column is None or dialect == "mysql":
        return []
    if dialect == "mssql":
        return [f"SET IDENTITY_INSERT {table} OFF", *_reseeded(table, column, empty)]
    name = quoted(column.name, dialect)
    places = ", ".join("'" + each.replace("'", "''") + "'" for each in (table, column.name))
    return [
        f"ALTER TABLE {table} ALTER COLUMN {name} ADD GENERATED BY DEFAULT AS IDENTITY",
        f"SELECT setval(pg_get_serial_sequence({places}), greatest(max({name}), 1),"  # noqa: S608  quoted
        f" coalesce(max({name}) >= 1, false)) FROM {table}",
    ]


def _reseeded(table: str, column: Column, empty: bool) -> list[str]:
    """Return the statement by which SQL Server goes on behind the number that it drew last before.

    Of a table that never had a row it takes the number itself next, of others the one behind.
    """
    numbers = column.numbering
    if numbers is None or numbers.last is None:
        return []
    last = numbers.last + numbers.step * empty
    name = "N'" + table.replace("'", "''") + "'"
    behind = "<" if numbers.step > 0 else ">"
    return [f"IF IDENT_CURRENT({name}) {behind} {last} DBCC CHECKIDENT ({name}, RESEED, {last})"]


def with_lost(shown: Shown, batch: pyarrow.RecordBatch, dialect: str) -> tuple[Shown, list[str]]:
    """Return the table as it must be to hold the rows of ``batch``, and the statements that make it so.

    What is lost of a row is NULL, whether its column may be so or not: without them MySQL writes a zero for
    it, or refuses it, as the others do. A date that is missing is MySQL's zero date.
    """
    columns, statements = list(shown.columns), []
    for place, (column, array) in enumerate(zip(shown.columns, batch.columns, strict=True)):
        if column.nullable or not array.null_count or _is_moment(column) or column.name in shown.table.key:
            continue
        columns[place] = msgspec.structs.replace(column, nullable=True)
        change = {"mysql": "MODIFY", "postgresql": "ALTER", "mssql": "ALTER COLUMN"}[dialect]
        change += f" {quoted(column.name, dialect)} "
        change += "DROP NOT NULL" if dialect == "postgresql" else f"{_type(shown, column, dialect)} NULL"
        statements.append(f"ALTER TABLE {quoted(shown.name, dialect)} {change}")
    return (shown._replace(columns=tuple(columns)), statements) if statements else (shown, [])


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
    types = [_type(shown, column, dialect) for column in parts.values()]
    length = sum(length_of(kind) * (CHARACTER[dialect] if _TEXT.match(kind) else 1) for kind in types)
    return length <= LONGEST_KEY[dialect] and not any(_NO_KEY.search(kind) for kind in types)


def _exact(shown: Shown, column: Column, dialect: str) -> str:
    """Return the collation by which no two texts of a key are the same: that of the table is not known."""
    return (
        f" COLLATE {EXACT[dialect]}"
        if dialect in EXACT and _TEXT.match(_type(shown, column, dialect))
        else ""
    )


def _may_be_zero(shown: Shown, column: Column, dialect: str) -> bool:
    """Return whether a column may hold zero dates, which only MySQL has: they are NULL elsewhere."""
    mine = dialect != "mysql" and shown.table.dialect != "mssql"
    return mine and _is_moment(column) and column.name not in shown.table.key


def _is_moment(column: Column) -> bool:
    return bool(pyarrow.types.is_date(column.arrow) or pyarrow.types.is_timestamp(column.arrow))


def _type(shown: Shown, column: Column, dialect: str) -> str:
    return type_of(column, shown.table.dialect, dialect, keyed=column.name in shown.table.key)
