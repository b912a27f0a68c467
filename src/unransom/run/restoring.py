"""Restores from a case: what may move, the plan, the acts, and what the evidence chain is told of them."""

from __future__ import annotations

import contextlib
import fnmatch
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from unransom.case.case import Case
from unransom.case.chain import Facts
from unransom.case.database import transaction
from unransom.case.files import message
from unransom.core.clock import now_ns, rfc3339
from unransom.core.errors import UnransomError, UsageError
from unransom.core.hashing import digest
from unransom.core.messages import say
from unransom.core.outputs import FileReader
from unransom.core.paths import as_named
from unransom.core.progress import Listener, silent
from unransom.core.records import Grade
from unransom.core.text import shown
from unransom.restore.moving import move
from unransom.restore.moving.journal import Journal, Signed, State
from unransom.restore.moving.place import Room, Throttle
from unransom.restore.moving.plan import KIND, OUT, Batch, Entry, Head, Plan, texts, write_plan
from unransom.restore.moving.priority import Priorities, fits, in_batches
from unransom.restore.moving.scan import Scanner
from unransom.restore.moving.targets import is_database, open_place
from unransom.run.approvals import require_approval

RECOVERED = b"recovered/"
FOLDER = "restore"  # of the case


class Wish(NamedTuple):
    """What a plan is made by.

    Attributes:
        to: The target, as ``location_of`` gives it.
        priorities: What moves first.
        accepted: Patterns of paths that move though they are not shown to be good, each with the reason.
        only: Patterns of paths; all where empty.
        below: For the id of a source, the folder of the target that its files go to, "" for the target.
        tables: SQL scripts of ``unransom databases``, for a database.
    """

    to: str
    priorities: Priorities
    accepted: Sequence[tuple[str, str]] = ()
    only: Sequence[str] = ()
    below: Mapping[str, str] = MappingProxyType({})
    tables: Sequence[Path] = ()


class Standing(NamedTuple):
    """How a batch stands: its files by state, and who has signed it."""

    batch: Batch
    counts: dict[State, int]
    signed: Signed

    @property
    def waiting(self) -> int:
        """Files that nothing has become of yet."""
        ended = sum(count for state, count in self.counts.items() if state not in {State.CLEAN, State.BEGUN})
        return self.batch.files - ended

    @property
    def word(self) -> str:
        """Where it stands, in one word."""
        if self.signed.undone and not self.signed.applied:
            return "undone"
        if self.signed.signed_by:
            return "signed"
        if self.signed.applied:
            return "applied"
        return "begun" if self.counts else "waiting"


# The plan


def default_plan(case: Path) -> Path:
    """Return where the plan of a case is, where no other is named."""
    return case / FOLDER / "plan.jsonl"


def make_plan(case: Case, wish: Wish, path: Path) -> Plan:
    """Write a plan to ``path`` and tell the chain.

    Raises:
        UsageError: A plan that is being carried out is there.
    """
    _require_unused(case, path)
    entries = list(_table_entries(case, wish) if is_database(wish.to) else _entries(case, wish))
    entries = list(_single(entries))
    batches, ordered = in_batches(entries, wish.priorities, datetime.now(UTC))
    out = sum(entry.batch == OUT for entry in ordered)
    head = Head(KIND, 1, case.fact("name"), wish.to, batches, out)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".unransom-{path.name}")
    write_plan(draft, head, ordered)
    draft.replace(path)
    plan = Plan(path)
    moving = [entry for entry in ordered if entry.batch != OUT]
    told(
        case,
        "restore planned",
        {
            "plan": plan.id,
            "target": wish.to,
            "batches": len(batches),
            "files": len(moving),
            "bytes": sum(entry.size for entry in moving),
            "left out": out,
            "accepted": [[entry.path, entry.accepted] for entry in moving if entry.accepted],
        },
    )
    return plan


def _require_unused(case: Case, path: Path) -> None:
    """Make sure that no plan is at ``path`` that files were moved by.

    Raises:
        UsageError: There is one.
    """
    try:
        journal = journal_path(case.folder, Plan(path))
    except UnransomError:
        return  # what is no plan has moved nothing
    if not journal.exists():
        return
    with contextlib.closing(Journal(journal)) as opened:
        if opened.counts().keys() - {State.CLEAN, State.HELD}:
            raise UsageError(
                say("a plan is there that files were moved by"),
                hint=say("undo it, or name another file with --plan"),
            )


