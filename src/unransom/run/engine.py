"""Runs the flow on a case: has tasks done, stores what comes back, and blames what kills workers."""

from __future__ import annotations

import sqlite3
import time

from unransom.case import aids, files, found_keys, journal
from unransom.case.case import Case
from unransom.case.database import disk_full, transaction
from unransom.core.keys import Key
from unransom.core.messages import say
from unransom.core.progress import Listener, Progress, silent
from unransom.core.records import Delivery, FileRef, LockedGroup, Output, Problem, Record, Source
from unransom.core.searches import Described, LockedFile, Searched, Secret, Shard, Target
from unransom.evidence import open_store
from unransom.recover.databases.records import METHOD, DatabaseFile
from unransom.recover.repair.records import Broken, Mended
from unransom.run.carve_case import carve_image, images
from unransom.run.database_files import keep_rows
from unransom.run.described import described_in
from unransom.run.executor import Executor, Fate, Outcome
from unransom.run.flow import CARVE, FLOW, SEARCHES, Step
from unransom.run.found_schemes import adopt
from unransom.run.packing import pack_originals
from unransom.run.queue import Queue, size_of
from unransom.run.repairs import reopen_repair
from unransom.run.searches import time_left
from unransom.run.withdrawing import withdraw_locked_beneath
from unransom.run.work import Done, Item, Surroundings, Task, name_of

LISTED_AT_ONCE = 5000  # files per transaction
ITEM_SECONDS = 60.0  # every item may take this long, and besides
OPTIONAL = frozenset({"wanted", "copy"})  # steps that run only when they are asked for
# Files that keys are tried on again: they are locked still, also where their rows are back.
STILL_LOCKED = (
    f"(state = 'failed' OR state = 'partial' AND method = '{METHOD}')"
    " AND json_extract(body, '$.state') = 'locked'"
)


