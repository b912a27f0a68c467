"""Which clusters of FAT and exFAT belong to files.

Sources: Microsoft's FAT32 and exFAT file system specifications.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from unransom.core.spans import Span
from unransom.core.streams import CHUNK, Reader
from unransom.evidence.bitmaps import bits_of, runs
from unransom.evidence.volumes.fat_layout import HEAD, LOW_BITS, MEDIUM, SMALL, Layout, layout, twelve

BITMAP = 0x81  # kind of the entry of exFAT's root that tells where its bitmap is


def used_by_fat(reader: Reader, start: int) -> Iterator[Span]:
    """Yield what belongs to files, folders and the file system itself.

    Raises:
        UnreadableError: The table cannot be read.
    """
    head = reader.read_at(start, HEAD)
    found = layout(head)
    if found is None:
        return
    yield Span(start, start + found.data)
    for first, entries in table(reader, start, found):
        yield from runs(entries != 0, start + found.data + first * found.cluster, found.cluster)


def table(reader: Reader, start: int, found: Layout) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the entries of the first table of the volume at ``start``, from that of cluster 2 on.

    They come in arrays, each with how many entries are in front of it.

    Raises:
        UnreadableError: The table cannot be read.
    """
    if found.clusters < SMALL:
        raw = reader.read_at(start + found.table, (found.clusters + 2) * 3 // 2 + 1)
        yield 0, twelve(raw, found.clusters)
        return
    form, mask = ("<u2", np.uint32(0xFFFF)) if found.clusters < MEDIUM else ("<u4", LOW_BITS)
    width = np.dtype(form).itemsize
    step = CHUNK // width
    for first in range(0, found.clusters, step):
        count = min(step, found.clusters - first)
        raw = reader.read_at(start + found.table + (first + 2) * width, count * width)
        yield first, np.frombuffer(raw[: len(raw) // width * width], form).astype(np.uint32) & mask


def used_by_exfat(reader: Reader, start: int) -> Iterator[Span]:
    """Yield what belongs to files, folders and the file system itself.

    Raises:
        UnreadableError: The bitmap cannot be read.
    """
    head = reader.read_at(start, HEAD)
    if len(head) < HEAD or not 9 <= head[108] <= 12 or head[109] > 25 - head[108]:
        return
    heap, clusters, root = struct.unpack_from("<III", head, 88)
    sector = 1 << head[108]
    cluster = sector << head[109]
    data = start + heap * sector
    folder = reader.read_at(data + (root - 2) * cluster, min(cluster, CHUNK)) if root >= 2 else b""
    for at in range(0, len(folder) - 31, 32):
        if folder[at] == BITMAP and not folder[at + 1] & 1:
            first, size = struct.unpack_from("<IQ", folder, at + 20)
            yield Span(start, data)
            yield from _bitmap(
                reader, Span(data + (first - 2) * cluster, data), min(size, -(-clusters // 8)), cluster
            )
            return


def _bitmap(reader: Reader, place: Span, size: int, cluster: int) -> Iterator[Span]:
    """Yield the clusters of a bitmap at the start of ``place``, behind whose end the first one lies."""
    for offset in range(0, size, CHUNK):
        raw = reader.read_at(place.start + offset, min(CHUNK, size - offset))
        yield from runs(bits_of(raw), place.end + offset * 8 * cluster, cluster)
