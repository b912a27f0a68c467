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

OFFSET = 0x00FFFFFFFFFFFE00  # bits of an entry
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


def mended(
    reader: Reader, first: Words, layout: Layout, wrong: NDArray[np.bool_], own: range
) -> tuple[Words, int]:
    """Return the first table with places for its damaged entries, and how many have none.

    Args:
        reader: The file.
        first: The table.
        layout: Of the file.
        wrong: Which entries are damaged.
        own: Where the table itself lies in the file.
    """
    words = first.astype(np.uint64)
    taken = set((words[~wrong] & np.uint64(OFFSET)).tolist())
    free = [place for place in _tables(reader, layout) if place not in taken and place not in own]
    slots = np.flatnonzero(wrong)
    nowhere = (reader.size // layout.cluster + 2) * layout.cluster  # reading it fails
    words[slots] = np.array([*free[: len(slots)], *[nowhere] * (len(slots) - len(free))], np.uint64)
    return words, max(0, len(slots) - len(free))


def _tables(reader: Reader, layout: Layout) -> Iterator[int]:
    """Yield the places of clusters that are tables of clusters."""
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
        for number in np.flatnonzero(rough).tolist():
            if _is_table(rows[number, :: layout.words].astype(np.uint64), layout, reader.size):
                yield start + number * cluster


def _is_table(words: Words, layout: Layout, size: int) -> bool:
    used = words[words > ZEROS]
    packed = used & np.uint64(COMPRESSED) != 0
    begins = used[packed] & np.uint64((1 << (70 - layout.cluster.bit_length() + 1)) - 1)
    plain = used[~packed]
    places = plain & np.uint64(OFFSET)
    sound = (plain & ~np.uint64(OFFSET | COPIED | ZEROS)) == 0
    sound &= (places % np.uint64(layout.cluster) == 0) & (places < np.uint64(size)) & (places > 0)
    named = len(begins) + (plain & np.uint64(COPIED) != 0).sum()
    fits = bool(sound.all()) and bool((begins < np.uint64(size)).all())
    return bool(len(used)) and fits and bool(named * 2 > len(used))
