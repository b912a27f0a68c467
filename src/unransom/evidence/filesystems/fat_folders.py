"""The first-level folders of a FAT volume whose root folder is lost.

A folder's first two entries are itself and the one that it is in, the latter with cluster 0 where that is
the root folder. The first of them tells The Sleuth Kit as much as the lost entry in the root did.

Source: Microsoft, FAT32 file system specification.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from itertools import islice, takewhile
from typing import NamedTuple

import numpy as np

from unransom.core.errors import UnreadableError
from unransom.core.streams import Reader
from unransom.evidence.filesystems.fat_map import table
from unransom.evidence.volumes.fat_layout import HEAD, MEDIUM, Layout, layout

MOST = 1 << 16  # folders in a root folder; a folder ends at 2 MiB
MOST_CLUSTERS = 1 << 28
MOST_HEADS = 1 << 20  # clusters that are looked at; of a table of noise nearly all were heads
ENTRY = 32  # bytes
FOLDER = 0x10  # attribute
ITSELF, ABOVE = b".".ljust(11), b"..".ljust(11)
FIRST_RECORD = 3  # The Sleuth Kit's number for the first entry behind the tables


class Top(NamedTuple):
    """A folder that was in the root folder.

    Attributes:
        cluster: Its first.
        sector: Where that begins, in sectors of the volume.
        record: The Sleuth Kit's number for the folder's entry of itself.
    """

    cluster: int
    sector: int
    record: int


def first_level(reader: Reader, start: int) -> list[Top]:
    """Return the folders that were in the root folder of the volume at ``start``, those that can be read."""
    found = list[Top]()
    with contextlib.suppress(UnreadableError):
        head = reader.read_at(start, HEAD)
        if shape := layout(head):
            found.extend(islice(_tops(reader, start, head, shape), MOST))
    return found


def _tops(reader: Reader, start: int, head: bytes, shape: Layout) -> Iterator[Top]:
    clusters = min(shape.clusters, MOST_CLUSTERS, (reader.size - start - shape.data) // shape.cluster)
    if clusters <= 0:
        return
    sector, root_entries = struct.unpack_from("<H4xH", head, 11)
    parents = {0} if shape.clusters < MEDIUM else {0, struct.unpack_from("<I", head, 44)[0]}
    slots = -(-root_entries * ENTRY // sector) * (sector // ENTRY)  # of a root folder outside the clusters
    for cluster in islice(_heads(reader, start, shape, clusters), MOST_HEADS):
        at = shape.data + (cluster - 2) * shape.cluster
        try:
            data = reader.read_at(start + at, 2 * ENTRY)
        except UnreadableError:
            continue
        if (
            _cluster(data[:ENTRY], ITSELF, shape) == cluster
            and _cluster(data[ENTRY:], ABOVE, shape) in parents
        ):
            yield Top(cluster, at // sector, FIRST_RECORD + slots + (cluster - 2) * (shape.cluster // ENTRY))


def _heads(reader: Reader, start: int, shape: Layout, clusters: int) -> Iterator[int]:
    """Yield the clusters in use that are behind no other, which are the first ones of files and folders."""
    behind = np.zeros(clusters, bool)
    for _, links in _upto(clusters, table(reader, start, shape)):
        behind[links[(links >= 2) & (links < clusters + 2)].astype(np.int64) - 2] = True
    for first, links in _upto(clusters, table(reader, start, shape)):
        used = links[: clusters - first] != 0
        yield from (np.flatnonzero(used & ~behind[first : first + len(used)]) + first + 2).tolist()


def _upto(clusters: int, parts: Iterator[tuple[int, np.ndarray]]) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the parts of a table that tell of clusters which are there, however many it claims."""
    return takewhile(lambda part: part[0] < clusters, parts)


def _cluster(entry: bytes, name: bytes, shape: Layout) -> int | None:
    """Return the cluster that an entry names, None where it is no folder of that name."""
    if len(entry) < ENTRY or entry[:11] != name or not entry[11] & FOLDER:
        return None
    high, low = struct.unpack_from("<H4xH", entry, 20)
    return int(low) if shape.clusters < MEDIUM else int(high << 16 | low)
