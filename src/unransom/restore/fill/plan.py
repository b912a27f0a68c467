"""The plan: one line of JSON for each row to insert or to look at, made to be read, compared and approved."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Mapped
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from unransom.core.errors import UnransomError
from unransom.core.messages import say
from unransom.core.progress import Listener, Progress, silent
from unransom.restore.fill.columns import Misfit
from unransom.restore.fill.mapping import PROVENANCE, Mapping, TableMapping
from unransom.restore.fill.target import BATCH, Row, Target, key_of, same


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A row of the plan.

    Attributes:
        action: ``insert``; ``differs``: it is there and says something else; ``misfit``: a column cannot
            hold a value of it. Only the first is carried out.
        of: ``orders``, ``lines`` or ``payments``.
        table: Of the target.
        row: Column and value.
        file, line, sha256: The export that it comes from.
        theirs: What the target says, for ``differs``.
        why: For ``misfit``.
    """

    action: str
    of: str
    table: str
    row: dict[str, Any]
    file: str = ""
    line: int = 0
    sha256: str = ""
    theirs: dict[str, Any] = {}
    why: str = ""

    def told(self) -> Row:
        """Return the row and what the target says instead, as a person is told."""
        return {"table": self.table, "row": self.row, "theirs": self.theirs}


class Source(NamedTuple):
    """Where a row comes from."""

    file: str
    line: int
    sha256: str


class Counts(msgspec.Struct):
    """What a plan or a fill came to."""

    insert: int = 0
    present: int = 0
    differs: int = 0
    misfit: int = 0
    kept: int = 0  # by an undo, as somebody has changed them since


def make_plan(
    records: Mapped[str, Iterable[Row]], mapping: Mapping, target: Target, listener: Listener = silent
) -> Iterator[tuple[Entry | None, Counts]]:
    """Yield the entries of the plan, with the counts so far; the last item has no entry.

    Args:
        records: Rows with the fields of ``mapping.FIELDS``, for ``orders``, ``lines`` and ``payments``.
        mapping: The company's schema.
        target: The company's database, which is only read.
        listener: Told how far it is.
    """
    counts = Counts()
    done = 0
    left_out: set[tuple[str, str]] = set()  # orders that do not fit: nothing can refer to them
    with target.engine.connect() as connection:
        for of, table in mapping.tables().items():
            rows = iter(records.get(of, ()))
            while batch := list(islice(rows, BATCH)):
                ready, misfits = _fitting(batch, of, table, target, left_out)
                counts.misfit += len(misfits)
                for entry in (*misfits, *_entries(ready, of, table, target, connection, counts)):
                    yield entry, counts
                done += len(batch)
                listener(Progress("plan", done, 0, "files", table.table))
    yield None, counts


def _fitting(
    batch: list[Row], of: str, table: TableMapping, target: Target, left_out: set[tuple[str, str]]
) -> tuple[list[tuple[Row, Source]], list[Entry]]:
    """Return the rows that the target can hold, each with where it comes from, and entries for the others.

    Args:
        batch: Records.
        of: What they are.
        table: Which takes them.
        target: The company's database.
        left_out: Orders that do not fit, to which nothing can refer; gets those of the batch.
    """
    ready: list[tuple[Row, Source]] = []
    misfits = []
    for record in batch:
        row, order = mapped_row(table, record), (record.get("realm", ""), record["order_id"])
        source = Source(record["source_file"], record["source_row"], record["source_sha256"])
        try:
            if order in left_out:
                raise Misfit("its order does not fit")
            ready.append((target.typed(table, row, table.zone), source))
        except Misfit as misfit:
            left_out |= {order} if of == "orders" else set()
            misfits.append(Entry("misfit", of, table.table, row, *source, why=str(misfit)))
    return ready, misfits


def _entries(
    ready: list[tuple[Row, Source]],
    of: str,
    table: TableMapping,
    target: Target,
    connection: Any,
    counts: Counts,
) -> Iterator[Entry]:
    if not ready:
        return
    columns = list(ready[0][0])
    there = target.existing(
        connection, table, columns, [tuple(row[k] for k in table.key) for row, _ in ready]
    )
    for row, source in ready:
        found = there.get(key_of(row, table))
        if found is None:
            counts.insert += 1
            yield Entry("insert", of, table.table, row, *source)
        elif same(row, found, (*table.ignore, *_provenance(table))):
            counts.present += 1
        else:
            counts.differs += 1
            yield Entry("differs", of, table.table, row, *source, theirs=found)


def mapped_row(table: TableMapping, record: Row) -> Row:
    """Return the target's row for a record."""
    row: Row = {}
    for column, field in table.columns.items():
        value = record.get(field)
        row[column] = table.values.get(column, {}).get(str(value), value) if value is not None else None
    return {**row, **table.constants}


def _provenance(table: TableMapping) -> list[str]:
    """Return the columns that say where a row came from: they may differ, the row is the same."""
    return [column for column, field in table.columns.items() if field in PROVENANCE]


def write_plan(entries: Iterable[tuple[Entry | None, Counts]], path: Path, mapping_sha256: str) -> Counts:
    """Write the plan to ``path``; the same evidence and target give the same file."""
    counts = Counts()
    with path.open("wb") as file:
        file.write(
            msgspec.json.encode({"plan": "unransom fill", "version": 1, "mapping": mapping_sha256}) + b"\n"
        )
        for entry, counts in entries:  # noqa: B007 the last counts are returned
            if entry is not None:
                file.write(msgspec.json.encode(entry) + b"\n")
    return counts


class Plan:
    """A plan that was read back; ``id`` is the digest of the file, which an approval is about."""

    def __init__(self, path: Path, mapping_sha256: str) -> None:
        """Open the plan.

        Raises:
            UnransomError: It is no plan, or was made with another mapping.
        """
        self._path = path
        with path.open("rb") as file:
            self.id = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            try:
                head = msgspec.json.decode(file.readline(4096))
                made_with = head["mapping"] if head["plan"] == "unransom fill" else None
            except (msgspec.DecodeError, KeyError, TypeError):
                made_with = None
        if made_with is None:
            raise UnransomError(say("{file} is no plan", file=path.name))
        if made_with != mapping_sha256:
            raise UnransomError(
                say("the plan was made with another mapping"), hint=say("make the plan again")
            )

    def inserts(self) -> Iterator[tuple[int, Entry]]:
        """Yield the rows to insert, with the number of their line.

        Raises:
            UnransomError: A line cannot be read.
        """
        decoder = msgspec.json.Decoder(Entry)
        with self._path.open("rb") as file:
            next(file)
            for number, line in enumerate(file, 2):
                try:
                    entry = decoder.decode(line)
                except msgspec.DecodeError as error:
                    raise UnransomError(
                        say("line {line} of the plan cannot be read", line=number), detail=str(error)
                    ) from error
                if entry.action == "insert":
                    yield number, entry
