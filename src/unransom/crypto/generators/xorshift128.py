"""xorshift of 128 bits, shifts 11, 8 and 19: the seed is its last word, the others are those of the paper."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.crypto.generators.generator import Fill, Generator, Rows, Seeds

FIRST = (123456789, 362436069, 521288629)  # words of the state before the seed; its own default is 88675123


def _outputs(seed: int) -> Iterator[int]:
    x, y, z, w = *FIRST, seed & 0xFFFFFFFF
    while True:
        word = (x ^ x << 11) & 0xFFFFFFFF
        x, y, z = y, z, w
        w = w ^ w >> 19 ^ word ^ word >> 8
        yield w


def _rows(first: int, count: int) -> Fill:
    from unransom.crypto.generators.kernels.xorshift import xorshift128  # noqa: PLC0415 numba is slow to load

    def filled(seeds: Seeds, out: Rows) -> None:
        xorshift128(seeds, first, out)

    del count
    return filled


GENERATOR = Generator(
    name="xorshift128",
    title="xorshift128",
    seed_bits=32,
    bits=32,
    outputs=_outputs,
    rows=_rows,
    source="G. Marsaglia, Xorshift RNGs, Journal of Statistical Software 8 (14), 2003",
    per_second=2e8,
)
