"""Carves an image: looks at all of it, joins fragments, writes what was found; in parallel, resumable.

In the folder for outputs lie the carved files, by type, and ``carved.jsonl`` with a record of each. A run
that was interrupted goes on where it stopped: what was seen of the image is kept until all is written.
"""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import cast

import msgspec

from unransom import __version__
from unransom.case.database import disk_full
from unransom.core.hashing import Digests, digest
from unransom.core.outputs import FileReader, Outputs
from unransom.core.progress import Listener, Progress, silent
from unransom.core.records import Problem, Source
from unransom.core.spans import Span
from unransom.evidence import identify
from unransom.recover.carve.board import Board
from unransom.recover.carve.candidates import UNKNOWN, Candidate, candidates_of, with_gone
from unransom.recover.carve.found import Claims, Found, Proof, is_sure, resolve
from unransom.recover.carve.mapping import holdings, settle
from unransom.recover.carve.naming import Nameless, match, older
from unransom.recover.carve.reassembly import LIKELY, METHODS
from unransom.recover.carve.records import (
    Batch,
    Carved,
    Leads,
    Looked,
    Puzzle,
    Region,
    Target,
    decode,
    encode,
)
from unransom.recover.carve.shelf import Shelf
from unransom.recover.carve.signatures import SECTOR
from unransom.recover.carve.space import Space
from unransom.recover.carve.step import NAMED, UNNAMED, carved_of
from unransom.run import carve_known, hash_sets
from unransom.run.carve_space import Memory, Sized, blame, board_of, cluster_of, memory_of, place_of
from unransom.run.executor import Executor
from unransom.run.work import Done, Item, PartOfCarving, Surroundings, Task

STEP = "unransom.recover.carve.step"
SECONDS = 3600.0  # that a task may take
REGION = 256 << 20  # bytes of a region at most
SMALL_REGION = 4 << 20  # bytes of a region at least
BATCH_FILES, BATCH_BYTES = 64, 64 << 20  # of one task of writing
WORK = ".unransom-carve"  # folder below that of the outputs
HOLE = 16 << 20  # bytes of a hole in the image that is left out: no file reaches over it
LEADS = 256  # of one task
JOURNAL = "carved.jsonl"


class Job(msgspec.Struct, frozen=True):
    """What carving was asked to do.

    Attributes:
        image: The image, as it was named.
        out: Folder for outputs.
        least: The weakest proof of what is written.
        dry: Write nothing, only say what would come out.
        cluster: Bytes of a cluster, 0 to find out.
        whole: Search also what belongs to files that are still there.
        source: The image as a case knows it; None to find out what ``image`` is.
        known: What names are looked for; None for those of the image's own files.
        work: Folder for what an interrupted run leaves; None for one below ``out``.
        left_out: Sets of hashes of files that are not kept, and folders of such files.
    """

    image: str
    out: Path
    least: Proof = Proof.HEURISTIC
    dry: bool = False
    cluster: int = 0
    whole: bool = False
    source: Source | None = None
    known: tuple[Candidate, ...] | None = None
    work: Path | None = None
    left_out: tuple[Path, ...] = ()


class Outcome(msgspec.Struct, frozen=True):
    """What carving came to.

    Attributes:
        files: Records of the files; with a dry run without path, and without hashes unless sets of such ask.
        searched: Bytes that were looked at.
        problems: What could not be done.
        overwritten: Files that the file system remembers, and whose place is another's by now.
        empty: The file systems have free space, and all of it is zeros.
        known: Files that were not kept, or would not be, as a set of hashes has them.
        matched: Of files that were matched, by what they are called by: the number in ``Job.known``.
        holds: What was looked at, in bytes, see `holdings`.
    """

    files: tuple[Carved, ...]
    searched: int
    problems: tuple[Problem, ...]
    overwritten: int = 0
    empty: bool = False
    known: int = 0
    matched: dict[bytes, int] = {}
    holds: dict[str, int] = {}

    def by_proof(self) -> Counter[str]:
        """Return how many files there are of each level of proof."""
        return Counter(each.proof for each in self.files)