def _entries(case: Case, wish: Wish) -> Iterator[Entry]:
    """Yield what came back, as files that move or stay out."""
    query = (
        "SELECT source, path, output, output_size, sha256, md5, modified, verdict, why FROM files"
        " WHERE output IS NOT NULL ORDER BY id"
    )
    for source, named, output, size, sha256, md5, modified, verdict, why in case.database.execute(query):
        # A case keeps names that Windows takes, too; the file gets its own back.
        below = as_named(output.removeprefix(RECOVERED), source.encode() + b"/" + named)
        if source in wish.below and below.startswith(source.encode() + b"/"):
            folder = wish.below[source].strip("/").encode()
            below = (folder + b"/" if folder else b"") + below.partition(b"/")[2]
        path, path_b64 = texts(below, shown(below))
        if wish.only and not fits(path, wish.only):
            continue
        origin, origin_b64 = texts(output, shown(output))
        entry = Entry(1, path, origin, size, sha256, md5, modified, path_b64, origin_b64)
        yield _judged(entry, verdict, message(why), wish.accepted)


def _judged(entry: Entry, verdict: str | None, why: object, accepted: Sequence[tuple[str, str]]) -> Entry:
    """Return the entry as one that moves, or that stays out with its verdict."""
    if verdict == Grade.GOOD:
        return entry
    for pattern, reason in accepted:
        if entry.path == pattern or fits(entry.path, [pattern]):
            return msgspec.structs.replace(entry, accepted=reason, verdict=verdict or "unknown")
    return msgspec.structs.replace(entry, batch=OUT, verdict=verdict or "unknown", why=why)


