"""Whether two files are under one keystream: then the XOR of both is that of their originals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
LEAST = 512  # bytes from which a histogram tells
SIGMAS = 9.0
DEVIATION = 510**0.5  # of chi-square with 255 degrees of freedom
HEAD = 8  # first bytes that files of one format have in common, and random ones never
WINDOWS = (1 << 10, 1 << 12, 1 << 14, 1 << 16)  # bytes, as content may differ from random at its head only


def deviation(data: Bytes) -> float:
    """Return how far the histogram of ``data`` is from uniform, in standard deviations."""
    counts = np.bincount(data, minlength=256).astype(np.float64)
    chi = float((counts**2).sum()) * 256 / len(data) - len(data)
    return (chi - 255) / DEVIATION


def shares(first: Bytes, second: Bytes) -> bool:
    """Return whether two locked contents are under one keystream, as far as their first bytes show.

    Content that is not locked never is: each must look random by itself.
    """
    length = min(len(first), len(second), WINDOWS[-1])
    if length >= HEAD and np.array_equal(first[:HEAD], second[:HEAD]):
        return len(np.unique(first[: min(length, 256)])) > min(length, 256) // 3
    for window in WINDOWS:
        if length < LEAST or window > 2 * length:
            return False
        one, other = first[: min(window, length)], second[: min(window, length)]
        if deviation(one) < SIGMAS and deviation(other) < SIGMAS and deviation(one ^ other) > SIGMAS:
            return True
    return False