class Carving:
    """One search."""

    def __init__(self, job: Job, executor: Executor, listener: Listener = silent) -> None:
        self._job = job
        self._executor = executor
        self._listener = listener
        self._source = job.source or _source(job.image)
        self._place = place_of(self._source, job.cluster or 4096, HOLE, whole=job.whole)
        self._memory = Memory()
        self._target = self._place.target
        self._size = sum(len(span) for span in self._target.spans)
        self._work = job.work or job.out / WORK
        self._problems: list[Problem] = []

    def run(self) -> Outcome:
        """Search the image and write what is found."""
        self._job.out.mkdir(parents=True, exist_ok=True)
        folders = [path for path in self._job.left_out if path.is_dir()]
        shelf = Shelf(self._work, f"{__version__} {self._target} {folders}")
        looked = self._look(shelf)
        if not self._job.cluster and (cluster := cluster_of(looked)) != self._target.cluster:
            self._target = msgspec.structs.replace(self._target, cluster=cluster)
            looked = self._look(shelf)
        settle(looked)
        empty = self._place.free is not None and not any(each.scan.classes.any() for each in looked)
        self._memory = memory_of(self._source, self._place, looked)
        files = self._assembled(shelf, looked, self._traced(shelf))
        matched = self._name(files)
        files = [found for found in files if found.proof >= self._job.least]
        written = self._foretold(files) if self._job.dry else self._write(files)
        kept = self._kept(written)
        outcome = Outcome(
            tuple(kept),
            self._size,
            tuple(self._problems),
            self._memory.overwritten,
            empty,
            len(written) - len(kept),
            matched,
            holdings(looked),
        )
        shutil.rmtree(self._work)
        return outcome

    def _traced(self, shelf: Shelf) -> list[Found]:
        """Return the files that still lie where the file systems say."""
        found = shelf.found("leads")
        if found is None:
            leads = [lead for lead in self._memory.leads if lead.spans or lead.content]
            parts = (leads[at : at + LEADS] for at in range(0, len(leads), LEADS))
            items = (Leads(target=self._target, leads=tuple(part)) for part in parts)
            found = tuple(each for each in self._perform("pursue", items) if isinstance(each, Found))
            shelf.put_found("leads", found)
        return list(found)

    def _name(self, files: list[Found]) -> dict[bytes, int]:
        """Give files their paths; return which candidates they were matched with, by path."""
        known = self._job.known
        if known is None:
            known = tuple(candidates_of(self._place.listed))
        space = self._space
        left = (lead for lead in self._memory.leads if lead.path and not lead.spans and not lead.content)
        gone = (Candidate(each.path, each.size or 0, each.deleted or UNKNOWN, own=True) for each in left)
        every = with_gone(known, gone)
        starts = (next(iter(space.extents(each.spans[:1])), Span(0, 0)).start for each in files)
        carvings = [
            Nameless(each.format, each.size, start, each.path, each.extension, each.modified or 0, each.slack)
            for each, start in zip(files, starts, strict=True)
        ]
        matched: dict[bytes, int] = {}
        matches = match(carvings, every, self._target.cluster)
        for number in older(carvings, known, matches) if self._job.source else ():
            files[number].path, files[number].named_by = b"", ""
        for number, (candidate, how, more) in matches.items():
            found = files[number]
            if how == "order" and self._job.source:
                continue  # a name that is only likely is no reason not to unlock the file of that name
            found.named_by = found.named_by or how
            found.path = every[candidate].path
            found.lengthen(more)
            if candidate < len(known):
                matched[found.path] = candidate
        return matched

    def _look(self, shelf: Shelf) -> list[Looked]:
        """Look at every region that was not looked at yet; return what was seen, in order."""
        spans = _regions(self._size, self._target.cluster, self._executor.workers)
        seen = {span: shelf.looked(span, self._target.cluster) for span in spans}
        missing = [span for span, looked in seen.items() if looked is None]
        listed = () if self._job.whole else self._place.listed
        there = carve_known.There(listed, self._job.left_out, self._target.cluster, self._size)
        known = carve_known.learn(there, shelf.folder, self._perform) if missing else ""
        left = [Region(target=self._target, span=span, known=known) for span in missing]
        done = self._size - sum(len(region.span) for region in left)
        began = time.monotonic()
        for record in self._perform("look", left):
            if isinstance(record, Looked):
                shelf.put_looked(record)
                seen[record.scan.span] = record
                done += len(record.scan.span)
                self._tell("look", done, self._size, began)
        return [looked for looked in seen.values() if looked is not None]

    def _assembled(self, shelf: Shelf, looked: list[Looked], traced: list[Found]) -> list[Found]:
        """Put fragments together, what is proven by more first; return all files that stay."""
        wholes = [*traced, *(found for each in looked for found in each.found)]
        if not looked:
            return resolve(wholes, Claims(self._size, self._target.cluster))
        every = [found for found in wholes if is_sure(found)]
        weak = [found for found in wholes if not is_sure(found)]
        board = board_of(looked, Claims(self._size, self._target.cluster))
        places = (self._space.inside([span]) or [] for span in self._memory.remains)
        remains = [place for each in places for place in each]
        began = time.monotonic()
        for number, method in enumerate(METHODS):
            if method in LIKELY:
                every, weak = every + weak, []
            board.claims = Claims(self._size, self._target.cluster)
            every = resolve(every, board.claims)
            board.claims.add(remains)
            every += self._join(shelf, board, method)
            self._tell("join", number + 1, len(METHODS), began, unit="parts")
        return resolve(every, Claims(self._size, self._target.cluster))

    def _join(self, shelf: Shelf, board: Board, method: str) -> tuple[Found, ...]:
        """Return the files that one method puts together."""
        found = shelf.found(method)
        if found is None:
            folder, parts = self._work / "board", self._executor.workers
            board.save(folder)
            puzzles = (
                Puzzle(target=self._target, board=str(folder), method=method, part=part, parts=parts)
                for part in range(parts)
            )
            found = tuple(each for each in self._perform("join", puzzles) if isinstance(each, Found))
            shelf.put_found(method, found)
        return found

    def _write(self, files: list[Found]) -> list[Carved]:
        """Write the files that an earlier run has not written; return the records of all."""
        journal = (self._job.work or self._job.out) / JOURNAL
        wanted = {(tuple(self._space.extents(found.spans)), found.path): found for found in files}
        written = [each for each in _read(journal) if _key(each) in wanted and self._is_there(each)]
        for each in written:
            del wanted[_key(each)]
        total, done, began = len(files), len(written), time.monotonic()
        outputs = Outputs(self._job.out, self._work, self._job.out)
        with journal.open("wb") as lines:
            lines.writelines(encode(each) + b"\n" for each in written)
            for record in self._perform("write", _batches(self._target, wanted.values())):
                if isinstance(record, Carved):
                    carved = self._placed(record, outputs)
                    lines.write(encode(carved) + b"\n")
                    lines.flush()
                    written.append(carved)
                    done += 1
                    self._tell("write", done, total, began, unit="files")
        os.sync()  # once: to flush every file by itself takes longer than all else
        return written

    def _kept(self, written: list[Carved]) -> list[Carved]:
        """Remove what a set of hashes has; return the rest."""
        if not self._job.left_out:
            return written
        dropped = hash_sets.known(self._job.left_out, [each.digests for each in written])
        kept = [each for each in written if each.digests.sha256 not in dropped]
        if self._job.dry:
            return kept
        for each in written:
            if each.digests.sha256 in dropped:
                (self._job.out / os.fsdecode(each.path)).unlink(missing_ok=True)
        draft = self._work / JOURNAL
        draft.write_bytes(b"".join(encode(each) + b"\n" for each in kept))
        draft.replace(self._job.out / JOURNAL)
        return kept

    def _placed(self, record: Carved, outputs: Outputs) -> Carved:
        """Move a file from the folder of work to its place; return its record."""
        draft = self._work / "case" / os.fsdecode(record.path)
        path = record.path.removeprefix(b"recovered/")
        if self._job.source is None:
            path = path.removeprefix(UNNAMED)
        elif path.startswith(NAMED):
            path = self._source.id.encode() + b"/" + path.removeprefix(NAMED)
        path = outputs.place(os.fsencode(draft), path, record.digests)
        draft.unlink()
        return msgspec.structs.replace(record, path=path.removeprefix(b"./"))

    def _is_there(self, carved: Carved) -> bool:
        path = self._job.out / os.fsdecode(carved.path)
        if not path.is_file() or path.stat().st_size != carved.digests.size:
            return False
        with FileReader(path) as reader:
            return digest(reader) == carved.digests

    @cached_property
    def _space(self) -> Space:
        return Space(Sized(self._target.ref.size), self._target.spans)

    def _foretold(self, files: list[Found]) -> list[Carved]:
        """Return records of files as they would be written, with hashes where sets of such ask for them."""
        if self._job.left_out:
            batches = _batches(self._target, files, dry=True)
            return [each for each in self._perform("write", batches) if isinstance(each, Carved)]
        space = self._space
        unread = (Digests(found.size, "", "", "") for found in files)
        return [
            carved_of(self._target, found, space, b"", digests)
            for found, digests in zip(files, unread, strict=True)
        ]

    def _perform(self, function: str, items: Iterable[PartOfCarving]) -> Iterator[object]:
        """Perform one turn of the step on every item; yield what comes of it."""
        surroundings = Surroundings(case=str(self._work / "case"), sources=(self._source,))
        tasks = (
            Task(
                step="carve",
                perform=f"{STEP}:{function}",
                numbers=(number,),
                items=(cast("Item", item),),
                seconds=SECONDS,
            )
            for number, item in enumerate(items)
        )
        for outcome in self._executor.run(surroundings, tasks):
            if outcome is None:
                continue
            if isinstance(outcome.result, Done):
                if outcome.result.full:
                    raise disk_full(outcome.result.full)
                for records in outcome.result.records:
                    self._problems += [each for each in records if isinstance(each, Problem)]
                    yield from records
            else:
                self._problems.append(blame(function, outcome.result))

    def _tell(self, name: str, done: int, total: int, began: float, unit: str = "bytes") -> None:
        seconds = time.monotonic() - began
        self._listener(Progress(name, done, total, unit, "", done, seconds, finished=done >= total))


