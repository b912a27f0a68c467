"""What is searched for which files, in which order, and when a search is over."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import NamedTuple

import msgspec

from unransom.case import aids, files
from unransom.catalog.families import SEALED
from unransom.core.records import FileRef
from unransom.core.searches import AttackPlan, Pair, SchemeGuess, Searched, Shard, Stage, Target
from unransom.recover.keys.attacks import attack
from unransom.run.left_behind import left_behind
from unransom.run.solved import SOLVED, Solved

SAMPLES = 24  # files of a group that keys are tried on
OTHERS = 176  # more files, for what many tell together
SHORT = 512  # bytes of a file that only may be locked: no search could prove its key
LARGEST_SAMPLE = 16 << 20  # bytes; larger ones come last
PAIRS = 8192  # of a group
TAIL = 2048  # bytes that a locker may add to a file
KNOWN = 4096  # originals that a target is given
INTACT = 500_000  # intact files that are looked at for the name of a locked one
SPARED = 4  # of them that are taken for one locked file
QUICK = 120.0  # seconds of one core that a stage of a search may take which comes first
SLIGHTEST = 1e-9  # chance, for what promises nothing
GRACE = 30.0  # seconds that what is searched when the time of searches ends may go on
TRIED = 4  # files of a group that a search for each file is tried on in full before it is given up

Intact = dict[bytes, list[tuple[int, int]]]  # number and size of intact files, by name

# Fact of the case: seconds that searches may take in this run, and once they have begun, when they must end.
BUDGET = "budget"

LOCKED = "(state = 'locked' OR state = 'unknown' AND json_extract(body, '$.candidates[0]') IS NOT NULL)"
CARVED = "(method = 'carve' AND json_extract(body, '$.state') = 'locked')"  # its original was carved
OF_FAMILY = (
    "(family = :family OR family IS NULL AND (:family = '' OR EXISTS"
    " (SELECT 1 FROM json_each(body, '$.candidates') WHERE value = :family)))"
)


def groups(database: sqlite3.Connection) -> Iterator[tuple[str, int, int]]:
    """Yield family, files and bytes of what is locked; last, as "", all that no family is sure of.

    A file without a family counts for each that it may be of, and for "".
    """
    query = (
        "SELECT family, count(*), sum(size) FROM (SELECT coalesce(family, each.value) AS family, size"
        f" FROM files LEFT JOIN json_each(body, '$.candidates') AS each ON family IS NULL WHERE {LOCKED}"
        f" UNION ALL SELECT '', size FROM files WHERE {LOCKED} AND family IS NULL)"
        " WHERE family IS NOT NULL GROUP BY family ORDER BY family = '', family"
    )
    yield from database.execute(query).fetchall()


def samples(
    database: sqlite3.Connection, family: str, count: int = SAMPLES, above: int = 0
) -> tuple[FileRef, ...]:
    """Return files to try keys on: of formats that prove most, neither tiny nor large.

    Of those that only may be locked, only such of more than ``above`` bytes.
    """
    rows = database.execute(
        f"SELECT id, body FROM files WHERE {LOCKED} AND {OF_FAMILY} AND id NOT IN ({SOLVED})"
        " AND size > iif(state = 'locked', 0, :above)"
        " ORDER BY size > :most, format IN ('', 'text', 'csv'), abs(size - 65536), id LIMIT :count",
        {"family": family, "most": LARGEST_SAMPLE, "count": count, "above": above},
    )
    decode = msgspec.json.Decoder(FileRef).decode
    return tuple(msgspec.structs.replace(decode(body), id=number) for number, body in rows)


def unsolved(database: sqlite3.Connection) -> Iterator[tuple[str, int, int, tuple[FileRef, ...]]]:
    """Yield what is locked and has no key yet: family, files, bytes, and some of the files."""
    proven = files.proven_keys(database)
    for family, count, size in groups(database):
        chosen = samples(database, family, SAMPLES + OTHERS, SHORT)
        if chosen and family not in proven:
            yield family, count, size, chosen


def targets(database: sqlite3.Connection) -> Iterator[Target]:
    """Yield what is ``unsolved`` as targets of attacks."""
    dumps = tuple(aids.select(database, "memory"))
    known = tuple(islice(aids.select(database, "known"), KNOWN))
    guesses = {each.family: each for each in files.records_of(database, SchemeGuess)}
    matched: dict[str, list[Pair]] = {}
    for pair in files.records_of(database, Pair):
        matched.setdefault(pair.locked.family or "", []).append(pair)
    waiting = list(unsolved(database))
    intact = _intact(database) if waiting else {}
    left = left_behind(database) if waiting else ()
    for family, count, size, chosen in waiting:
        yield Target(
            family=family,
            samples=chosen[:SAMPLES],
            others=chosen[SAMPLES:],
            files=count,
            size=size,
            pairs=tuple(matched.get(family, ())) + pairs(database, family, intact),
            dumps=dumps,
            left=left,
            guess=guesses.get(family),
            known=originals(database) if family in SEALED else known,
        )


def originals(database: sqlite3.Connection) -> tuple[FileRef, ...]:
    """Return what may lie in a sealed file: from ``--known``, and what is intact in the evidence."""
    intact = files.select(database, "state = 'intact' AND size BETWEEN 1 AND :most", most=LARGEST_SAMPLE)
    return tuple(islice(chain(aids.select(database, "known"), intact), KNOWN))


def pairs(database: sqlite3.Connection, family: str, intact: Intact | None = None) -> tuple[Pair, ...]:
    """Return locked files with originals: from ``--known``, carved, or intact in the evidence.

    Args:
        database: Of the case.
        family: Of the locked files.
        intact: What ``_intact`` returns, where it is at hand: it is the same for all families.
    """
    found: list[Pair] = []
    where = f"({LOCKED} OR {CARVED}) AND {OF_FAMILY}"
    intact = _intact(database) if intact is None else intact
    for locked in files.select(database, where, family=family):
        name = (locked.original or locked.path).rpartition(b"/")[2]
        sizes = range(max(locked.size - TAIL, 1), locked.size + 1)
        for plain in aids.alike(database, "known", name, sizes):
            how = "name" if plain.name == name else "size"
            found.append(Pair(locked=locked, plain=plain, how=how))
        spared = [number for number, size in intact.get(name, ()) if size in sizes][:SPARED]
        for plain in files.select(database, f"id IN ({','.join(map(str, spared))})") if spared else ():
            same = plain.path == (locked.original or locked.path) or len(spared) == 1
            how = "name" if same else "size"  # names that many files have say little
            found.append(Pair(locked=locked, plain=plain, how=how))
    found.sort(key=lambda pair: (pair.how != "name", -pair.plain.size))
    return tuple(found[:PAIRS])


def _intact(database: sqlite3.Connection) -> Intact:
    """Return the intact files by name: older versions, copies elsewhere, deleted files."""
    found: Intact = {}
    rows = database.execute(
        "SELECT id, path, size FROM files WHERE state = 'intact' ORDER BY id LIMIT ?", (INTACT,)
    )
    for number, path, size in rows:
        found.setdefault(bytes(path).rpartition(b"/")[2], []).append((number, size))
    return found


def time_left(database: sqlite3.Connection, now: float) -> float:
    """Return the seconds that searches may still take in this run, at ``now`` by the clock; 0 for none."""
    seconds, *end = _budget(database) or (0.0,)
    return max(0.0, end[0] - now if end else seconds)


def _budget(database: sqlite3.Connection) -> tuple[float, ...]:
    row = database.execute("SELECT value FROM facts WHERE name = ?", (BUDGET,)).fetchone()
    return tuple(map(float, row[0].split())) if row else ()


def _end_of(database: sqlite3.Connection, now: float) -> float:
    """Return when the searches of this run must end: the first of them begins the time of all."""
    seconds, *end = _budget(database) or (0.0,)
    if end:
        return end[0]
    database.execute("UPDATE facts SET value = ? WHERE name = ?", (f"{seconds} {now + seconds}", BUDGET))
    return now + seconds


class _Turn(NamedTuple):
    """Shards of a search that come one after the other, before another search has its turn.

    Attributes:
        plan: The search.
        shards: Their numbers.
        price: Seconds of one core for each key that they may be expected to find.
        files: Which of those that the search is for, where it is for each file.
    """

    plan: AttackPlan
    shards: range
    price: float
    files: slice = slice(None)


def _turns(plan: AttackPlan, longest: float) -> Iterator[_Turn]:
    """Yield the turns of ``plan`` that take at most ``longest`` seconds of one core each."""
    first, price = 1, 0.0
    apart = plan.each and attack(plan.attack).apart
    times = TRIED if plan.each and not apart else 1
    for stage in plan.stages or (Stage(plan.shards, plan.seconds, plan.chance),):
        # Never before an earlier one.
        price = max(price, times * stage.seconds / max(stage.chance, SLIGHTEST))
        if stage.seconds > longest:
            return
        shards = range(first, first + stage.shards)
        if apart:  # where none of a few gave way, the others are less likely to
            yield _Turn(plan, shards, price, slice(TRIED))
            yield _Turn(plan, shards, price * TRIED, slice(TRIED, None))
        else:
            yield _Turn(plan, shards, price)
        first += stage.shards


def stand_ins(plan: AttackPlan, target: Target) -> tuple[FileRef, ...]:
    """Return the files that a search for each file is tried on without a hint of a neighbour.

    Where all files have one flaw or none, a few are enough; where something else is known of each, an early
    end would miss those that give way.
    """
    if attack(plan.attack).apart:
        return target.samples + target.others
    return target.samples[:TRIED]


class Search:
    """The shards of all searches that are worth their cost, the most promising first.

    What is found while shards are being searched ends the searches that it answers: shards are made one
    by one as workers become free. An iterator that may have more after it said that it has none: a key
    that was found meanwhile says where to look for others.

    Attributes:
        end: When no shard is begun any more, by the clock.
    """

    def __init__(
        self, database: sqlite3.Connection, longest: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Plan on what is stored.

        Args:
            database: Of the case. Its budget is in seconds of the clock that ``now`` reads.
            longest: Stages of searches that take more seconds of one core are left out.
            now: The clock.
        """
        self._database = database
        self._now = now
        self.end = _end_of(database, now())
        every = files.records_of(database, AttackPlan)
        turns = (turn for plan in every if plan.shards for turn in _turns(plan, longest))
        self._turns = sorted(turns, key=lambda turn: turn.price)
        self._targets = {target.family: target for target in targets(database)} if self._turns else {}
        self._given: set[int] = set()
        self._solved = Solved(database)
        self._known = self._solved.count()
        self._told = self._solved.tellers()
        self._pass = self._shards()

    @property
    def total(self) -> int:
        """Shards, as far as they can be told: no search ends early, and no neighbour needs more than one.

        It grows with the files that give way, whose neighbours are tried.
        """
        return max(sum(map(self._parts_of, self._turns)), len(self._given) + self._asked())

    def _parts_of(self, turn: _Turn) -> int:
        target = self._targets.get(turn.plan.family)
        if target is None or not turn.plan.each:
            return len(turn.shards)
        return len(turn.shards) * len(stand_ins(turn.plan, target)[turn.files])

    def _asked(self) -> int:
        """Return how many files wait that neighbours have a clue for."""
        where = f"SELECT count(*) FROM files WHERE {LOCKED} AND {OF_FAMILY} AND id NOT IN ({SOLVED})"
        plans = (turn.plan for turn in self._turns if turn.plan.each and turn.plan.family in self._targets)
        families = {plan.family for plan in plans if self._clues(plan)}
        return sum(self._database.execute(where, {"family": each}).fetchone()[0] for each in families)

    @property
    def over(self) -> bool:
        """Whether what is still being searched has had its time; the next run does it again."""
        return self._now() >= self.end + GRACE

    def __iter__(self) -> Iterator[tuple[int, Shard]]:
        return self

    def __next__(self) -> tuple[int, Shard]:
        while True:
            if (told := self._solved.tellers()) != self._told:  # what was passed by may have neighbours now
                self._told, self._pass = told, self._shards()
            for number, shard in self._pass:
                if number not in self._given:
                    self._given.add(number)
                    return number, shard
            found = self._solved.count()
            if found == self._known:
                raise StopIteration
            self._known, self._pass = found, self._shards()

    def _shards(self) -> Iterator[tuple[int, Shard]]:
        for turn in self._turns:
            target = self._targets.get(turn.plan.family)
            if target is None or not self._left(turn.plan.family):
                continue
            work = self._for_each if turn.plan.each else self._for_all
            for number, shard in work(turn, target):
                if self._now() >= self.end:
                    return
                if not self._left(turn.plan.family):
                    break
                yield number, shard

    def _left(self, family: str) -> bool:
        """Return whether a file of ``family`` waits for a key that nothing has found in the meantime."""
        query = (
            f"SELECT 1 FROM files WHERE {LOCKED} AND {OF_FAMILY} AND id NOT IN ({SOLVED}) AND NOT EXISTS"
            " (SELECT 1 FROM json_each(body, '$.candidates') AS each JOIN json_each(:proven) AS opened"
            " ON each.value = opened.value)"
        )
        proven = json.dumps([name for name in files.proven_keys(self._database) if name != family])
        values = {"family": family, "proven": proven}
        return self._database.execute(query, values).fetchone() is not None

    def _for_all(self, turn: _Turn, target: Target) -> Iterator[tuple[int, Shard]]:
        for number in turn.shards:
            if self._found(turn.plan.family, 0):
                return
            yield from self._open(Shard(plan=turn.plan, target=target, number=number))

    def _for_each(self, turn: _Turn, target: Target) -> Iterator[tuple[int, Shard]]:
        """Search some files in full; once one of them gives way, look near it for all the others."""
        if not self._clues(turn.plan):
            yield from self._unaided(turn, target)
        if self._clues(turn.plan):
            yield from self._neighbours(turn, target)

    def _unaided(self, turn: _Turn, target: Target) -> Iterator[tuple[int, Shard]]:
        """Search the files that stand for all, until one of them gives way."""
        for ref in stand_ins(turn.plan, target)[turn.files]:
            for each in self._alone(turn, target, ref):
                yield each
                if self._clues(turn.plan):
                    return

    def _alone(self, turn: _Turn, target: Target, ref: FileRef) -> Iterator[tuple[int, Shard]]:
        for number in turn.shards:
            if self._found(turn.plan.family, ref.id) or self._is_empty(turn, ref):
                return
            yield from self._open(self._shard(turn.plan, target, ref, number))

    def _neighbours(self, turn: _Turn, target: Target) -> Iterator[tuple[int, Shard]]:
        where = f"{LOCKED} AND {OF_FAMILY} AND id NOT IN ({SOLVED})"
        for ref in files.select(self._database, where, family=turn.plan.family):
            yield from self._open(self._shard(turn.plan, target, ref, 0))
        for ref in files.select(self._database, where, family=turn.plan.family):
            yield from self._open(self._shard(turn.plan, target, ref, 0))  # with what was found since
            yield from self._alone(turn, target, ref)

    def _shard(self, plan: AttackPlan, target: Target, ref: FileRef, number: int) -> Shard:
        clues = self._clues(plan) if number == 0 else ()
        own = tuple(pair for pair in target.pairs if pair.locked.id == ref.id)
        keys = self._solved.keys(clues)
        chosen = msgspec.structs.replace(target, samples=(ref,), others=(), pairs=own, clues=clues, keys=keys)
        return Shard(plan=plan, target=chosen, number=number)

    def _open(self, shard: Shard) -> Iterator[tuple[int, Shard]]:
        """Yield ``shard`` with what the journal calls it, unless an earlier run has done it."""
        item = shard.target.samples[0].id if shard.plan.each else 0
        name = f"{shard.plan.attack} {shard.plan.family} {item} {shard.number} {len(shard.target.clues)}"
        number = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=7).digest())
        done = "SELECT 1 FROM journal WHERE step IN ('search', 'deep search') AND item = ? AND done"
        if not self._database.execute(done, (number,)).fetchone():
            yield number, shard

    def _found(self, family: str, item: int) -> bool:
        query = (
            "SELECT 1 FROM records WHERE type = 'KeyFound'"
            " AND (item = 0 AND json_extract(body, '$.family') = ?1 OR item = ?2 AND ?2 > 0)"
        )
        return self._database.execute(query, (family, item)).fetchone() is not None

    def _is_empty(self, turn: _Turn, ref: FileRef) -> bool:
        """Return whether the first shard of ``turn`` had nothing to try on a file: then no other has."""
        if not attack(turn.plan.attack).apart:
            return False
        query = (
            f"SELECT 1 FROM records WHERE type = '{Searched.__name__}' AND item = :item"
            " AND json_extract(body, '$.shard') = :first AND json_extract(body, '$.candidates') = 0"
            " AND json_extract(body, '$.attack') = :attack AND json_extract(body, '$.family') = :family"
        )
        plan, first = turn.plan, turn.shards.start
        values = {"item": ref.id, "first": first, "attack": plan.attack, "family": plan.family}
        return self._database.execute(query, values).fetchone() is not None

    def _clues(self, plan: AttackPlan) -> tuple[tuple[int, str], ...]:
        return self._solved.clues(plan, self._targets[plan.family].samples)
