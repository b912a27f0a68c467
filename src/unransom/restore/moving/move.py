"""The moves: a batch goes to the target, is checked there, and can be taken back.

Work is done in windows of files. Before a window is touched the journal has what was in its places;
after it, what became of each. So a run that is killed anywhere goes on, and an undo knows what to do.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from unransom.core.errors import UnransomError, UsageError
from unransom.core.messages import Message, say
from unransom.core.progress import Listener, Progress, silent
from unransom.restore.moving.journal import OPEN, Journal, Row, State
from unransom.restore.moving.place import SAME, Found, FullError, KeptError, MoveError, Place
from unransom.restore.moving.plan import Entry, Plan
from unransom.restore.moving.scan import Scanner

WINDOW = 256  # files between two commits of the journal
SCANNED = 5000  # files that the scanners are given at once: some take long to start
PATIENCE = 50  # files in a row that may fail before it is the target that is blamed
Numbered = tuple[int, Entry]


class TargetFullError(UnransomError):
    """The target has no room left."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            say("the target has no room left"),
            detail=detail,
            hint=say("make room and run the same command again: it goes on where it stopped"),
        )


class Work:
    """What all acts on a plan need.

    Attributes:
        plan: The approved plan.
        journal: Of this plan.
        sources: The case folder.
        workers: Threads.
        listener: Told how far it is.
    """

    def __init__(
        self,
        plan: Plan,
        opens: Callable[[], Place],
        journal: Journal,
        sources: Path,
        *,
        workers: int = 4,
        listener: Listener = silent,
    ) -> None:
        """Gather them; ``opens`` opens the target when it is first needed."""
        self.plan = plan
        self.journal = journal
        self.sources = sources
        self.workers = workers
        self.listener = listener
        self._opens = opens
        self._place: Place | None = None
        self._lock = threading.Lock()

    @property
    def place(self) -> Place:
        """The target."""
        with self._lock:
            if self._place is None:
                self._place = self._opens()
            return self._place

    def close(self) -> None:
        """Release the target, if it was needed."""
        if self._place is not None:
            self._place.close()

    def source(self, entry: Entry) -> Path:
        """Return the file to move."""
        return self.sources / os.fsdecode(entry.origin)


class Checked(NamedTuple):
    """What is in the target in place of a file that was moved; ``why`` says what is wrong with it."""

    entry: Entry
    why: Message | None


def require_turn(plan: Plan, journal: Journal, batch: int) -> None:
    """Make sure that it is a batch's turn: those before it are done and signed off.

    Raises:
        UsageError: It is not.
    """
    plan.batch(batch)
    for before in plan.batches:
        if before.number < batch and not journal.signed(before.number).signed_by:
            raise UsageError(
                say("batch {number} is not signed off", number=before.number),
                hint=say(
                    "look at what it came to, and sign it: unransom restore sign --batch {number}",
                    number=before.number,
                ),
            )


def next_batch(plan: Plan, journal: Journal) -> int | None:
    """Return the first batch that is not wholly applied, None where all are."""
    for batch in plan.batches:
        if not journal.signed(batch.number).applied:
            return batch.number
    return None


def scan(work: Work, batch: int, scanners: Sequence[Scanner]) -> None:
    """Scan what waits in a batch; what a scanner finds something in is held."""
    total = work.plan.batch(batch).files
    started, done, held = time.monotonic(), 0, 0
    for window in _windows(work.plan.entries(batch), SCANNED):
        known = work.journal.rows([number for number, _ in window])
        waiting = [each for each in window if each[0] not in known]
        paths = {number: work.source(entry) for number, entry in waiting}
        hits: dict[Path, Message] = {}
        for scanner in scanners:
            hits |= scanner.scan(list(paths.values()))
        rows = [
            Row(number, State.HELD if path in hits else State.CLEAN, why=hits.get(path))
            for number, path in paths.items()
        ]
        work.journal.write(batch, rows)
        done += len(window)
        held += len(hits)
        work.listener(
            Progress("scan", done, total, "files", seconds=time.monotonic() - started, problems=held)
        )


def apply(work: Work, batch: int) -> None:
    """Move a batch; what becomes of each file is in the journal.

    Args:
        work: The plan, its target and its journal; the batch was scanned.
        batch: Its number.

    Raises:
        TargetFullError: There is no room; what was moved stays.
        UnransomError: One file after another fails.
    """
    total = work.plan.batch(batch).files
    clock = _Clock(work.listener, "restore", total)
    with _pool(work.workers) as pool:
        for window in _windows(work.plan.entries(batch), WINDOW):
            known = work.journal.rows([number for number, _ in window])
            waiting = [each for each in window if known[each[0]].state in OPEN]
            _survey(work, [entry for number, entry in waiting if not known[number].found])
            begun = list(pool.map(lambda each: _begin(work, each, known[each[0]]), waiting))  # noqa: B023
            folders = {folder for row in begun if row.found for folder in row.found.folders}
            work.journal.write(batch, begun, folders)
            todo = [(row, entry) for row, (_, entry) in zip(begun, waiting, strict=True)]
            todo = [(row, entry) for row, entry in todo if row.state is State.BEGUN]
            results = list(pool.map(lambda pair: _put(work, *pair), todo))
            work.place.settle()
            work.journal.write(batch, results)
            clock.add(window, [*begun, *results])


def _survey(work: Work, entries: Sequence[Entry]) -> None:
    with contextlib.suppress(MoveError, FullError, FileNotFoundError):  # what is wrong shows one by one, too
        work.place.survey(entries)


