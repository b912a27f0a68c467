"""What restores and cutover checks came to, as CSV and xlsx for people who work with spreadsheets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from unransom.core.messages import Message, say
from unransom.restore.moving import move
from unransom.restore.moving.journal import State
from unransom.restore.moving.plan import OUT
from unransom.run.restoring import Standing, standings
from unransom.verify.sheets import Sheet, whole, write_csv, write_workbook

WINDOW = 1000  # files that the journal is asked about at once
STATES = {
    "waiting": say("waiting"),
    State.CLEAN: say("waiting"),
    State.HELD: say("held by a scanner"),
    State.BEGUN: say("begun"),
    State.MOVED: say("moved"),
    State.PRESENT: say("was there already"),
    State.FAILED: say("failed"),
    State.BACK: say("taken back"),
    State.KEPT: say("changed since, kept"),
    "out": say("stays out"),
}
WORDS = {
    "waiting": say("waiting"),
    "begun": say("begun"),
    "applied": say("applied"),
    "signed": say("signed off"),
    "undone": say("undone"),
}
BATCH_HEADINGS = (
    *(say("batch"), say("name"), say("state"), say("files"), say("bytes"), say("moved")),
    *(say("was there already"), say("held by a scanner"), say("failed"), say("waiting")),
    *(say("applied at (UTC)"), say("signed off by"), say("signed off at (UTC)"), say("note")),
)
FILE_HEADINGS = (
    *(say("batch"), say("file"), say("state"), say("bytes"), say("SHA-256"), say("verdict")),
    *(say("accepted because"), say("why")),
)


def batch_row(standing: Standing, language: str) -> list[str | int]:
    """Return a batch as cells below ``BATCH_HEADINGS``."""
    counts, signed = standing.counts, standing.signed
    return [
        standing.batch.number,
        standing.batch.name,
        WORDS[standing.word].render(language),
        standing.batch.files,
        standing.batch.size,
        *(counts.get(each, 0) for each in (State.MOVED, State.PRESENT, State.HELD, State.FAILED)),
        standing.waiting,
        signed.applied,
        signed.signed_by,
        signed.signed,
        signed.note,
    ]


def _file_rows(work: move.Work, language: str) -> Iterator[list[str | int]]:
    window: list[move.Numbered] = []
    for numbered in work.plan.entries():
        window.append(numbered)
        if len(window) == WINDOW:
            yield from _rows_of(work, window, language)
            window = []
    yield from _rows_of(work, window, language)


def _rows_of(work: move.Work, window: Sequence[move.Numbered], language: str) -> Iterator[list[str | int]]:
    known = work.journal.rows([number for number, _ in window])
    for number, entry in window:
        row = known.get(number)
        state = "out" if entry.batch == OUT else row.state if row else "waiting"
        why = row.why if row and row.why else entry.why
        yield [
            entry.batch,
            entry.path,
            STATES[state].render(language),
            entry.size,
            entry.sha256,
            entry.verdict or "good",
            entry.accepted,
            why.render(language) if why else "",
        ]


def write_restore(work: move.Work, folder: Path, language: str) -> list[Path]:
    """Write ``batches.csv``, ``files.csv`` and ``restore.xlsx``; return the files."""
    batches = [batch_row(each, language) for each in standings(work)]
    about_batches = [heading.render(language) for heading in BATCH_HEADINGS]
    about_files = [heading.render(language) for heading in FILE_HEADINGS]

    def sheets() -> list[Sheet]:
        files = Sheet("files", about_files, _file_rows(work, language))
        return [Sheet("batches", about_batches, batches), files]

    return write_sheets(folder, "restore", sheets(), sheets())


def write_sheets(folder: Path, name: str, tables: Sequence[Sheet], again: Sequence[Sheet]) -> list[Path]:
    """Write each table as CSV, and all of them as one workbook; return the files.

    Args:
        folder: Where they go; made if missing.
        name: Of the workbook.
        tables: The tables; their rows are read once.
        again: The same tables, for the workbook.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for sheet in tables:
        with whole(folder / f"{sheet.name}.csv") as path:
            write_csv(path, sheet)
        written.append(folder / f"{sheet.name}.csv")
    with whole(folder / f"{name}.xlsx") as path:
        write_workbook(path, again)
    return [*written, folder / f"{name}.xlsx"]


def spoken_word(word: str) -> Message:
    """Return the name of where a batch stands."""
    return WORDS[word]
