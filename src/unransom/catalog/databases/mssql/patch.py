"""One page put together from damaged copies of it: accepted only if its checksum then holds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.mssql.pages import Soundness, headers_of, judge

GAP = 24  # equal bytes between two places of damage; random bytes are equal to others once in 256
MOST = 12  # places of damage that are tried in all combinations: 2**-20 for a wrong one to pass


def patched(copies: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8] | None:
    """Return the page that two of ``copies`` make together, None where none has a checksum that holds."""
    for first, second in combinations(copies, 2):
        places = _differences(first, second)
        if not 0 < len(places) <= MOST:
            continue
        tries = np.repeat(first[None, :], 1 << len(places), axis=0)
        for row, choice in enumerate(product((False, True), repeat=len(places))):
            for (start, end), other in zip(places, choice, strict=True):
                if other:
                    tries[row, start:end] = second[start:end]
        good = np.flatnonzero(judge(tries, headers_of(tries)) == Soundness.VALID)
        if len(good) == 1:
            return tries[good[0]]
    return None


def _differences(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Return the ranges where two copies differ, near ones joined."""
    different = np.flatnonzero(first != second)
    if len(different) == 0:
        return []
    breaks = np.flatnonzero(np.diff(different) > GAP)
    starts = different[np.concatenate(([0], breaks + 1))]
    ends = different[np.concatenate((breaks, [len(different) - 1]))] + 1
    return list(zip(starts.tolist(), ends.tolist(), strict=True))
