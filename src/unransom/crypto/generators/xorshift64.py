"""xorshift of 64 bits, shifts 13, 7 and 17: the seed is the state."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.crypto.generators.generator import Fill, Generator, Rows, Seeds
from unransom.crypto.generators.xorshifts import LONG


def _outputs(seed: int) -> Iterator[int]:
    word = seed & LONG
    while True:
        word ^= word << 13 & LONG
        word ^= word >> 7
        word ^= word << 17 & LONG
        yield word


def _rows(first: int, count: int) -> Fill:
    from unransom.crypto.generators.kernels.xorshift import xorshift64  # noqa: PLC0415 numba is slow to load

    def filled(seeds: Seeds, out: Rows) -> None:
        xorshift64(seeds, first, out)

    del count
    return filled


GENERATOR = Generator(
    name="xorshift64",
    title="xorshift64",
    seed_bits=64,
    bits=64,
    outputs=_outputs,
    rows=_rows,
    source="G. Marsaglia, Xorshift RNGs, Journal of Statistical Software 8 (14), 2003",
    per_second=2e8,
)
