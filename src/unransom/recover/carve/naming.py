"""Which carved file is the original of which locked one, or of a name that is left somewhere.

Lockers leave the name of the original in that of the locked copy, and its size but for what they add: the
same number of bytes to every file, or to its size in whole blocks of a cipher. What is added shows in the
sizes that most carved files and locked files of their type differ by. Where several files have one size,
those around them tell: a locker goes through folders in about the order in which files were written.
All files between two that are known are held against all names between these at once, see `alignment`; only
what that leaves open goes to the nearest.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np

from unransom.recover.carve.alignment import aligned
from unransom.recover.carve.candidates import (
    FEWEST,
    MOST_ADDED,
    SHARE,
    UNKNOWN,
    Candidate,
    extension_in,
    promised,
)
from unransom.recover.carve.kinds import may_be

BLOCKS = (1, 16)  # bytes of whole blocks that a locker fills up to
SAMPLE = 2000  # carved files by which it is told what a locker adds
RULES = 4  # ways of adding that are followed
RIVAL = 0.3  # of the votes of the first that another way must have
SURE = 4  # files that one of known path counts for
IN_ORDER = 0.6  # share of the matched files that must lie in the order of the locker
PADDING = 16  # bytes behind a structure that programs leave
MOST_PAIRS = 1 << 16  # of files and candidates of one size and type that are looked at
MOST_ALIGNED = 1 << 24  # of files and candidates between all that are known


class Nameless(NamedTuple):
    """A carved file.

    Attributes:
        format: Name of its format, "" where unknown.
        size: Bytes.
        start: Where it begins on the disk.
        path: Its path, or only its name, where that is known.
        extension: That it should have.
        modified: Nanoseconds since 1970 UTC, 0 where unknown.
        slack: Bytes behind its end up to the last in its cluster that is not zero.
    """

    format: str
    size: int
    start: int
    path: bytes = b""
    extension: str = ""
    modified: int = 0
    slack: int = 0


Reach = Callable[[Nameless], tuple[int, int]]  # bytes behind a file: more than the first, up to the second


class Match(NamedTuple):
    """What a carved file was called.

    Attributes:
        candidate: Its number.
        how: By what: ``name``, ``size`` or ``order``.
        more: Bytes that the file has behind what its structure needs.
    """

    candidate: int
    how: str
    more: int = 0


class Added(NamedTuple):
    """What a locker adds: it fills up to whole blocks of some bytes, and appends some."""

    block: int
    tail: int

    def to(self, size: int) -> int:
        """Return the size of the locked copy of a file of ``size`` bytes."""
        return -(-size // self.block) * self.block + self.tail


def match(files: Sequence[Nameless], candidates: Sequence[Candidate], cluster: int = 1) -> dict[int, Match]:
    """Return what files were matched with, by the number of the file. No candidate is given twice.

    Args:
        files: What was carved.
        candidates: The names that are left.
        cluster: Bytes of a cluster: up to the end of its last one a file may go on behind its structure.
    """
    found = dict(_by_path(files, candidates))
    own = [number for number, each in enumerate(candidates) if each.own]
    locked = [number for number, each in enumerate(candidates) if not each.own]
    passes = [(own, Added(1, 0)), *((locked, added) for added in _rules(files, candidates, found))]
    for numbers, added in passes:
        for one, several in _by_size(files, candidates, numbers, added, found):
            if len(one) == len(several) == 1:
                found[one[0]] = Match(several[0], "size")
    found |= _by_order(files, candidates, passes, found)
    for (numbers, added), reach in product(passes[:2], _reaches(cluster)):
        found |= _longer(files, candidates, numbers, added, found, reach)
    return found


def _by_order(
    files: Sequence[Nameless],
    candidates: Sequence[Candidate],
    passes: Sequence[tuple[list[int], Added]],
    known: dict[int, Match],
) -> dict[int, Match]:
    """Return what the order tells of files of one size, if there is one."""
    found, order = dict(known), Order(files, candidates, known)
    if not order.holds:
        return found
    for numbers, added in passes:
        groups = list(_by_size(files, candidates, numbers, added, found))
        found |= {number: Match(name, "order") for number, name in order.aligned(groups)}
    order.learn(found)
    for numbers, added in passes:
        for one, several in _by_size(files, candidates, numbers, added, found):
            found |= {number: Match(name, "order") for number, name in order.arranged(one, several)}
    return found | {
        number: Match(name, "order") for number, name in _by_type(files, candidates, found, order)
    }


def _reaches(cluster: int) -> tuple[Reach, ...]:
    """Return how far files may go on behind their structure, the likeliest first.

    Up to the last byte of their cluster that is not zero, a few bytes, or anywhere in the cluster.
    """
    return (
        lambda file: (max(file.slack - 1, 0), file.slack),
        lambda _file: (0, PADDING),
        lambda file: (0, -file.size % cluster),
    )


def older(
    files: Sequence[Nameless], candidates: Iterable[Candidate], matched: Container[int]
) -> Iterator[int]:
    """Yield files that have the path of a locked one and are not its original: other versions of it."""
    paths = {each.path for each in candidates}
    yield from (n for n, each in enumerate(files) if each.path in paths and n not in matched)


def _by_path(files: Sequence[Nameless], candidates: Sequence[Candidate]) -> Iterator[tuple[int, Match]]:
    """Yield files whose path, or whose name alone, stands with one candidate only, and whose size fits.

    Older versions of a file have its path as well: of those that fit, the newest is the one that was locked.
    """
    paths: dict[bytes, list[int]] = defaultdict(list)
    for number, each in enumerate(candidates):
        if not each.own:
            paths[each.path].append(number)
            if b"/" in each.path:
                paths[each.path.rpartition(b"/")[2]].append(number)
    taken: set[int] = set()
    for number in sorted(range(len(files)), key=lambda number: -files[number].modified):
        file = files[number]
        fitting = paths.get(file.path, []) if file.path else []
        if len(fitting) != 1 or fitting[0] in taken:
            continue
        if 0 <= candidates[fitting[0]].size - file.size <= MOST_ADDED:
            taken.add(fitting[0])
            yield number, Match(fitting[0], "name")


def _rules(
    files: Sequence[Nameless], candidates: Sequence[Candidate], known: dict[int, Match]
) -> list[Added]:
    """Return what the locker adds, the likeliest first."""
    votes: Counter[Added] = Counter()
    for number, matched in known.items():
        votes.update(
            dict.fromkeys(_differences(files[number].size, [candidates[matched.candidate].size]), SURE)
        )
    by_format: dict[str, list[int]] = defaultdict(list)
    for each in candidates:
        for name in promised(each.path) if not each.own else ():
            by_format[name].append(each.size)
    sizes = {name: np.sort(np.array(each)) for name, each in by_format.items()}
    sample = [file for number, file in enumerate(files) if number not in known and file.format][:SAMPLE]
    for file in sample:
        fitting = sizes.get(file.format, np.zeros(0, np.int64))
        first, last = np.searchsorted(fitting, [file.size, file.size + MOST_ADDED])
        votes.update(set(_differences(file.size, np.unique(fitting[first:last]).tolist())))
    least = max(FEWEST, SHARE * len(sample))
    most = votes.most_common(RULES)
    common = [added for added, count in most if count >= max(least, RIVAL * most[0][1])]
    return common if Added(1, 0) in common else [*common, Added(1, 0)]


def _differences(size: int, locked: Iterable[int]) -> Iterator[Added]:
    for each in locked:
        for block in BLOCKS:
            tail = each - Added(block, 0).to(size)
            if 0 <= tail <= MOST_ADDED:
                yield Added(block, tail)


def _by_size(
    files: Sequence[Nameless],
    candidates: Sequence[Candidate],
    numbers: Iterable[int],
    added: Added,
    known: dict[int, Match],
) -> Iterator[tuple[list[int], list[int]]]:
    """Yield files and candidates that have one size and type, and are not matched yet."""
    taken = {each.candidate for each in known.values()}
    names: dict[tuple[int, str], list[int]] = defaultdict(list)
    for number in numbers:
        for name in promised(candidates[number].path) if number not in taken else ():
            exact = candidates[number].exact
            names[added.to(exact) if exact else candidates[number].size, name].append(number)
    groups: dict[tuple[int, str, str], list[int]] = defaultdict(list)
    for number, file in enumerate(files):
        if number not in known and not file.path:
            groups[added.to(file.size), file.format, file.extension].append(number)
    for (size, form, extension), group in groups.items():
        same = names.get((size, form), [])
        fitting = [number for number in same if may_be(extension, extension_in(candidates[number].path))]
        if fitting:
            yield group, fitting


def _by_type(
    files: Sequence[Nameless], candidates: Sequence[Candidate], known: dict[int, Match], order: Order
) -> Iterator[tuple[int, int]]:
    """Yield file and candidate where only one of either lies at its place: of these no size is known."""
    names = [number for number, each in enumerate(candidates) if not each.size and each.order != UNKNOWN]
    left = [
        number for number, each in enumerate(files) if number not in known and each.format and not each.path
    ]
    if len(names) * len(left) > MOST_PAIRS:
        return
    fitting = {
        number: [
            name
            for name in names
            if _is_of(files[number], candidates[name].path) and order.fits(number, name)
        ]
        for number in left
    }
    wanted = Counter(name for several in fitting.values() for name in several)
    yield from (
        (number, several[0])
        for number, several in fitting.items()
        if len(several) == 1 and wanted[several[0]] == 1
    )


def _longer(
    files: Sequence[Nameless],
    candidates: Sequence[Candidate],
    numbers: Iterable[int],
    added: Added,
    known: dict[int, Match],
    reach: Reach,
) -> dict[int, Match]:
    """Return files that end a little behind their structure, each with the only candidate of such a size."""
    taken = {each.candidate for each in known.values()}
    left = sorted((candidates[number].size, number) for number in numbers if number not in taken)
    if added.block > 1 or not left:
        return {}
    fitting: dict[int, list[int]] = {}
    for number, file in enumerate(files):
        if number in known or file.path or not file.format:
            continue
        first, last = (
            bisect_right(left, (file.size + more + added.tail, len(candidates))) for more in reach(file)
        )
        fitting[number] = [each for _, each in left[first:last] if _is_of(file, candidates[each].path)]
    wanted = Counter(each for several in fitting.values() for each in several)
    return {
        number: Match(several[0], "size", candidates[several[0]].size - added.tail - files[number].size)
        for number, several in fitting.items()
        if len(several) == 1 and wanted[several[0]] == 1
    }


def _is_of(file: Nameless, path: bytes) -> bool:
    return file.format in promised(path) and may_be(file.extension, extension_in(path))


class Order:
    """How far files lie in the order in which a locker wrote: told by those that are matched already.

    Attributes:
        holds: Most matched files lie between two others in both orders.
    """

    def __init__(
        self, files: Sequence[Nameless], candidates: Sequence[Candidate], known: dict[int, Match]
    ) -> None:
        self._dated = [each.order != UNKNOWN for each in candidates]
        by_time = sorted(range(len(candidates)), key=lambda number: (candidates[number].order, number))
        self._ranks = {number: rank for rank, number in enumerate(by_time)}
        self._files = files
        self.learn(known)
        between = [
            min(before, after) <= rank <= max(before, after)
            for before, rank, after in zip(self._anchors, self._anchors[1:], self._anchors[2:], strict=False)
        ]
        self.holds = len(between) >= FEWEST and sum(between) >= IN_ORDER * len(between)

    def learn(self, known: dict[int, Match]) -> None:
        """Take what is matched by now as what others lie between."""
        anchors = sorted(
            (self._files[number].start, self._ranks[each.candidate])
            for number, each in known.items()
            if self._dated[each.candidate]
        )
        self._starts = [start for start, _ in anchors]
        self._anchors = [rank for _, rank in anchors]

    def aligned(self, groups: Iterable[tuple[list[int], list[int]]]) -> Iterator[tuple[int, int]]:
        """Yield file and candidate of each pair that the order of all between two known files decides.

        Args:
            groups: Files, and the candidates that any of them may be.
        """
        files: list[tuple[int, int, frozenset[int]]] = []
        names: set[tuple[int, int]] = set()
        for one, several in groups:
            fitting = frozenset(each for each in several if self._dated[each])
            files += [(self._files[number].start, number, fitting) for number in one]
            names |= {(self._ranks[each], each) for each in fitting}
        files.sort(key=lambda each: each[:2])
        ranked, left, taken = sorted(names), MOST_ALIGNED, set[int]()
        starts, ranks = [start for start, _, _ in files], [rank for rank, _ in ranked]
        for (start, first), (end, last) in pairwise(zip(self._starts, self._anchors, strict=True)):
            rows = files[bisect_right(starts, start) : bisect_left(starts, end)]
            low, high = bisect_right(ranks, min(first, last)), bisect_left(ranks, max(first, last))
            pairs = len(rows) * (high - low)
            if not 0 < pairs <= min(MOST_PAIRS, left):
                continue
            left -= pairs
            columns = [name for _, name in ranked[low:high] if name not in taken]
            columns = columns if first < last else columns[::-1]
            fits = np.array([[name in fitting for name in columns] for _, _, fitting in rows], np.bool_)
            for row, column in aligned(fits):
                taken.add(columns[column])
                yield rows[row][1], columns[column]

    def arranged(self, files: Sequence[int], candidates: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yield file and candidate of each pair that fits between its neighbours better than others do."""
        dated = [each for each in candidates if self._dated[each]]
        costs = sorted(
            (self._cost(file, candidate), file, candidate) for file in files for candidate in dated
        )[:MOST_PAIRS]
        free, left = set(files), set(dated)
        for cost, file, candidate in costs:
            if file not in free or candidate not in left:
                continue
            rivals = (each for each in left if each != candidate and self._cost(file, each) <= cost)
            if len(left) == len(free) or not any(True for _ in rivals):
                yield file, candidate
                free.discard(file)
                left.discard(candidate)

    def fits(self, file: int, candidate: int) -> bool:
        """Return whether a candidate lies between the neighbours of a file."""
        return self._cost(file, candidate)[0] == 0

    def _cost(self, file: int, candidate: int) -> tuple[int, int]:
        """Return how far a candidate is out of order between the neighbours of a file, and from the nearer.

        File systems write in several places in turns: where one ends and the next begins, ranks leap.
        """
        place = bisect_right(self._starts, self._files[file].start)
        around = self._anchors[max(place - 1, 0) : place + 1]
        rank = self._ranks[candidate]
        return max(min(around) - rank, rank - max(around), 0), min(abs(rank - each) for each in around)
