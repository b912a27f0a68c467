"""Ways in which lockers change a file, in memory; random bytes stand for encrypted ones."""

from __future__ import annotations

import random
from collections.abc import Callable


def scramble(data: bytes, *spans: tuple[int, int], seed: int = 1) -> bytes:
    """Return ``data`` with random bytes in the spans."""
    source = random.Random(seed)
    out = bytearray(data)
    for start, end in spans:
        out[start:end] = source.randbytes(max(0, min(end, len(out)) - start))
    return bytes(out)


def every(data: bytes, locked: int, step: int, first: int = 0) -> bytes:
    """Return ``data`` with ``locked`` bytes of each ``step`` random, from ``first`` on."""
    return scramble(data, *((start, start + locked) for start in range(first, len(data), step)))


LOCKINGS: dict[str, Callable[[bytes], bytes]] = {
    "whole": lambda data: scramble(data, (0, len(data))),
    "head": lambda data: scramble(data, (0, 65536)),
    "blocks": lambda data: every(data, 4096, 8192),
    "other blocks": lambda data: every(data, 4096, 8192, 4096),
    "stripes": lambda data: every(data, 64, 192),
    "footer": lambda data: data + random.Random(2).randbytes(534),
}