def _single(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the entries; of several that go to one place the first moves."""
    taken: set[bytes] = set()
    for entry in entries:
        if entry.batch != OUT and entry.target in taken:
            why = say("another file goes to the same place")
            yield msgspec.structs.replace(entry, batch=OUT, why=why)
            continue
        if entry.batch != OUT:
            taken.add(entry.target)
        yield entry


def _table_entries(case: Case, wish: Wish) -> Iterator[Entry]:
    """Yield the tables of SQL scripts."""
    from unransom.restore.moving.scripts import tables_of  # noqa: PLC0415 only for databases

    for script in wish.tables:
        folder = case.folder / FOLDER / "tables"
        folder.mkdir(parents=True, exist_ok=True)
        for table in tables_of(script, folder):
            if wish.only and not any(fnmatch.fnmatchcase(table.name, pattern) for pattern in wish.only):
                continue
            with FileReader(table.path) as reader:
                digests = digest(reader)
            origin = str(table.path.relative_to(case.folder))
            entry = Entry(1, table.name, origin, digests.size, digests.sha256, digests.md5)
            yield _judged(entry, table.verdict, table.why, wish.accepted)


# The acts


def journal_path(folder: Path, plan: Plan) -> Path:
    """Return where the journal of a plan is."""
    return folder / FOLDER / plan.id[:16] / "journal.sqlite"


class Settings(NamedTuple):
    """How acts are carried out.

    Attributes:
        workers: Threads.
        bandwidth: Bytes a second, 0 for any number.
        listener: Told how far it is.
    """

    workers: int = 4
    bandwidth: int = 0
    listener: Listener = silent


@contextlib.contextmanager
def opened(case: Case, path: Path, settings: Settings, to: str = "") -> Iterator[move.Work]:
    """Give what acts on a plan need: its target is opened, its journal, and a copy of it is kept.

    Raises:
        UsageError: It is a plan for another target.
    """
    plan = Plan(path)
    if to and to != plan.head.target:
        raise UsageError(say("the plan is for {target}", target=plan.head.target))
    kept = journal_path(case.folder, plan).with_name("plan.jsonl")
    kept.parent.mkdir(parents=True, exist_ok=True)
    if not kept.exists():
        shutil.copyfile(path, kept)
    throttle = Throttle(settings.bandwidth)
    with contextlib.ExitStack() as stack:
        journal = stack.enter_context(contextlib.closing(Journal(journal_path(case.folder, plan))))
        work = move.Work(
            plan,
            lambda: open_place(plan.head.target, plan.id, throttle, settings.workers),
            journal,
            case.folder,
            workers=settings.workers,
            listener=settings.listener,
        )
        yield stack.enter_context(contextlib.closing(work))


def room_for(plan: Plan, room: Room, batch: int | None = None) -> bool:
    """Return whether the target has room for a batch, or for all, as far as it says what is free."""
    batches = [each for each in plan.batches if batch in {None, each.number}]
    size, files = sum(each.size for each in batches), sum(each.files for each in batches)
    return (room.size is None or size <= room.size) and (room.files is None or files <= room.files)


def apply(
    case: Case, work: move.Work, batch: int, scanners: Sequence[Scanner], unscanned: str = ""
) -> Standing:
    """Scan and move a batch, and tell the chain what came of it.

    Raises:
        UsageError: It is not its turn, it is not approved, or nothing can scan.
        TargetFullError: There is no room.
    """
    move.require_turn(work.plan, work.journal, batch)
    require_approval(case, f"restore {work.plan.id}")
    if not scanners and not unscanned:
        raise UsageError(
            say("nothing here can scan the files before they go back"),
            hint=say("install unransom[restore] or ClamAV, or say with --unscanned why they need no scan"),
        )
    before = standing(work, batch)
    _require_room(work, before)
    names = "; ".join(scanner.name for scanner in scanners)
    if before.signed.scanners != names:
        work.journal.forget_scans(batch)
    work.journal.sign(batch, before.signed._replace(scanners=names, undone=""))
    move.scan(work, batch, scanners)
    outcome = "stopped"
    try:
        move.apply(work, batch)
        outcome = "done"
    finally:
        after = standing(work, batch)
        if outcome == "done" and not after.waiting and not after.counts.get(State.FAILED):
            work.journal.sign(batch, after.signed._replace(applied=rfc3339(now_ns())))
        _tell_applied(case, work, batch, outcome, names or f"none: {unscanned}")
    return standing(work, batch)


def _require_room(work: move.Work, before: Standing) -> None:
    """Make sure that what waits fits in.

    Raises:
        TargetFullError: It does not.
    """
    room = work.place.room()
    moved = sum(before.counts.get(state, 0) for state in (State.MOVED, State.PRESENT))
    share = 1 - moved / before.batch.files if before.batch.files else 0
    if room.size is not None and before.batch.size * share > room.size:
        needed, free = f"{before.batch.size * share:,.0f}", f"{room.size:,}"
        raise move.TargetFullError(f"{needed} > {free} bytes")
    if room.files is not None and before.waiting > room.files:
        raise move.TargetFullError(f"{before.waiting:,} > {room.files:,} files")


def _tell_applied(case: Case, work: move.Work, batch: int, outcome: str, scanners: str) -> None:
    now = standing(work, batch)
    numbers = {row.number: row for row in work.journal.told([State.HELD, State.FAILED])}
    odd = [[entry.path, str(numbers[n].why)] for n, entry in work.plan.entries(batch) if n in numbers]
    facts: dict[str, str | int | list[list[str]]] = {
        "plan": work.plan.id,
        "batch": batch,
        "target": work.plan.head.target,
        "outcome": outcome,
        "scanned with": scanners,
        "held or failed": odd,
    }
    told(
        case, "restore applied", facts | {f"{state.value} files": now.counts.get(state, 0) for state in State}
    )


def standing(work: move.Work, batch: int) -> Standing:
    """Return how a batch stands."""
    return Standing(work.plan.batch(batch), work.journal.counts(batch), work.journal.signed(batch))


def standings(work: move.Work) -> list[Standing]:
    """Return how all batches stand."""
    return [standing(work, batch.number) for batch in work.plan.batches]


def sign(case: Case, work: move.Work, batch: int, name: str, note: str) -> None:
    """Sign a batch off, so that the next may move.

    Raises:
        UsageError: It is not done.
    """
    now = standing(work, batch)
    if not now.signed.applied:
        raise UsageError(
            say("batch {number} is not done: it cannot be signed off", number=batch),
            hint=say("apply it; where files fail, find out why, and apply it again"),
        )
    signed = now.signed._replace(signed_by=name, signed=rfc3339(now_ns()), note=note)
    work.journal.sign(batch, signed)
    told(
        case,
        "restore signed off",
        {"plan": work.plan.id, "batch": batch, "signed by": name, "note": note},
    )


def undo(case: Case, work: move.Work, batch: int) -> Standing:
    """Take a batch back, and tell the chain."""
    move.undo(work, batch)
    now = standing(work, batch)
    whole = not now.counts.keys() & {State.KEPT, State.FAILED, State.BACK}
    work.journal.sign(batch, Signed(undone=rfc3339(now_ns()) if whole else ""))
    told(
        case,
        "restore undone",
        {
            "plan": work.plan.id,
            "batch": batch,
            "target": work.plan.head.target,
            "kept": now.counts.get(State.KEPT, 0),
            "failed": now.counts.get(State.FAILED, 0) + now.counts.get(State.BACK, 0),
        },
    )
    return standing(work, batch)


def verify(case: Case, work: move.Work, batch: int | None) -> Iterator[move.Checked]:
    """Read the target again; yield what is there, and tell the chain how much of it is right."""
    good = bad = 0
    for checked in move.verify(work, batch):
        good, bad = good + (checked.why is None), bad + (checked.why is not None)
        yield checked
    about = "all" if batch is None else str(batch)
    told(case, "restore verified", {"plan": work.plan.id, "batch": about, "good": good, "bad": bad})


def told(case: Case, act: str, facts: Facts) -> None:
    """Write an act into the evidence chain."""
    with transaction(case.database):
        case.record(act, facts)
    case.publish()
