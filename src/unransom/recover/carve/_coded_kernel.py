"""Which clusters may be coded data of a JPEG image: by the markers that none has; compiled."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from numba import njit

END = 0xD9


@njit(cache=True, nogil=True)
def coded(data, cluster, legal, clusters):
    """Write for each cluster whether it has no marker that coded data never has, up to an end marker.

    Args:
        data: uint8, the clusters one after another.
        cluster: Bytes of one.
        legal: bool, for each byte whether it may follow 0xFF.
        clusters: bool, one a cluster.
    """
    for index in range(len(clusters)):
        start = index * cluster
        clusters[index] = True
        at = start
        while at < start + cluster - 1:
            if data[at] == 0xFF:
                if data[at + 1] == END:
                    break
                if not legal[data[at + 1]]:
                    clusters[index] = False
                    break
            at += 1