def _begin(work: Work, numbered: Numbered, known: Row) -> Row:
    """Return the row to write before a file is touched: what is in its place."""
    number, entry = numbered
    try:
        found = known.found or work.place.look(entry, work.source(entry))
    except FullError as error:
        raise TargetFullError(str(error)) from error
    except MoveError as error:
        return Row(number, State.FAILED, why=error.why)
    if found.kind == SAME:
        return Row(number, State.PRESENT, found)
    return Row(number, State.BEGUN, found)


def _put(work: Work, row: Row, entry: Entry) -> Row:
    assert row.found is not None  # noqa: S101 it was begun
    try:
        mark = work.place.put(row.number, entry, work.source(entry), row.found)
    except FullError as error:
        return row._replace(why=say("the target has no room left"), mark=str(error)[:200])
    except MoveError as error:
        return row._replace(state=State.FAILED, why=error.why)
    except OSError as error:
        return row._replace(state=State.FAILED, why=say("it cannot be read: {error}", error=str(error)))
    return row._replace(state=State.MOVED, mark=mark)


class _Clock:
    """Tells how far a batch is, and stops where going on is of no use."""

    def __init__(self, listener: Listener, operation: str, total: int) -> None:
        self._listener = listener
        self._operation = operation
        self._total = total
        self._started = time.monotonic()
        self._done = self._size = self._problems = self._in_a_row = 0

    def add(self, window: Sequence[Numbered], rows: Iterable[Row]) -> None:
        """Count a window and what became of it.

        Raises:
            TargetFullError: There is no room.
            UnransomError: One file after another fails.
        """
        last = {row.number: row for row in rows}
        self._done += len(window)
        self._size += sum(entry.size for number, entry in window if number in last)
        for row in last.values():
            failed = row.state in {State.FAILED, State.BEGUN}
            self._in_a_row = self._in_a_row + 1 if failed else 0
            self._problems += failed
            if self._in_a_row >= PATIENCE and row.state is State.FAILED:
                raise UnransomError(
                    say("one file after another fails, so the target itself seems to be in trouble"),
                    detail=str(row.why),
                    hint=say("when it works again, run the same command: it goes on where it stopped"),
                )
        full = next((row for row in last.values() if row.state is State.BEGUN), None)
        if full:
            raise TargetFullError(full.mark)
        self._listener(
            Progress(
                self._operation,
                self._done,
                self._total,
                "files",
                item=window[-1][1].path,
                bytes_done=self._size,
                seconds=time.monotonic() - self._started,
                problems=self._problems,
                finished=self._done >= self._total,
            )
        )


def verify(work: Work, batch: int | None = None) -> Iterator[Checked]:
    """Read every file that was moved, or was there already, and yield what the target has."""
    with _pool(work.workers) as pool:
        for window in _windows(work.plan.entries(batch), WINDOW):
            known = work.journal.rows([number for number, _ in window])
            moved = [
                entry
                for number, entry in window
                if number in known and known[number].state in {State.MOVED, State.PRESENT}
            ]
            yield from pool.map(lambda entry: Checked(entry, _wrong(work, entry)), moved)


def _wrong(work: Work, entry: Entry) -> Message | None:
    try:
        found = work.place.digest(entry, work.source(entry))
    except MoveError as error:
        return error.why
    if found is None:
        return say("it is not there")
    return None if found == entry.sha256 else say("it is not what was moved there")


def undo(work: Work, batch: int) -> None:
    """Take a batch back; what could not be is in the journal, as kept or failed."""
    clock = _Clock(work.listener, "undo", work.plan.batch(batch).files)
    with _pool(work.workers) as pool:
        for window in _windows(work.plan.entries(batch), WINDOW):
            rows = work.journal.rows([number for number, _ in window])
            touched = [
                (rows[number], entry) for number, entry in window if number in rows and rows[number].found
            ]
            results = list(pool.map(lambda pair: _back(work, *pair), touched))
            work.place.settle()
            work.journal.write(batch, results)
            entries = dict(window)
            done = [row for row in results if row.state is State.BACK]
            forgotten = list(pool.map(lambda row: _forget(work, row, entries[row.number]), done))  # noqa: B023
            stays = {row.number for row in results if row.state is not State.BACK}
            stays |= {
                number for number, gone in zip((r.number for r in done), forgotten, strict=True) if not gone
            }
            work.journal.remove(number for number, _ in window if number not in stays)
            clock.add(window, [row for row in results if row.state is not State.BACK])
    work.place.remove_folders(work.journal.folders())
    if not work.journal.counts().keys() - {State.HELD, State.CLEAN}:
        work.journal.forget_folders()


def _back(work: Work, row: Row, entry: Entry) -> Row:
    found: Found | None = row.found
    if found is None or found.kind == SAME or row.state is State.BACK:
        return row._replace(state=State.BACK)
    try:
        work.place.back(row.number, entry, found, row.mark)
    except KeptError as error:
        return row._replace(state=State.KEPT, why=error.why)
    except FullError:
        return row._replace(state=State.FAILED, why=say("the target has no room left"))
    except MoveError as error:
        return row._replace(state=State.FAILED, why=error.why)
    return row._replace(state=State.BACK, why=None)


def _forget(work: Work, row: Row, entry: Entry) -> bool:
    if row.found is not None:
        try:
            work.place.forget(row.number, entry, row.found)
        except (MoveError, FullError):
            return False  # it stays on the list, and an undo tries again
    return True


def _windows(entries: Iterator[Numbered], size: int) -> Iterator[list[Numbered]]:
    while window := list(islice(entries, size)):
        yield window


class _pool(ThreadPoolExecutor):  # noqa: N801 used like a function
    """Threads that Ctrl-C does not have to wait for more than once."""

    def __exit__(self, *_: object) -> None:
        self.shutdown(wait=True, cancel_futures=True)
