"""Where a FAT volume has what, and the entries of its tables.

Source: Microsoft, FAT32 file system specification.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

HEAD = 512
SMALL, MEDIUM = 4085, 65525  # clusters from which on entries have 16 and 32 bits
LOW_BITS = np.uint32(0x0FFFFFFF)  # of an entry of 32 bits
MOST_CLUSTERS = 1 << 32


class Layout(NamedTuple):
    """A volume.

    Attributes:
        data: Bytes in front of its first cluster.
        cluster, clusters: Bytes of a cluster, and how many there are.
        table, length: Where the first table begins, and the bytes of one.
    """

    data: int
    cluster: int
    clusters: int
    table: int
    length: int


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
    return Layout(first * sector, factor * sector, clusters, reserved * sector, (short or long) * sector)


def twelve(raw: bytes, clusters: int) -> np.ndarray:
    """Return the entries of a table whose entries have 12 bits, from that of cluster 2 on."""
    data = np.frombuffer(raw.ljust((clusters + 2) * 3 // 2 + 2, b"\0"), np.uint8).astype(np.uint16)
    numbers = np.arange(2, clusters + 2)
    pairs = data[numbers * 3 // 2] | data[numbers * 3 // 2 + 1] << 8
    return np.where(numbers & 1, pairs >> 4, pairs & 0xFFF)
