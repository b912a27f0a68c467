"""randrange(256) and randint(0, 255) of Python: nine bits, drawn again where they are more than a byte."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from unransom.crypto.generators.generator import Fill, Generator, Rows, Seeds
from unransom.crypto.generators.mersenne import mixed, twisted

TOP, BYTE = 31, 23  # the bit that must not be set, and where the byte begins
SPARE = 16  # times the root of the count is drawn beyond twice the count: no lane of any search runs short


def _outputs(seed: int) -> Iterator[int]:
    return (word >> BYTE for word in twisted(mixed(seed)) if not word >> TOP)


def _rows(first: int, count: int) -> Fill:
    from unransom.crypto.generators.kernels import mersenne as kernels  # noqa: PLC0415 numba is slow to load

    total = first + count
    drawn = 2 * total + SPARE * (math.isqrt(total) + 1)

    def filled(seeds: Seeds, out: Rows) -> None:
        words = np.empty((drawn, len(seeds)), np.uint32)
        kernels.fill_mixed(seeds, 0, False, words)
        kernels.bytes_of(words, first, out)

    return filled


GENERATOR = Generator(
    name="mt19937-byte",
    title="Python random.randrange of 256",
    seed_bits=64,
    bits=8,
    outputs=_outputs,
    rows=_rows,
    source="Lib/random.py of CPython, _randbelow_with_getrandbits",
    per_second=2e6,
)
