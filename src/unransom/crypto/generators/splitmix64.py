"""SplitMix64: java.util.SplittableRandom, and what others are seeded with."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.crypto.generators.generator import Fill, Generator, Rows, Seeds
from unransom.crypto.generators.xorshifts import split


def _outputs(seed: int) -> Iterator[int]:
    return split(seed)


def _rows(first: int, count: int) -> Fill:
    from unransom.crypto.generators.kernels.xorshift import splitmix64  # noqa: PLC0415 numba is slow to load

    def filled(seeds: Seeds, out: Rows) -> None:
        splitmix64(seeds, first, out)

    del count
    return filled


GENERATOR = Generator(
    name="splitmix64",
    title="SplitMix64",
    seed_bits=64,
    bits=64,
    outputs=_outputs,
    rows=_rows,
    source="G. Steele, D. Lea and C. Flood, Fast splittable pseudorandom number generators, 2014",
    per_second=2e8,
)
