"""Marsaglia's xorshift generators (G. Marsaglia, "Xorshift RNGs", 2003): what they share."""

from __future__ import annotations

from collections.abc import Iterator

LONG = (1 << 64) - 1


def split(seed: int) -> Iterator[int]:
    """Yield the outputs of SplitMix64, which others are seeded with (G. Steele and others, 2014)."""
    while True:
        seed = (seed + 0x9E3779B97F4A7C15) & LONG
        word = (seed ^ seed >> 30) * 0xBF58476D1CE4E5B9 & LONG
        word = (word ^ word >> 27) * 0x94D049BB133111EB & LONG
        yield word ^ word >> 31
