"""The step: files of databases in, tables and a loss report out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec
import pyarrow
import pyarrow.compute

from unransom.catalog.databases import ENGINES
from unransom.catalog.databases.engine import Database, Engine, Hints, Source
from unransom.catalog.databases.table import PROVENANCE, Column, Loss, Table
from unransom.core.messages import Message, say
from unransom.recover.databases.foreign_keys import ForeignKeys, Missing
from unransom.recover.databases.writer import Shown, Writer

LIVE = frozenset({"live", "salvaged", "log", "old copy", "freed"})  # states of rows that belong to the table
HISTORY = "history"  # state of rows as they were before they were changed, which the table itself keeps
BEFORE = "before"  # the same, which undo logs keep


class Wanted(msgspec.Struct, frozen=True):
    """What is asked for.

    Attributes:
        deleted: Rows that were deleted before the attack, in tables of their own.
        provenance: Columns behind each row's own that say where it was found and how sure it is.
        tables: Names of the tables, all where empty.
        before: Rows as they were before they were changed, in tables of their own, without deleted ones.
        file: Only tables that have pages of this file, and what is said of it; "" for all files.
    """

    deleted: bool = False
    provenance: bool = False
    tables: frozenset[str] = frozenset()
    before: bool = False
    file: str = ""

    def has(self, table: Table) -> bool:
        """Return whether ``table`` is asked for."""
        named = not self.tables or table.short in self.tables
        return named and (not self.file or not table.files or self.file in table.files)

    def is_told(self, problem: Message) -> bool:
        """Return whether ``problem`` is about what is asked for."""
        return not self.file or problem.values.get("file", self.file) == self.file

    def apart(self) -> frozenset[str]:
        """Return the states of rows that get tables of their own."""
        more = {"deleted", BEFORE} if self.deleted else {BEFORE} if self.before else set()
        return frozenset({HISTORY, *more})


class TableResult(msgspec.Struct, frozen=True):
    """What came back of a table.

    Attributes:
        database, table: Names.
        source: Where its definition comes from.
        confidence: That the definition fits.
        states: Rows by state.
        doubtful: Rows with a confidence below 1.
        loss: What did not come back.
        named_by: Tables whose rows name keys of this one that did not come back, with how many.
    """

    database: str
    table: str
    source: str
    confidence: float
    states: dict[str, int]
    doubtful: int
    loss: Loss
    named_by: dict[str, int] = {}


class Outcome(msgspec.Struct, frozen=True):
    """What the step came to.

    Attributes:
        tables: In the order of the output.
        problems: What could not be read, and what would help.
        outputs: Files that were written.
    """

    tables: tuple[TableResult, ...]
    problems: tuple[Message, ...]
    outputs: tuple[Path, ...]


MakeWriter = Callable[[str], Writer]  # the name of a database to what writes its tables


def recover(
    sources: Sequence[Source],
    hints: Hints,
    make_writer: MakeWriter,
    wanted: Wanted | None = None,
    heard: Callable[[str, int], None] = lambda _table, _rows: None,
) -> Outcome:
    """Read every table of ``sources`` and write it.

    Args:
        sources: Files of databases, their logs, backups, old copies and definitions, in any order.
        hints: What is known from outside.
        make_writer: Gives the writer of a database's tables.
        wanted: What is asked for.
        heard: Is told of each table how many rows have been written.
    """
    wanted = wanted or Wanted()
    tables: list[TableResult] = []
    problems: list[Message] = []
    outputs: list[Path] = []
    for engine, mine in by_engine(sources, problems):
        for database in engine.open(mine, hints):
            problems += filter(wanted.is_told, database.problems)
            results, paths = _write(database, hints, make_writer, wanted, heard)
            tables += results
            outputs += paths
    return Outcome(tuple(tables), tuple(problems), tuple(outputs))


def by_engine(sources: Sequence[Source], problems: list[Message]) -> Iterable[tuple[Engine, list[Source]]]:
    """Yield each engine with its sources; definitions and what nobody knows go to all."""
    mine: dict[str, list[Source]] = {engine.name: [] for engine in ENGINES}
    unknown: list[Source] = []
    for source in sources:
        bits, engine = max(((engine.recognise(source.reader), engine) for engine in ENGINES), key=_first)
        if bits:
            mine[engine.name].append(source)
        else:
            unknown.append(source)
    for engine in ENGINES:
        if mine[engine.name]:
            yield engine, mine[engine.name] + unknown
    if not any(mine.values()):
        problems += [say("{file}: of no database that is known", file=source.name) for source in unknown]


def _first(pair: tuple[int, Engine]) -> int:
    return pair[0]


def _write(
    database: Database,
    hints: Hints,
    make_writer: MakeWriter,
    wanted: Wanted,
    heard: Callable[[str, int], None],
) -> tuple[list[TableResult], list[Path]]:
    tables = [table for table in database.tables if wanted.has(table)]
    if not tables:
        return [], []
    names = _names(tables)
    foreign = ForeignKeys(names, hints.sql)
    writer = make_writer(database.name)
    writing = _Writing(database, writer, foreign, wanted, heard)
    try:
        results = [writing.table(table, name) for name, table in names.items()]
    except BaseException:
        writer.drop()
        raise
    missing = foreign.missing()
    return [_with(result, missing.get(result.table)) for result in results], writer.keep()


def _with(result: TableResult, missing: Missing | None) -> TableResult:
    """Return ``result`` with the rows that other tables name and that are not there."""
    if missing is None:
        return result
    loss = result.loss
    expected = max(loss.expected or 0, loss.recovered + missing.rows)
    return msgspec.structs.replace(
        result, loss=msgspec.structs.replace(loss, expected=expected), named_by=missing.named_by
    )


def _names(tables: Sequence[Table]) -> dict[str, Table]:
    """Return the tables by their names in the output: short, where no two would be the same."""
    short = {table.short.lower() for table in tables}
    if len(short) == len(tables):
        return {table.short: table for table in tables}
    return {table.name.replace("/", "."): table for table in tables}


class _Writing:
    """Writes the tables of one database."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        foreign: ForeignKeys,
        wanted: Wanted,
        heard: Callable[[str, int], None],
    ) -> None:
        self._database, self._writer, self._foreign = database, writer, foreign
        self._wanted, self._heard = wanted, heard

    def table(self, table: Table, name: str) -> TableResult:
        """Write a table, and its deleted rows in one of their own."""
        states: dict[str, int] = {}
        doubtful = 0
        columns = table.columns + (_provenance() if self._wanted.provenance else ())
        self._writer.begin(Shown(name, table, columns))
        apart = ""  # state of the rows whose table was begun last; engines yield each such state together
        for rows in self._database.rows(table):
            for state, batch in _split(rows.batch):
                states[state] = states.get(state, 0) + batch.num_rows
                self._heard(name, sum(states.values()))
                if state in LIVE:
                    if apart:
                        continue  # engines yield them first
                    doubtful += _doubtful(batch)
                    self._foreign.pass_by(name, batch)
                    self._writer.write(_cut(batch, len(columns)))
                elif state in self._wanted.apart():
                    if apart != state:
                        apart = state
                        self._writer.begin(_shown_apart(name, table, state))
                    self._writer.write(batch)
        recovered = sum(count for state, count in states.items() if state in LIVE or state == HISTORY)
        return TableResult(
            database=self._database.name,
            table=name,
            source=table.source,
            confidence=round(table.confidence, 3),
            states=states,
            doubtful=doubtful,
            loss=self._database.loss(table, recovered),
        )


