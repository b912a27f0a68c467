"""math/rand of Go with a seed: sums of 64 bits, 607 and 273 outputs back.

Go mixes the seed with a table of 607 numbers, the state of the same generator after 7.8e12 steps. It is
computed here, for the state after any number of steps is a product of polynomials.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from unransom.crypto.generators.generator import Fill, Generator, Rows, Seeds

SIZE, TAP = 607, 273
MULTIPLIER, PRIME = 48271, (1 << 31) - 1
ZERO = 89482311  # stands for a seed of 0
DISCARDED = 20  # numbers of the generator that the seed is stretched with
STEPS = 7_800_000_000_000  # of the generator with seed 1, for the table
MASK = (1 << 64) - 1


def _stretched(seed: int, shift: int) -> list[int]:
    """Return 607 words of three numbers each that follow from ``seed``, ``shift`` bits apart."""
    number = seed % PRIME or ZERO
    numbers = []
    for _ in range(DISCARDED + 3 * SIZE):
        number = number * MULTIPLIER % PRIME
        numbers.append(number)
    rest = iter(numbers[DISCARDED:])
    return [
        (high << 2 * shift ^ middle << shift ^ low) & MASK
        for high, middle, low in zip(rest, rest, rest, strict=True)
    ]


@cache
def table() -> tuple[int, ...]:
    """Return the 607 numbers that Go calls ``rngCooked``, of 64 bits.

    The state is a window of 607 outputs of ``y[n] = y[n-607] + y[n-273]``: output ``n`` is the sum of
    those in the first window, times the coefficients of ``x**n`` modulo ``x**607 - x**334 - 1``.
    """
    # Place 333 is the oldest of the window, then 332 down to 0, then 606 down to 334.
    places = [(SIZE - TAP - 1 - index) % SIZE for index in range(SIZE)]
    window = np.array(_stretched(1, 10), np.uint64)[places]
    power = _power(STEPS)
    outputs = []
    for _ in range(SIZE):
        outputs.append(int((power * window).sum()))
        power = _reduced(np.concatenate([[np.uint64(0)], power]))
    # After so many steps the place that is written next has moved on.
    cooked = [0] * SIZE
    for index, output in enumerate(outputs):
        cooked[(SIZE - TAP - 1 - STEPS - index) % SIZE] = output
    return tuple(cooked)


def _power(exponent: int) -> NDArray[np.uint64]:
    """Return ``x**exponent`` as 607 coefficients, from the lowest on, modulo 2**64."""
    power = np.zeros(SIZE, np.uint64)
    power[0] = 1
    for bit in bin(exponent)[2:]:
        product = np.zeros(2 * SIZE, np.uint64)
        for index in range(SIZE):
            product[index : index + SIZE] += power[index] * power
        if bit == "1":
            product = np.roll(product, 1)
        power = _reduced(product)
    return power


def _reduced(product: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return ``product`` less multiples of ``x**607 - x**334 - 1``."""
    product = product.copy()
    end = len(product)
    while end > SIZE:
        start = max(SIZE, end - TAP)  # of the highest coefficients, which do not fall on one another
        product[start - SIZE : end - SIZE] += product[start:end]
        product[start - TAP : end - TAP] += product[start:end]
        end = start
    return product[:SIZE]


def _outputs(seed: int) -> Iterator[int]:
    state = [word ^ cooked for word, cooked in zip(_stretched(_signed(seed), 20), table(), strict=True)]
    tap, feed = 0, SIZE - TAP
    while True:
        tap, feed = (tap - 1) % SIZE, (feed - 1) % SIZE
        state[feed] = (state[feed] + state[tap]) & MASK
        yield state[feed]


def _signed(seed: int) -> int:
    return seed - (seed >> 63 << 64)


def _rows(first: int, count: int) -> Fill:
    from unransom.crypto.generators.kernels.go import fill  # noqa: PLC0415 numba is slow to load

    factors = np.array(
        [pow(MULTIPLIER, DISCARDED + 1 + index, PRIME) for index in range(3 * SIZE)], np.uint64
    )
    cooked = np.array(table(), np.uint64)

    def filled(seeds: Seeds, out: Rows) -> None:
        # A signed remainder, as Python takes it.
        numbers = (seeds.astype(np.int64) % PRIME).astype(np.uint64)
        numbers[numbers == 0] = ZERO
        fill(numbers, factors, cooked, first, out)

    del count
    return filled


GENERATOR = Generator(
    name="go",
    title="Go math/rand",
    seed_bits=31,
    bits=64,
    outputs=_outputs,
    rows=_rows,
    source="math/rand/rng.go and gen_cooked.go of Go",
    per_second=1e7,
    limitations=("math/rand/v2 is another generator.",),
)
