"""What clusters hold, told from a sample of their bytes; compiled, import it only where it is needed."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np
from numba import njit

ZERO, TEXT, DENSE, OTHER = range(4)
LINE = 64  # bytes that are looked at together: what the processor fetches anyway
LINES = 4  # of them for each cluster
UNIFORM = 400  # chi-square below which a sample may be compressed or encrypted; random has 255


@njit(cache=True, nogil=True)
def begins(data, sector, pairs, offsets, words, found):
    """Write for each sector whether it begins as a file may.

    Args:
        data: uint8, the sectors one after another.
        sector: Bytes of one.
        pairs: bool, for each pair of first bytes, the first of them low, whether a file may begin with it.
        offsets: int64, where in a sector another mark may stand.
        words: uint8, the four bytes of each of these marks, a row each.
        found: bool, one a sector.
    """
    for index in range(len(found)):
        start = index * sector
        found[index] = pairs[np.int64(data[start]) | np.int64(data[start + 1]) << 8]
        for number in range(len(offsets)):
            at = start + offsets[number]
            if data[at] == words[number, 0] and data[at + 1] == words[number, 1]:
                found[index] |= data[at + 2] == words[number, 2] and data[at + 3] == words[number, 3]


@njit(cache=True, nogil=True)
def classify(data, cluster, control, classes):
    """Write the class of each cluster to ``classes``.

    Args:
        data: uint8, the clusters one after another.
        cluster: Bytes of one.
        control: bool, for each byte whether it stands in no text.
        classes: uint8, one a cluster.
    """
    counts = np.zeros(256, np.int64)
    step = cluster // LINES
    looked = LINES * LINE
    for index in range(len(classes)):
        start = index * cluster
        counts[:] = 0
        pairs = 0  # of equal bytes, which tells how far from uniform they are
        binary = 0
        for line in range(start, start + cluster, step):
            for at in range(line, line + LINE):
                byte = data[at]
                pairs += counts[byte]
                counts[byte] += 1
                binary += control[byte]
        if counts[0] == looked:
            at = start
            while at < start + cluster and data[at] == 0:
                at += 1
            classes[index] = ZERO if at == start + cluster else OTHER
        elif (2 * pairs + looked) * 256 - looked * looked < UNIFORM * looked:
            classes[index] = DENSE
        elif binary == 0:
            classes[index] = TEXT
        else:
            classes[index] = OTHER
