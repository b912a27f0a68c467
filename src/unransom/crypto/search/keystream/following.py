"""The kernel that adds up how well each key byte fits what stands before and behind."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def follow(
    locked: NDArray[np.uint8],
    plain: NDArray[np.uint8],
    followers: NDArray[np.float32],
    table: NDArray[np.float32],
    fold: int = 0,
    folds: int = 1,
    step: int = 1,
) -> None:
    """Add to ``table`` how likely every key byte is at every position, from both neighbours.

    Args:
        locked: Content from position 0 of a keystream on.
        plain: What it opens to as far as that is known.
        followers: Logarithm of how often a value (the column) follows on another (the row).
        table: Per position of the keystream, which repeats after so many bytes, and key byte, in bits.
        fold: The first position that is added to.
        folds: From it on every so many are.
        step: Bytes from a value to the one that follows on it.
    """
    for index in range(len(locked)):
        if index % len(table) % folds == fold:
            _add(index, locked, plain, followers, table, step)


@njit(cache=True, nogil=True)
def follow_at(
    places: NDArray[np.int64],
    locked: NDArray[np.uint8],
    plain: NDArray[np.uint8],
    followers: NDArray[np.float32],
    table: NDArray[np.float32],
) -> None:
    """Add to ``table`` as ``follow`` does, for some ``places`` of the content alone."""
    for index in places:
        _add(index, locked, plain, followers, table, 1)


@njit(cache=True, nogil=True)
def _add(
    index: int,
    locked: NDArray[np.uint8],
    plain: NDArray[np.uint8],
    followers: NDArray[np.float32],
    table: NDArray[np.float32],
    step: int,
) -> None:
    last = len(locked) - step
    row = table[index % len(table)]
    value = locked[index]
    before = followers[plain[index - step]] if index >= step else followers[0]
    behind = plain[index + step] if index < last else plain[index]
    for key in range(256):
        here = value ^ key
        score = np.float32(0.0)
        if index >= step:
            score += before[here]
        if index < last:
            score += followers[here, behind]
        row[key] += score


@njit(cache=True, nogil=True)
def chain(
    locked: NDArray[np.uint8],
    ring: NDArray[np.int64],
    step: int,
    followers: NDArray[np.float32],
    key: NDArray[np.uint8],
    margin: NDArray[np.float32],
    far: int,
) -> None:
    """Set the bytes of a key, each by what the one before it opens; that of the first place is known.

    Args:
        locked: Content from position 0 of a key on.
        ring: Places of the key, each ``step`` behind the one before it, around the key's end.
        step: Bytes from a value to the one that follows on it.
        followers: Logarithm of how often a value (the column) follows on another (the row).
        key: Its bytes, by place; it repeats after so many.
        margin: Per place, by how much its byte is likelier than any that is far from it.
        far: What far bytes differ by at least.
    """
    score, length = np.empty(256, np.float32), len(key)
    for link in range(1, len(ring)):
        at, before = ring[link], key[ring[link - 1]]
        score[:] = 0.0
        for index in range(at if at >= step else at + length, len(locked), length):
            likely = followers[locked[index - step] ^ before]
            value = locked[index]
            for candidate in range(256):
                score[candidate] += likely[value ^ candidate]
        best = score.argmax()
        key[at] = best
        other = np.float32(-np.inf)
        for candidate in range(256):
            if candidate ^ best >= far:
                other = max(other, score[candidate])
        margin[at] = score[best] - other
