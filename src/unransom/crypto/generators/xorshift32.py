"""xorshift of 32 bits, shifts 13, 17 and 5: the seed is the state."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.crypto.generators.generator import Fill, Generator, Rows, Seeds


def _outputs(seed: int) -> Iterator[int]:
    word = seed & 0xFFFFFFFF
    while True:
        word ^= word << 13 & 0xFFFFFFFF
        word ^= word >> 17
        word ^= word << 5 & 0xFFFFFFFF
        yield word


def _rows(first: int, count: int) -> Fill:
    from unransom.crypto.generators.kernels.xorshift import xorshift32  # noqa: PLC0415 numba is slow to load

    def filled(seeds: Seeds, out: Rows) -> None:
        xorshift32(seeds, first, out)

    del count
    return filled


GENERATOR = Generator(
    name="xorshift32",
    title="xorshift32",
    seed_bits=32,
    bits=32,
    outputs=_outputs,
    rows=_rows,
    source="G. Marsaglia, Xorshift RNGs, Journal of Statistical Software 8 (14), 2003",
    per_second=2e8,
)
