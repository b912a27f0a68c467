"""Statistics that tell encrypted bytes from all others.

Encrypted bytes are uniform and independent. Over a block of n bytes the chi-square of the byte
histogram against uniform then has mean 255 and standard deviation sqrt(510), whatever n is.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

DEVIATION = 510**0.5  # of chi-square with 255 degrees of freedom


def chi_square(data: bytes | memoryview) -> float:
    """Return the chi-square of the byte histogram of ``data`` against uniform; 0.0 for no data."""
    if not data:
        return 0.0
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    expected = len(data) / 256
    return float(((counts - expected) ** 2).sum() / expected)


def entropy(data: bytes | memoryview) -> float:
    """Return the entropy of the byte histogram of ``data`` in bits per byte, 0.0 to 8.0."""
    if not data:
        return 0.0
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    shares = counts[counts > 0] / len(data)
    return float(-(shares * np.log2(shares)).sum())


def block_chi_squares(data: bytes | memoryview, block: int) -> NDArray[np.float64]:
    """Return the chi-square of each whole block of ``block`` bytes in ``data``."""
    values = np.frombuffer(data, np.uint8)
    count = len(values) // block
    if count == 0:
        return np.empty(0)
    offsets = (np.arange(count, dtype=np.int64) << 8).repeat(block)
    counts = np.bincount(values[: count * block] + offsets, minlength=count << 8).reshape(count, 256)
    expected = block / 256
    return ((counts - expected) ** 2).sum(axis=1) / expected


def bits_of_few(faults: int, size: int, rate: float) -> float:
    """Return the bits by which so few faults are against chance: of a binomial's lower tail.

    Args:
        faults: Of ``size`` bytes those that are not as they should be.
        size: Bytes.
        rate: Bits for each byte that is as it should be; more than 0.
    """
    if faults >= size:
        return 0.0
    odd = math.log(2**rate - 1)  # of a byte to be a fault
    whole = math.lgamma(size + 1)
    ways = [whole - math.lgamma(n + 1) - math.lgamma(size - n + 1) + n * odd for n in range(faults + 1)]
    most = max(ways)
    return size * rate - (most + math.log(sum(math.exp(way - most) for way in ways))) / math.log(2)