def _shown_apart(name: str, table: Table, state: str) -> Shown:
    """Return the table of rows that are not the table's now; of some only a part is known."""
    columns = tuple(msgspec.structs.replace(column, nullable=True) for column in table.columns)
    return Shown(f"{name} {state}", table, columns + _provenance())


def _provenance() -> tuple[Column, ...]:
    kinds = (pyarrow.int64(), pyarrow.int32(), pyarrow.string(), pyarrow.float32())
    return tuple(Column(name, "", kind) for name, kind in zip(PROVENANCE, kinds, strict=True))


def _cut(batch: pyarrow.RecordBatch, width: int) -> pyarrow.RecordBatch:
    return batch.select(list(range(width)))


def _doubtful(batch: pyarrow.RecordBatch) -> int:
    return int(pyarrow.compute.sum(pyarrow.compute.less(batch.column(PROVENANCE[3]), 1.0)).as_py() or 0)


def _split(batch: pyarrow.RecordBatch) -> Iterable[tuple[str, pyarrow.RecordBatch]]:
    """Yield the rows of each state."""
    column = batch.column(PROVENANCE[2])
    names = pyarrow.compute.unique(column).to_pylist()
    for name in names:
        yield (
            name,
            batch
            if len(names) == 1
            else batch.filter(pyarrow.compute.equal(column.cast(pyarrow.string()), name)),
        )
