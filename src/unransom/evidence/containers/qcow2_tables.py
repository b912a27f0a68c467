"""The first table of a QEMU disk where it is damaged: the tables that it should name, found in the file.

Each of those fills a cluster with places of clusters, which noise and contents of files do not look like.
A disk that was written in order has them in its own order.

Source: QEMU, docs/interop/qcow2.txt.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.core.errors import UnreadableError
from unransom.core.streams import CHUNK, Reader
from unransom.evidence.containers.qcow2_snapshots import OFFSET, Counts, Inner

COMPRESSED, COPIED = 1 << 62, 1 << 63
ZEROS = 1
SWEPT = 16 << 30  # bytes of the file that are looked through
Words = NDArray[np.uint64]


class Layout(NamedTuple):
    """Bytes of a cluster, and numbers in an entry of a table of clusters."""

    cluster: int
    words: int


def damaged(first: Words, cluster: int, own: range, size: int) -> NDArray[np.bool_]:
    """Return which entries of the first table name no place that a table can have.

    Args:
        first: The table.
        cluster: Bytes of a cluster.
        own: Where the table itself lies in the file.
        size: Bytes of the file.
    """
    words = first.astype(np.uint64)
    places = words & np.uint64(OFFSET)
    wrong = (words & ~np.uint64(OFFSET | COPIED)) != 0
    wrong |= (places % np.uint64(cluster) != 0) | (places + np.uint64(cluster) > np.uint64(size))
    wrong |= (places >= np.uint64(own.start)) & (places < np.uint64(own.stop))
    _, index, counts = np.unique(places, return_inverse=True, return_counts=True)
    return (words != 0) & (wrong | (counts[index] > 1) | (places < np.uint64(cluster)))


class Around(NamedTuple):
    """What else the file says of its tables.

    Attributes:
        own: Where the first table itself lies in the file.
        counts: How often each cluster is used.
        snapshots: The first tables of the snapshots inside; None where they are not known.
    """

    own: range
    counts: Counts
    snapshots: list[Inner] | None

    def is_other(self, place: int) -> bool:
        """Return whether the cluster at ``place`` has places of clusters, but is no table of clusters."""
        counts = range(self.counts.table, self.counts.table + self.counts.entries * 8)
        return any(
            place in each for each in (self.own, counts, *(each.where for each in self.snapshots or ()))
        )


def mended(
    reader: Reader, first: Words, layout: Layout, wrong: NDArray[np.bool_], around: Around
) -> tuple[Words, int]:
    """Return the first table with places for its damaged entries, and how many have none.

    Args:
        reader: The file.
        first: The table.
        layout: Of the file.
        wrong: Which entries are damaged.
        around: What else the file says.
    """
    words = first.astype(np.uint64)
    nowhere = (reader.size // layout.cluster + 2) * layout.cluster  # reading it fails
    slots = np.flatnonzero(wrong).tolist()
    taken = set((words[~wrong] & np.uint64(OFFSET)).tolist())
    words[slots] = nowhere
    if around.snapshots:
        for slot, place in _shared(reader, slots, around).items():
            words[slot] = place
        taken.update(*(each.places.tolist() for each in around.snapshots))
        slots = [slot for slot in slots if words[slot] == nowhere]
    free = []
    if slots and around.snapshots is not None:
        tables = _tables(reader, layout, copied=not around.snapshots)
        places = (each for each in tables if each not in taken and not around.is_other(each))
        free = [each for each in places if around.counts.of(reader, each) != 0]  # of 0, a deleted snapshot's
    if around.snapshots and not len(slots) == len(free) == 1:
        return words, len(slots)  # tables written since a snapshot was made are in no order
    for slot, place in zip(slots, free, strict=False):
        words[slot] = place
    return words, max(0, len(slots) - len(free))


def _shared(reader: Reader, slots: list[int], around: Around) -> dict[int, int]:
    """Return the tables that a damaged entry must name, as one more does than the snapshots are."""
    firsts = np.array([each.places for each in around.snapshots or ()])
    found: dict[int, int] = {}
    for slot in slots:
        for place in set(firsts[:, slot].tolist()) - {0}:
            if around.counts.of(reader, place) == int((firsts == place).sum()) + 1:
                found[slot] = place
    return found


def _tables(reader: Reader, layout: Layout, *, copied: bool) -> Iterator[int]:
    """Yield the places of clusters that are tables of clusters, most of them ``copied``: not shared."""
    cluster = layout.cluster
    step = max(cluster, CHUNK // cluster * cluster)
    for start in range(0, min(reader.size, SWEPT), step):
        try:
            data = reader.read_at(start, step)
        except UnreadableError:
            continue
        rows = np.frombuffer(data[: len(data) // cluster * cluster], ">u8").reshape(-1, cluster // 8)
        heads = rows[:, 0]
        rough = (heads == 0) | (heads == ZEROS) | (heads >= COMPRESSED)
        rough |= (heads < reader.size) & (not copied)
        for number in np.flatnonzero(rough).tolist():
            if _is_table(rows[number, :: layout.words].astype(np.uint64), layout, reader.size, copied):
                yield start + number * cluster


def _is_table(words: Words, layout: Layout, size: int, copied: bool) -> bool:
    used = words[words > ZEROS]
    packed = used & np.uint64(COMPRESSED) != 0
    begins = used[packed] & np.uint64((1 << (70 - layout.cluster.bit_length() + 1)) - 1)
    plain = used[~packed]
    places = plain & np.uint64(OFFSET)
    sound = (plain & ~np.uint64(OFFSET | COPIED | ZEROS)) == 0
    sound &= (places % np.uint64(layout.cluster) == 0) & (places < np.uint64(size)) & (places > 0)
    named = len(begins) + (plain & np.uint64(COPIED) != 0).sum()
    fits = bool(sound.all()) and bool((begins < np.uint64(size)).all())
    return bool(len(used)) and fits and (not copied or bool(named * 2 > len(used)))
