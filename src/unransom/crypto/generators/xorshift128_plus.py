"""xorshift128+, shifts 23, 18 and 5, its two words drawn from SplitMix64."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.crypto.generators.generator import Fill, Generator, Rows, Seeds
from unransom.crypto.generators.xorshifts import LONG, split


def _outputs(seed: int) -> Iterator[int]:
    words = split(seed)
    one, two = next(words), next(words)
    while True:
        total = one + two & LONG
        one ^= one << 23 & LONG
        one, two = two, one ^ two ^ one >> 18 ^ two >> 5
        yield total


def _rows(first: int, count: int) -> Fill:
    from unransom.crypto.generators.kernels.xorshift import xorshift128_plus  # noqa: PLC0415 numba is slow to load

    def filled(seeds: Seeds, out: Rows) -> None:
        xorshift128_plus(seeds, first, out)

    del count
    return filled


GENERATOR = Generator(
    name="xorshift128-plus",
    title="xorshift128+",
    seed_bits=64,
    bits=64,
    outputs=_outputs,
    rows=_rows,
    source="S. Vigna, Further scramblings of Marsaglia's xorshift generators, 2017",
    per_second=2e8,
)
