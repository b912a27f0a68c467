"""Where any of sixteen words of four bytes stands, at every byte offset, in one pass over memory."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint32]

ANCHORS = 16
BLOCK = 512  # words that are tested before a branch


@njit(nogil=True)
def _none_in(words: Words, count: int, anchors: Words) -> bool:
    """Return whether none of the first ``count`` words is an anchor.

    The least exclusive or is zero where a word is one: without a branch, the loop becomes vector code.
    """
    a, b, c, d, e, f, g, h = (
        anchors[0], anchors[1], anchors[2], anchors[3], anchors[4], anchors[5], anchors[6], anchors[7],
    )  # fmt: skip
    i, j, k, l, m, n, o, p = (  # noqa: E741
        anchors[8], anchors[9], anchors[10], anchors[11], anchors[12], anchors[13], anchors[14], anchors[15],
    )  # fmt: skip
    least = np.uint32(0xFFFFFFFF)
    for index in range(count):
        w = words[index]
        first = min(min(min(w ^ a, w ^ b), min(w ^ c, w ^ d)), min(min(w ^ e, w ^ f), min(w ^ g, w ^ h)))  # noqa: PLW3301
        second = min(min(min(w ^ i, w ^ j), min(w ^ k, w ^ l)), min(min(w ^ m, w ^ n), min(w ^ o, w ^ p)))  # noqa: PLW3301
        least = min(least, min(first, second))  # noqa: PLW3301 in pairs: a chain would wait for itself
    return least != 0


@njit(cache=True, nogil=True)
def find_anchors(memory: Bytes, anchors: Words, places: NDArray[np.int64], which: Bytes) -> int:
    """Fill ``places`` and ``which`` with where anchors stand; return how many do.

    Args:
        memory: The bytes.
        anchors: ``ANCHORS`` words.
        places: Room for the positions; what does not fit is left out.
        which: Room for the number of the anchor at each.
    """
    found = 0
    for shift in range(4):
        words = memory[shift : shift + (len(memory) - shift) // 4 * 4].view(np.uint32)
        for start in range(0, len(words), BLOCK):
            count = min(BLOCK, len(words) - start)
            if _none_in(words[start:], count, anchors):
                continue
            for index in range(start, start + count):
                for number in range(ANCHORS):
                    if words[index] == anchors[number] and found < len(places):
                        places[found], which[found] = 4 * index + shift, number
                        found += 1
                        break
    return found
