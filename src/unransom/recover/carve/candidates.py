"""The names that are left of files: in those of locked copies, and where file systems keep some.

Lockers append to names; what the names of many files on a disk end with is what was appended.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from unransom.catalog.formats import FORMATS
from unransom.core.records import FileRef, Kind

UNKNOWN = -1  # place in the order
MOST_ADDED = 4096  # bytes by which a locked file may be larger
FEWEST = 3  # names, or files, that tell what a locker adds
SHARE = 0.1  # of all


class Candidate(NamedTuple):
    """A name that is left.

    Attributes:
        path: Of the original.
        size: Bytes: of the original, or of its locked copy; 0 where not even that is known.
        order: Sorts candidates by when their locked copies were written; `UNKNOWN` where nothing tells.
        own: The size is the original's.
        exact: Bytes of the original besides those of its locked copy, 0 where unknown.
    """

    path: bytes
    size: int
    order: int
    own: bool
    exact: int = 0


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
    return frozenset(each for each, count in tally.items() if count >= least and not promised(each))


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


def promised(path: bytes) -> frozenset[str]:
    """Return the formats that the extension of a path promises."""
    return _formats().get(extension_in(path), frozenset())
