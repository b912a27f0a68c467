"""Which carved file is the original of which locked one, or of a name that is left somewhere.

Lockers leave the name of the original in that of the locked copy, and its size but for what they add: the
same number of bytes to every file, or to its size in whole blocks of a cipher. What is added shows in the
sizes that most carved files and locked files of their type differ by. Where several files have one size,
those around them tell: a locker goes through folders in about the order in which files were written.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from unransom.catalog.formats import FORMATS
from unransom.core.records import FileRef, Kind
from unransom.recover.carve.kinds import may_be

MOST_ADDED = 4096  # bytes by which a locked file may be larger
BLOCKS = (1, 16)  # bytes of whole blocks that a locker fills up to
SAMPLE = 2000  # carved files by which it is told what a locker adds
FEWEST = 3  # files by whose sizes that is told
SHARE = 0.1  # of the sample
RULES = 4  # ways of adding that are followed
RIVAL = 0.3  # of the votes of the first that another way must have
SURE = 4  # files that one of known path counts for
IN_ORDER = 0.6  # share of the matched files that must lie in the order of the locker
MOST_PAIRS = 1 << 16  # of files and candidates of one size and type that are looked at


class Nameless(NamedTuple):
    """A carved file.

    Attributes:
        format: Name of its format, "" where unknown.
        size: Bytes.
        start: Where it begins on the disk.
        path: Its path, or only its name, where that is known.
        extension: That it should have.
        modified: Nanoseconds since 1970 UTC, 0 where unknown.
    """

    format: str
    size: int
    start: int
    path: bytes = b""
    extension: str = ""
    modified: int = 0


class Candidate(NamedTuple):
    """A name that is left.

    Attributes:
        path: Of the original.
        size: Bytes: of the original, or of its locked copy.
        order: Sorts candidates by when their locked copies were written.
        own: The size is the original's.
        exact: Bytes of the original besides those of its locked copy, 0 where unknown.
    """

    path: bytes
    size: int
    order: int
    own: bool
    exact: int = 0


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
    order = Order(files, candidates, found)
    for numbers, added in passes if order.holds else ():
        for one, several in _by_size(files, candidates, numbers, added, found):
            found |= {number: Match(name, "order") for number, name in order.arranged(one, several)}
    for numbers, added in passes[:2]:
        found |= _longer(files, candidates, numbers, added, found, cluster)
    return found


def older(
    files: Sequence[Nameless], candidates: Iterable[Candidate], matched: Container[int]
) -> Iterator[int]:
    """Yield files that have the path of a locked one and are not its original: other versions of it."""
    paths = {each.path for each in candidates}
    yield from (n for n, each in enumerate(files) if each.path in paths and n not in matched)


def candidates_of(refs: Iterable[FileRef]) -> Iterator[Candidate]:
    """Yield the names of originals that those of files show, in the order in which these were written."""
    there = [ref for ref in refs if not ref.deleted and ref.kind is Kind.FILE]
    common = endings(ref.path for ref in there)
    for ref in there:
        if original := original_of(ref.path, common):
            yield Candidate(original, ref.size, ref.modified or 0, own=False)


def with_gone(known: Sequence[Candidate], gone: Iterable[Candidate]) -> list[Candidate]:
    """Return ``known`` and then those of ``gone`` that have other paths; the others tell the original's size.

    Args:
        known: Locked copies.
        gone: Names that are left of files themselves.
    """
    sizes: dict[bytes, set[int]] = defaultdict(set)
    others: dict[tuple[bytes, int], Candidate] = {}
    paths = {each.path for each in known}
    for each in gone:
        if each.path in paths:
            sizes[each.path].add(each.size)
        else:
            others[each.path, each.size] = each
    exact = (_exact(each, sizes[each.path]) if each.path in sizes else each for each in known)
    return [*exact, *others.values()]


def _exact(locked: Candidate, sizes: set[int]) -> Candidate:
    """Return a locked copy with the only one of ``sizes`` that its original may have had."""
    fitting = [size for size in sizes if size and 0 <= locked.size - size <= MOST_ADDED]
    return locked._replace(exact=fitting[0]) if len(fitting) == 1 else locked


def endings(paths: Iterable[bytes]) -> frozenset[bytes]:
    """Return what lockers have appended to many of ``paths``."""
    tally = Counter(path[len(original) :] for path in paths if (original := original_of(path)))
    least = max(FEWEST, SHARE * tally.total())
    return frozenset(each for each, count in tally.items() if count >= least and not _promised(each))


def original_of(path: bytes, common: Iterable[bytes] = ()) -> bytes:
    """Return ``path`` without what a locker appended to it; b"" where nothing shows that it did.

    Args:
        path: Of a locked copy.
        common: What lockers append to names on this disk, see `endings`.
    """
    folder, slash, name = path.rpartition(b"/")
    for ending in sorted(common, key=len, reverse=True):
        if name.endswith(ending) and name != ending:
            return path[: -len(ending)]
    parts = name.split(b".")
    known = [part.lower().decode("ascii", "replace") in _formats() for part in parts[:-1]]
    if True not in known[1:]:
        return b""
    last = known.index(True, 1)
    while last + 1 < len(known) and known[last + 1]:
        last += 1  # bill.pdf.gz
    return folder + slash + b".".join(parts[: last + 1])


@cache
def _formats() -> dict[str, frozenset[str]]:
    """Return the names of formats by extension."""
    table: dict[str, set[str]] = defaultdict(set)
    for each in FORMATS:
        for extension in each.extensions:
            table[extension].add(each.name)
    return {extension: frozenset(names) for extension, names in table.items()}


def extension_in(path: bytes) -> str:
    """Return the extension of a path, in small letters."""
    return path.rpartition(b".")[2].lower().decode("ascii", "replace")


def _promised(path: bytes) -> frozenset[str]:
    """Return the formats that the extension of a path promises."""
    return _formats().get(extension_in(path), frozenset())


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
        for name in _promised(each.path) if not each.own else ():
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
        for name in _promised(candidates[number].path) if number not in taken else ():
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


def _longer(
    files: Sequence[Nameless],
    candidates: Sequence[Candidate],
    numbers: Iterable[int],
    added: Added,
    known: dict[int, Match],
    cluster: int,
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
        first = bisect_right(left, (file.size + added.tail, len(candidates)))
        last = bisect_right(left, (-(-file.size // cluster) * cluster + added.tail, len(candidates)))
        fitting[number] = [each for _, each in left[first:last] if _is_of(file, candidates[each].path)]
    wanted = Counter(each for several in fitting.values() for each in several)
    return {
        number: Match(several[0], "size", candidates[several[0]].size - added.tail - files[number].size)
        for number, several in fitting.items()
        if len(several) == 1 and wanted[several[0]] == 1
    }


def _is_of(file: Nameless, path: bytes) -> bool:
    return file.format in _promised(path) and may_be(file.extension, extension_in(path))


class Order:
    """How far files lie in the order in which a locker wrote: told by those that are matched already.

    Attributes:
        holds: Most matched files lie between two others in both orders.
    """

    def __init__(
        self, files: Sequence[Nameless], candidates: Sequence[Candidate], known: dict[int, Match]
    ) -> None:
        by_time = sorted(range(len(candidates)), key=lambda number: (candidates[number].order, number))
        self._ranks = {number: rank for rank, number in enumerate(by_time)}
        anchors = sorted((files[number].start, self._ranks[each.candidate]) for number, each in known.items())
        self._starts = [start for start, _ in anchors]
        self._anchors = [rank for _, rank in anchors]
        self._files = files
        between = [
            min(before, after) <= rank <= max(before, after)
            for before, rank, after in zip(self._anchors, self._anchors[1:], self._anchors[2:], strict=False)
        ]
        self.holds = len(between) >= FEWEST and sum(between) >= IN_ORDER * len(between)

    def arranged(self, files: Sequence[int], candidates: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yield file and candidate of each pair that fits between its neighbours better than others do."""
        costs = sorted(
            (self._cost(file, candidate), file, candidate) for file in files for candidate in candidates
        )[:MOST_PAIRS]
        free, left = set(files), set(candidates)
        for cost, file, candidate in costs:
            if file not in free or candidate not in left:
                continue
            rivals = [each for each in left if each != candidate and self._cost(file, each) <= cost]
            if not rivals or len(left) == len(free):
                yield file, candidate
                free.discard(file)
                left.discard(candidate)

    def _cost(self, file: int, candidate: int) -> tuple[int, int]:
        """Return how far a candidate is out of order between the neighbours of a file, and from the nearer.

        File systems write in several places in turns: where one ends and the next begins, ranks leap.
        """
        place = bisect_right(self._starts, self._files[file].start)
        around = self._anchors[max(place - 1, 0) : place + 1]
        rank = self._ranks[candidate]
        return max(min(around) - rank, rank - max(around), 0), min(abs(rank - each) for each in around)
