"""PCG32 (M. O'Neill, "PCG", 2014) on its default stream: a congruence of 64 bits, permuted."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.crypto.generators.generator import Fill, Generator, Rows, Seeds

MULTIPLIER = 6364136223846793005
INCREMENT = 1442695040888963407  # of the default stream
LONG = (1 << 64) - 1


def outputs(seed: int, increment: int = INCREMENT) -> Iterator[int]:
    """Yield the outputs of ``seed`` on the stream of ``increment``."""
    state = ((seed + increment) * MULTIPLIER + increment) & LONG
    while True:
        word = (state >> 18 ^ state) >> 27 & 0xFFFFFFFF
        turn = state >> 59
        yield (word >> turn | word << (-turn % 32)) & 0xFFFFFFFF
        state = (state * MULTIPLIER + increment) & LONG


def _rows(first: int, count: int) -> Fill:
    from unransom.crypto.generators.kernels.pcg import fill  # noqa: PLC0415 numba is slow to load

    def filled(seeds: Seeds, out: Rows) -> None:
        fill(seeds, first, out)

    del count
    return filled


GENERATOR = Generator(
    name="pcg32",
    title="PCG32",
    seed_bits=64,
    bits=32,
    outputs=outputs,
    rows=_rows,
    source="https://www.pcg-random.org",
    per_second=2e8,
)
