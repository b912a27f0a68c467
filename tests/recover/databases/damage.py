"""What lockers do to a file of pages: the patterns that the figures are stated for.

All take and return bytes in memory; the random bytes come from a seed, so that every run damages alike.
"""

from __future__ import annotations

import random
from collections.abc import Callable

BLOCK = 64 * 1024
HOLE = 4096


def _holes(data: bytes, places: list[tuple[int, int]], zero_page: int = 0) -> bytes:
    noise = random.Random(64)
    out = bytearray(data)
    for start, length in places:
        end = min(start + length, len(out))
        out[start:end] = noise.randbytes(max(end - start, 0))
    if zero_page:
        out[:zero_page] = bytes(zero_page)
    return bytes(out)


def _every_eighth(data: bytes, first: int, shift: int = 0) -> list[tuple[int, int]]:
    return [(start + shift, BLOCK) for start in range(first * BLOCK, len(data), 8 * BLOCK)]


PATTERNS: dict[str, Callable[[bytes], bytes]] = {
    # Every eighth 64 KiB random, and page 0 zero; the same without page 0.
    "A": lambda data: _holes(data, _every_eighth(data, 7), 16384),
    "A0": lambda data: _holes(data, _every_eighth(data, 7)),
    # Only page 0 zero; the first 64 KiB random.
    "P0": lambda data: _holes(data, [], 16384),
    "H": lambda data: _holes(data, [(0, BLOCK)]),
    # Every eighth 64 KiB with the first; the first half.
    "B": lambda data: _holes(data, _every_eighth(data, 0)),
    "F": lambda data: _holes(data, [(0, len(data) // 2)]),
    # B off the pages' beat; 4 KiB in every 32 KiB, so that every second page is hit.
    "T": lambda data: _holes(data, _every_eighth(data, 0, 5000)),
    # 128 bytes in every 128 KiB, which takes the heads of pages.
    "K": lambda data: _holes(data, [(start, 128) for start in range(0, len(data), 128 * 1024)]),
    "S": lambda data: _holes(data, [(start, HOLE) for start in range(8192, len(data), 32768)]),
}
