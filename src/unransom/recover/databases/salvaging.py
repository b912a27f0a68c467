"""The step of a case: one damaged file of a database in, the rows that are still in it out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from unransom.catalog.databases import ENGINES
from unransom.catalog.databases.engine import Engine, Hints, Source
from unransom.core.context import Context
from unransom.core.hashing import digest
from unransom.core.keys import KeyKind
from unransom.core.messages import Message, say
from unransom.core.outputs import FileReader, Outputs
from unransom.core.records import FileRef, Finding, Grade, Output, Record
from unransom.core.streams import Salvage
from unransom.core.text import shown
from unransom.recover.databases.both import BothWriter
from unransom.recover.databases.gathering import SCRIPTS
from unransom.recover.databases.records import METHOD, DatabaseFile, Place
from unransom.recover.databases.scripts import read_statements
from unransom.recover.databases.step import Outcome, Wanted, recover

DIALECTS = {"innodb": "mysql", "mssql": "mssql"}
MOST_PROBLEMS = 20  # that are told of one file
FORMATS = {".sql": "text", ".sqlite": "sqlite"}  # the last one is the file's output


def salvage(item: DatabaseFile, context: Context) -> Iterator[Record]:
    """Yield the rows of ``item`` as a SQL script and a SQLite file, and what stood in the way of more.

    The file itself is not back with them, so the grade is partial, and the state with it.
    """
    if context.outputs is None:
        raise ValueError("rows are written to outputs, and there was no place given for them")
    scratch = Path(os.fsdecode(context.outputs.scratch))
    writers: list[BothWriter] = []
    with ExitStack() as stack:
        opened = _Opened(context, context.outputs, stack)
        own = opened.source(item.file)
        engine = max(ENGINES, key=lambda each: each.recognise(own.reader))
        if not engine.recognise(own.reader):
            return

        def begin(_database: str) -> BothWriter:
            writers.append(BothWriter(scratch, DIALECTS[engine.name]))
            return writers[-1]

        try:
            outcome = recover(*opened.told(own, item.others), begin, Wanted(before=True, file=own.name))
            if sum(each.loss.recovered for each in outcome.tables):
                yield from _records(item, engine, outcome, context.outputs)
            for problem in outcome.problems[:MOST_PROBLEMS]:
                yield Finding(kind="database", item=_item(item.file.ref), what=problem)
        finally:
            for writer in writers:
                writer.drop()


class _Opened:
    """Files of a database, opened where they are: what was recovered of them, else the evidence."""

    def __init__(self, context: Context, outputs: Outputs, stack: ExitStack) -> None:
        self._context = context
        self._case = Path(os.fsdecode(outputs.folder)).parent
        self._stack = stack

    def source(self, place: Place) -> Source:
        """Return one file; what of it cannot be read is zeros."""
        recovered = FileReader(self._case / os.fsdecode(place.output)) if place.output else None
        reader = self._stack.enter_context(recovered or self._context.open(place.ref))
        folder = (place.ref.original or place.ref.path).rpartition(b"/")[0].rpartition(b"/")[2]
        return Source(place.name, Salvage(reader), shown(folder))

    def told(self, own: Source, others: tuple[Place, ...]) -> tuple[list[Source], Hints]:
        """Return a file with those that may help, and what the scripts among them say."""
        sources, scripts = [own], []
        for source in map(self.source, others):
            if source.name.lower().endswith(SCRIPTS):
                scripts.append(read_statements(source.reader))
            else:
                sources.append(source)
        return sources, Hints(sql=tuple(scripts), keys=self._server_keys())

    def _server_keys(self) -> dict[str, bytes]:
        """Return the keys of database servers by their names."""
        named = [key.data.partition(b"\0") for key in self._context.keys if key.kind is KeyKind.SERVER]
        return {name.decode(): secret for name, _, secret in named}


def _records(item: DatabaseFile, engine: Engine, outcome: Outcome, outputs: Outputs) -> Iterator[Record]:
    """Give the outputs their names; yield them, and what is to be told of the file."""
    file, why = item.file, _why(outcome)
    paths = [(suffix, path) for suffix in FORMATS for path in outcome.outputs if path.suffix == suffix]
    for suffix, path in paths:
        with FileReader(path) as reader:
            digests = digest(reader)
        wanted = file.ref.output_path(os.fsencode(file.name)) + b".rows" + suffix.encode()
        placed = outputs.place(os.fsencode(path), wanted, digests)
        yield Output(
            path=placed,
            digests=digests,
            derived_from=file.ref.id,
            method=METHOD,
            grade=Grade.PARTIAL,
            why=why,
            format=FORMATS[suffix],
        )
    yield _finding(item, engine, outcome, why, placed)


def _why(outcome: Outcome) -> Message:
    """Return how many rows came back."""
    losses = [each.loss for each in outcome.tables]
    known = [each.expected for each in losses if each.expected is not None]
    return say(
        "rows out of the damaged file: {rows} of {expected}, in {tables} tables; the file itself is not back",
        rows=sum(each.recovered for each in losses),
        expected=sum(known) if len(known) == len(losses) else "?",
        tables=len(losses),
    )


def _finding(item: DatabaseFile, engine: Engine, outcome: Outcome, why: Message, path: bytes) -> Finding:
    states: Counter[str] = Counter()
    for each in outcome.tables:
        states.update(each.states)
    facts = {
        "engine": engine.title,
        "output": shown(path),
        "tables": ", ".join(f"{each.table} {each.loss.recovered}" for each in outcome.tables[:20]),
        "states": ", ".join(f"{state} {count}" for state, count in sorted(states.items())),
        "beside": ", ".join(each.name for each in item.others[:20]),
    }
    return Finding(kind="rows", item=_item(item.file.ref), what=why, facts=facts)


def _item(ref: FileRef) -> str:
    return f"{ref.source}:{shown(ref.path)}"
