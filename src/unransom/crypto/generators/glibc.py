"""rand() of the GNU C library as programs have it, TYPE_3: sums of words 3 and 31 back, 31 bits of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from unransom.crypto.generators.generator import Fill, Generator, Rows, Seeds

DEGREE, DISTANCE = 31, 3  # words of the state, and between the two that are added
DISCARDED = 310
MULTIPLIER, PRIME = 16807, (1 << 31) - 1


def _outputs(seed: int) -> Iterator[int]:
    word = seed & 0xFFFFFFFF or 1
    word -= word >> 31 << 32  # the seed is a signed number
    state = deque([word & 0xFFFFFFFF], DEGREE)
    for _ in range(DEGREE - 1):
        # glibc gets there without long numbers, by Schrage's method; the remainder is never negative.
        word = word * MULTIPLIER % PRIME
        state.append(word)
    state.rotate(-DISTANCE)  # words 31 to 33 repeat words 0 to 2
    for number in range(1 << 62):
        state.append((state[0] + state[-DISTANCE]) & 0xFFFFFFFF)
        if number >= DISCARDED:
            yield state[-1] >> 1


def _rows(first: int, count: int) -> Fill:
    from unransom.crypto.generators.kernels.glibc import fill  # noqa: PLC0415 numba is slow to load

    def filled(seeds: Seeds, out: Rows) -> None:
        fill(seeds, DISCARDED + first, out)

    del count
    return filled


GENERATOR = Generator(
    name="glibc",
    title="glibc rand()",
    seed_bits=32,
    bits=31,
    outputs=_outputs,
    rows=_rows,
    source="stdlib/random_r.c of glibc",
    per_second=1e8,
)
