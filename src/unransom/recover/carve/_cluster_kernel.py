"""Hashes of clusters, and which may be pages of databases; compiled, import it only where it is needed."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np
from numba import njit

MIX, TURN = np.uint64(0x9E3779B97F4A7C15), np.uint64(29)
BACK = np.uint64(64) - TURN
MSSQL, INNODB, SQLITE = 1, 2, 3


@njit(cache=True, nogil=True)
def hash_clusters(words, per_cluster, hashes):
    """Write a hash of each cluster to ``hashes``; 0 for one that repeats a single word.

    Args:
        words: uint64, the clusters one after another.
        per_cluster: Words of a cluster, a multiple of four: so many are mixed side by side.
        hashes: uint64, one a cluster.
    """
    for index in range(len(hashes)):
        start = index * per_cluster
        first = words[start]
        differs = np.uint64(0)
        one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
        for at in range(start, start + per_cluster, 4):
            one = (one ^ words[at]) * MIX
            two = (two ^ words[at + 1]) * MIX
            three = (three ^ words[at + 2]) * MIX
            four = (four ^ words[at + 3]) * MIX
            one = one << TURN | one >> BACK
            two = two << TURN | two >> BACK
            three = three << TURN | three >> BACK
            four = four << TURN | four >> BACK
            differs |= (words[at] ^ first) | (words[at + 1] ^ first)
            differs |= (words[at + 2] ^ first) | (words[at + 3] ^ first)
        mixed = one
        for each in (two, three, four):
            mixed = (mixed ^ each) * MIX
            mixed = mixed << TURN | mixed >> BACK
        hashes[index] = mixed if differs else np.uint64(0)


@njit(cache=True, nogil=True)
def likely_pages(data, cluster, likely):
    """Write for each cluster which databases may have it as the beginning of a page.

    Args:
        data: uint8, the clusters one after another.
        cluster: Bytes of one.
        likely: uint8, one a cluster: `MSSQL`, `INNODB`, `SQLITE`, or 0.
    """
    for index in range(len(likely)):
        at = index * cluster
        first = data[at]
        likely[index] = 0
        if first == 1 and 1 <= data[at + 1] <= 20:
            likely[index] = MSSQL if not data[at + 64 : at + 96].any() else 0
        elif first in (2, 5, 10, 13) and data[at + 7] <= 60:
            cells = data[at + 3] * 256 + data[at + 4]
            content = data[at + 5] * 256 + data[at + 6]
            likely[index] = SQLITE if cells > 0 and 8 + 2 * cells <= content else 0
        if not likely[index] and not data[at + 26 : at + 34].any() and data[at + 16 : at + 24].any():
            likely[index] = INNODB
