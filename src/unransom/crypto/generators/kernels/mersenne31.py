"""Arithmetic modulo the prime 2**31 - 1, which three of the generators seed themselves with."""

from __future__ import annotations

import numpy as np
from numba import njit

PRIME = (1 << 31) - 1


@njit(nogil=True, inline="always")
def reduced(value: np.uint64) -> np.uint64:
    """Return ``value``, less than 2**62, modulo the prime."""
    folded = (value & np.uint64(PRIME)) + (value >> np.uint64(31))
    return folded - np.uint64(PRIME) if folded >= np.uint64(PRIME) else folded