class Engine:
    """The flow on one open case."""

    def __init__(
        self,
        case: Case,
        executor: Executor,
        keys: tuple[Key, ...] = (),
        listener: Listener = silent,
        item_seconds: float = ITEM_SECONDS,
        *,
        extra: frozenset[str] = frozenset(),
        left_out: frozenset[str] = frozenset(),
    ) -> None:
        self._case = case
        self._database: sqlite3.Connection = case.database
        self._executor = executor
        self._keys = keys
        self._listener = listener
        self._item_seconds = item_seconds
        self._left_out = OPTIONAL - extra | left_out
        self._used: frozenset[str] = frozenset()  # fingerprints of keys that unlock has tried
        self.times: list[tuple[str, float, int, int]] = []  # step, seconds, items, bytes

    def run(self, last: str = FLOW[-1].name) -> None:
        """List the sources that are not listed yet, then perform every step up to ``last``.

        Raises:
            UnransomError: The disk is full.
        """
        if self._keys and self._case.new_keys({key.fingerprint for key in self._keys}):
            self._reopen()
        self._used = self._all_keys()
        self._case.outputs().clear_scratch()
        for source in self._case.unlisted():
            self._list(source)
        for step in FLOW:
            if step is CARVE:
                self._carve()
            elif self._due(step):
                self.perform(step)
            if step.name == last:
                return

    def _due(self, step: Step) -> bool:
        """Return whether ``step`` has something to do that an earlier one of its name had not."""
        if step.name in self._left_out:
            return False
        if step.name in SEARCHES:
            self._lock_again()
            searching = time_left(self._database, time.monotonic()) > 0
            if searching and step.name == "plan":
                pack_originals(self._case)
            return searching
        if step.name == "databases":
            with transaction(self._database):
                keep_rows(self._database)
        if step.name != "unlock":
            return True
        keys = self._all_keys()
        if keys - self._used:
            self._reopen()
        self._used |= keys
        return bool(keys)

    def _all_keys(self) -> frozenset[str]:
        found = (secret.key.fingerprint for secret in found_keys.of(self._database))
        return frozenset((*found, *(key.fingerprint for key in self._keys)))

    def _lock_again(self) -> None:
        """Let searches have the files that no key opened; what a key opened and failed to prove stays so."""
        with transaction(self._database):
            self._database.execute(
                f"UPDATE files SET state = 'locked' WHERE {STILL_LOCKED} AND id NOT IN"
                " (SELECT item FROM records WHERE type = 'Problem' AND json_extract(body, '$.code') <> 'key')"
            )

    def _reopen(self) -> None:
        """Give files that no earlier key opened, or only in part, another chance."""
        withdraw_locked_beneath(self._case, self._all_keys())
        with transaction(self._database):
            journal.reopen(self._database, ("unlock", "databases"))
            self._database.execute(f"UPDATE files SET state = 'locked' WHERE {STILL_LOCKED}")

    def _list(self, source: Source) -> None:
        began = time.monotonic()
        store = open_store(source)
        count = size = 0
        batch: list[FileRef] = []
        try:
            for entry in store.files():
                if isinstance(entry, Problem):
                    with transaction(self._database):
                        files.store(self._database, "list", 0, [entry])
                    continue
                batch.append(entry)
                count, size = count + 1, size + entry.size
                if len(batch) == LISTED_AT_ONCE:
                    self._add(source, batch)
                    seconds = time.monotonic() - began
                    self._listener(Progress("list", count, 0, "files", source.id, size, seconds))
        finally:
            store.close()
        self._add(source, batch)
        self._case.mark_listed(source, count, size)
        self._finished("list", began, count, size)

    def _add(self, source: Source, batch: list[FileRef]) -> None:
        with transaction(self._database):
            if source.role == "evidence":
                files.add(self._database, batch)
            else:
                aids.add(self._database, source.role, batch)
        batch.clear()

    def _carve(self) -> None:
        """Carve the images that no earlier run has carved."""
        for source in images(self._case) if CARVE.name not in self._left_out else ():
            began = time.monotonic()
            count = carve_image(
                self._case, source, self._executor, self._listener, keys=bool(self._all_keys())
            )
            self._finished(CARVE.name, began, count, 0)

    def perform(self, step: Step) -> None:
        """Perform ``step`` on everything that waits for it."""
        began = time.monotonic()
        total, _ = step.total(self._database)
        if not total:
            return
        if step.anew:
            with transaction(self._database):
                files.forget(self._database, step.name)
        found = (secret.key for secret in found_keys.of(self._database) if not secret.item)
        surroundings = Surroundings(
            case=str(self._case.folder),
            sources=tuple(self._case.sources()),
            keys=tuple({key.fingerprint: key for key in (*self._keys, *found)}.values()),
            proven=files.proven_keys(self._database),
            described=described_in(self._case),
        )
        queue = Queue(step, step.items(self._database), self._item_seconds)
        done = size = problems = tried = 0
        item = ""
        for outcome in self._executor.run(surroundings, queue):
            if outcome:
                handled = self._handle(step, outcome, queue)
                done += len(handled)
                size += sum(size_of(each) for each in handled)
                tried += _tried(outcome.result)
                problems += sum(isinstance(outcome.result, Fate) for _ in handled)
                item = name_of(handled[-1]) if handled else item
                total = max(total, queue.total)
            seconds = time.monotonic() - began
            event = Progress(step.name, done, total, step.unit, item, size, seconds, problems, tried=tried)
            self._listener(event)
            if queue.over:
                break
        self._finished(step.name, began, done, size)

    def _finished(self, name: str, began: float, done: int, size: int) -> None:
        seconds = time.monotonic() - began
        self.times.append((name, seconds, done, size))
        self._listener(Progress(name, done, done, "files", "", size, seconds, finished=True))

    def _handle(self, step: Step, outcome: Outcome, queue: Queue) -> tuple[Item, ...]:
        """Store an outcome; return the items that are done with it."""
        task = outcome.task
        if isinstance(outcome.result, Done):
            self._store(step, task, outcome.result.records)
            queue.learn(outcome.result.seconds)
            if outcome.result.full:
                raise disk_full(outcome.result.full)
            return task.items
        if len(task.items) > 1:  # one of them did it: find out which
            queue.again(task)
            return ()
        with transaction(self._database):
            deaths = journal.death(self._database, step.name, task.numbers[0])
        if outcome.result is Fate.DIED and deaths < journal.DEATHS:
            queue.again(task)
            return ()
        self._store(step, task, ((_blame(task.items[0], outcome.result, deaths),),))
        return task.items

    def _store(self, step: Step, task: Task, records: tuple[tuple[Record, ...], ...]) -> None:
        """Store records, journal and chain in one transaction."""
        numbers = task.numbers[: len(records)]
        with transaction(self._database):
            for item, yielded in zip(task.items, records, strict=False):
                found_keys.keep(self._database, [each for each in yielded if isinstance(each, Secret)])
                records_left = [each for each in yielded if self._recorded(each)]
                files.store(self._database, step.name, _file_of(item), records_left)
                if any(isinstance(each, Output) for each in records_left):
                    reopen_repair(self._database, _file_of(item))
            if not step.anew:
                journal.finish(self._database, step.name, numbers)
            outputs = [each for yielded in records for record in yielded for each in _outputs_in(record)]
            if outputs:
                rows = [[path.decode("utf-8", "backslashreplace"), sha256] for path, sha256 in outputs]
                self._case.record("outputs", {"step": step.name, "outputs": rows})
        if outputs:
            self._case.publish()

    def _recorded(self, record: Record) -> bool:
        """Return whether ``record`` belongs into the case as it is, and is new there."""
        if isinstance(record, Described):
            return adopt(self._case, record)
        return not isinstance(record, Secret)


def _outputs_in(record: Record) -> list[tuple[bytes, str]]:
    """Return the path and SHA-256 of every output that ``record`` is or tells of."""
    output = record.output if isinstance(record, Mended) else record
    found = [(output.path, output.digests.sha256)] if isinstance(output, Output) else []
    if isinstance(record, Mended):
        found += zip(record.beside, record.beside_sha256, strict=True)
    return found


def _tried(result: Done | Fate) -> int:
    """Return how many keys the shards of a task tried."""
    records = result.records if isinstance(result, Done) else ()
    return sum(each.candidates for yielded in records for each in yielded if isinstance(each, Searched))


def _file_of(item: Item) -> int:
    """Return the file that an item's records are about, 0 where that is no single file."""
    match item:
        case FileRef():
            return item.id
        case LockedFile() | Delivery():
            return item.ref.id
        case DatabaseFile():
            return 0 if item.file.output else item.file.ref.id  # rows never take the place of a file
        case LockedGroup() | Target() | Shard() | Broken():
            return 0  # what is built anew never takes the place of a file either


def _blame(item: Item, fate: Fate, deaths: int) -> Problem:
    if fate is Fate.TIMEOUT:
        what = say("the file took longer than it may")
    else:
        what = say("{deaths} workers died on this file", deaths=deaths)
    return Problem(
        item=name_of(item),
        code="limit" if fate is Fate.TIMEOUT else "blamed",
        what=what,
        resolution=say("the file was passed over; the run went on with the others"),
    )
