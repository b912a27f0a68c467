"""The kernel that adds up how well each key byte fits what stands before and behind."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def follow(
    locked: NDArray[np.uint8],
    plain: NDArray[np.uint8],
    length: int,
    followers: NDArray[np.float32],
    table: NDArray[np.float32],
    fold: int = 0,
    folds: int = 1,
) -> None:
    """Add to ``table`` how likely every key byte is at every position, from both neighbours.

    Args:
        locked: Content from position 0 of a keystream on.
        plain: What it opens to as far as that is known.
        length: Bytes after which the keystream repeats.
        followers: Logarithm of how often a value (the column) follows on another (the row).
        table: Per position and key byte, in bits.
        fold: The first position that is added to.
        folds: From it on every so many are.
    """
    last = len(locked) - 1
    for index in range(last + 1):
        if index % length % folds != fold:
            continue
        row = table[index % length]
        value = locked[index]
        before = followers[plain[index - 1]] if index else followers[0]
        behind = plain[index + 1] if index < last else plain[index]
        for key in range(256):
            here = value ^ key
            score = np.float32(0.0)
            if index:
                score += before[here]
            if index < last:
                score += followers[here, behind]
            row[key] += score
