"""Which clusters of FAT and exFAT belong to files.

Sources: Microsoft's FAT32 and exFAT file system specifications.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from unransom.core.spans import Span
from unransom.core.streams import CHUNK, Reader

HEAD = 512
SMALL, MEDIUM = 4085, 65525  # clusters from which on entries have 16 and 32 bits
LOW_BITS = np.uint32(0x0FFFFFFF)  # of an entry of 32 bits
BITMAP = 0x81  # kind of the entry of exFAT's root that tells where its bitmap is
MOST_CLUSTERS = 1 << 32


class Layout(NamedTuple):
    """A volume.

    Attributes:
        data: Bytes in front of its first cluster.
        cluster, clusters: Bytes of a cluster, and how many there are.
        table: Where the first table begins.
    """

    data: int
    cluster: int
    clusters: int
    table: int


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
    data = start + found.data
    if found.clusters < SMALL:
        used = (
            _twelve(reader.read_at(start + found.table, (found.clusters + 2) * 3 // 2 + 1), found.clusters)
            != 0
        )
        yield from runs(used, data, found.cluster)
        return
    form, mask = ("<u2", np.uint32(0xFFFF)) if found.clusters < MEDIUM else ("<u4", LOW_BITS)
    width = np.dtype(form).itemsize
    step = CHUNK // width
    for first in range(0, found.clusters, step):
        count = min(step, found.clusters - first)
        raw = reader.read_at(start + found.table + (first + 2) * width, count * width)
        entries = np.frombuffer(raw[: len(raw) // width * width], form).astype(np.uint32) & mask
        yield from runs(entries != 0, data + first * found.cluster, found.cluster)


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


def bits_of(bitmap: bytes) -> np.ndarray:
    """Return the bits of a bitmap, the lowest of each byte first."""
    return np.unpackbits(np.frombuffer(bitmap, np.uint8), bitorder="little")


def runs(used: np.ndarray, start: int, cluster: int) -> Iterator[Span]:
    """Yield the runs of clusters that are used, the first of which begins at ``start``."""
    edges = np.flatnonzero(np.diff(used.astype(np.int8), prepend=0, append=0)).tolist()
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        yield Span(start + first * cluster, start + last * cluster)


def layout(head: bytes) -> Layout | None:
    """Return where a FAT volume with the boot sector ``head`` has what, None where it makes no sense."""
    if len(head) < HEAD:
        return None
    sector, factor, reserved, tables, root, small, _, short = struct.unpack_from("<HBHBHHBH", head, 11)
    large, long = struct.unpack_from("<I", head, 32)[0], struct.unpack_from("<I", head, 36)[0]
    if sector not in {512, 1024, 2048, 4096} or not factor or not tables:
        return None
    first = reserved + tables * (short or long) + -(-root * 32 // sector)
    clusters = ((small or large) - first) // factor
    if not 0 < clusters < MOST_CLUSTERS:
        return None
    return Layout(first * sector, factor * sector, clusters, reserved * sector)


def _twelve(raw: bytes, clusters: int) -> np.ndarray:
    """Return the entries of a table whose entries have 12 bits, from that of cluster 2 on."""
    data = np.frombuffer(raw.ljust((clusters + 2) * 3 // 2 + 2, b"\0"), np.uint8).astype(np.uint16)
    numbers = np.arange(2, clusters + 2)
    pairs = data[numbers * 3 // 2] | data[numbers * 3 // 2 + 1] << 8
    return np.where(numbers & 1, pairs >> 4, pairs & 0xFFF)
