"""The clusters of files that are still there, by their hashes: what equals one of them is searched no more.

Of files that are sound every cluster counts. Of locked ones those do that follow their first cluster, if that
is sealed: lockers leave parts of many files as they were, and these parts are the originals' as well. Files
that are neither do not count: they may be locked, with names that do not tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.oracle import judge
from unransom.core.context import Context
from unransom.core.errors import EvidenceChangedError, UnreadableError
from unransom.core.records import Grade, Record
from unransom.core.streams import Reader, chunks
from unransom.recover.carve.classes import DENSE, KNOWN, LOCKED, LOCKED_HEAD, ZERO, Classes, classes_of
from unransom.recover.carve.records import Acquainted
from unransom.recover.carve.scan import Mark

Hashes = NDArray[np.uint64]
KINDS = ("known", "locked", "heads")
NONE: Hashes = np.zeros(0, np.uint64)


class Learnt(Record, frozen=True, kw_only=True):
    """Hashes of clusters of files.

    Attributes:
        known: Of sound files.
        locked: Of locked ones, as far as what they hold may be sealed.
        heads: First ones of locked files that are sealed from their beginning.
    """

    known: Hashes
    locked: Hashes
    heads: Hashes


class Known(NamedTuple):
    """Sorted hashes of clusters, see `Learnt`."""

    known: Hashes
    locked: Hashes
    heads: Hashes

    def mark(self, data: bytes, cluster: int, classes: Classes) -> None:
        """Write to ``classes`` which clusters of ``data`` are equal to one of a file that is there."""
        hashes = hashes_of(data, cluster)
        tried = np.flatnonzero((classes[: len(hashes)] != ZERO) & (hashes != 0))
        classes[tried[_among(hashes[tried], self.known)]] = KNOWN
        dense = tried[classes[tried] == DENSE]
        heads = _among(hashes[dense], self.heads)
        classes[dense[_among(hashes[dense], self.locked)]] = LOCKED
        classes[dense[heads]] = LOCKED_HEAD


def learn(item: Acquainted, context: Context) -> Learnt:
    """Return the hashes of the clusters of some files; of what cannot be read there are none."""
    known, locked, heads = [NONE], [NONE], [NONE]
    for ref, is_locked in zip(item.files, item.locked, strict=True):
        try:
            with context.open(ref) as reader:
                if judge(reader, ref.path).validation.grade is Grade.GOOD:
                    known.append(all_clusters(reader, item.cluster))
                elif is_locked:
                    sealed, first = sealed_clusters(reader, item.cluster)
                    locked.append(sealed)
                    heads.append(first)
        except (EvidenceChangedError, UnreadableError, OSError):
            continue  # who lists the files tells of that
    return Learnt(known=np.concatenate(known), locked=np.concatenate(locked), heads=np.concatenate(heads))


def all_clusters(reader: Reader, cluster: int) -> Hashes:
    """Return the hashes of the whole clusters of a file, but for those that repeat one word."""
    found = np.concatenate([NONE, *(hashes_of(piece, cluster) for piece in chunks(reader))])
    return found[found != 0]


def sealed_clusters(reader: Reader, cluster: int) -> tuple[Hashes, Hashes]:
    """Return the hashes of dense clusters of a locked file, and of its first one if that is dense."""
    found, head = [NONE], NONE
    for number, piece in enumerate(chunks(reader)):
        hashes = hashes_of(piece, cluster)
        dense = classes_of(piece[: len(hashes) * cluster], cluster) == DENSE
        if not number:
            if not dense[:1].any():
                break  # its beginning may be the original's: nothing shows what is sealed of it
            head = hashes[:1]
        found.append(hashes[dense])
    return np.concatenate(found), head


def hashes_of(data: bytes, cluster: int) -> Hashes:
    """Return a hash of each whole cluster of ``data``, 0 for one that repeats one word."""
    from unransom.recover.carve._cluster_kernel import hash_clusters  # noqa: PLC0415  numba is slow to import

    hashes = np.zeros(len(data) // cluster, np.uint64)
    hash_clusters(np.frombuffer(data, "<u8", len(hashes) * cluster // 8), cluster // 8, hashes)
    return hashes


def _among(hashes: Hashes, known: Hashes) -> NDArray[np.bool_]:
    """Return which of ``hashes`` are in ``known``, which is sorted."""
    if not len(known):
        return np.zeros(len(hashes), np.bool_)
    places = np.searchsorted(known, hashes)
    return np.asarray(known[np.minimum(places, len(known) - 1)] == hashes)


def save(parts: Iterable[Learnt], folder: Path, cluster: int) -> None:
    """Store what was learnt in ``folder``; what is there is there whole."""
    every = list(parts)
    for kind in KINDS:
        draft = folder / "draft.npy"
        np.save(draft, np.unique(np.concatenate([NONE, *(getattr(each, kind) for each in every)])))
        draft.replace(_path(folder, cluster, kind))


def is_saved(folder: Path, cluster: int) -> bool:
    """Return whether an earlier run has stored what it learnt."""
    return all(_path(folder, cluster, kind).exists() for kind in KINDS)


def marker(folder: str, cluster: int) -> Mark | None:
    """Return what marks the clusters that are stored in ``folder``; None where that is ""."""
    if not folder:
        return None
    return Known(*(np.load(_path(Path(folder), cluster, kind), mmap_mode="r") for kind in KINDS)).mark


def _path(folder: Path, cluster: int, kind: str) -> Path:
    return folder / f"files-{kind}-{cluster}.npy"