def _source(image: str) -> Source:
    """Return the image as a source: the disk in it, or bytes that are searched as they are."""
    named = identify(image)
    return named if named.kind == "image" else msgspec.structs.replace(named, kind="file")


def _regions(size: int, cluster: int, workers: int) -> list[Span]:
    step = min(REGION, max(SMALL_REGION, size // (8 * workers)))
    step -= step % max(cluster, SECTOR)
    return [Span(start, min(start + step, size)) for start in range(0, size, step)]


def _batches(target: Target, files: Iterable[Found], *, dry: bool = False) -> Iterator[Batch]:
    batch: list[Found] = []
    size = 0
    for found in files:
        batch.append(found)
        size += found.size
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield Batch(target=target, found=tuple(batch), dry=dry)
            batch, size = [], 0
    if batch:
        yield Batch(target=target, found=tuple(batch), dry=dry)


def _key(carved: Carved) -> tuple[tuple[Span, ...], bytes]:
    return carved.extents, carved.original


def _read(journal: Path) -> list[Carved]:
    """Return the records of an earlier run; the last line may be cut off."""
    lines = journal.read_bytes().splitlines(keepends=True) if journal.exists() else []
    return [decode(line) for line in lines if line.endswith(b"\n")]


def carve(job: Job, executor: Executor, listener: Listener = silent) -> Outcome:
    """Carve an image; see `Carving`."""
    return Carving(job, executor, listener).run()
