"""Generators that multiply modulo the prime 2**31 - 1: what they share."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from unransom.crypto.generators.generator import Fill, Generator, Rows, Seeds

PRIME = (1 << 31) - 1


class Lehmer(msgspec.Struct, frozen=True):
    """``state * multiplier + increment`` modulo the prime; each state is an output.

    Attributes:
        zero: Stands for a seed that is a multiple of the prime.
    """

    multiplier: int
    increment: int = 0
    zero: int = 1

    def outputs(self, seed: int) -> Iterator[int]:
        """Yield the outputs of ``seed``."""
        state = seed % PRIME or self.zero
        while True:
            state = (state * self.multiplier + self.increment) % PRIME
            yield state

    def rows(self, first: int, count: int) -> Fill:
        """Return what fills rows with outputs ``first`` up to ``first + count``."""
        from unransom.crypto.generators.kernels.lehmer import fill  # noqa: PLC0415 numba is slow to load

        steps = range(first + 1, first + 1 + count)
        factor = np.array([pow(self.multiplier, step, PRIME) for step in steps], np.uint64)
        # The sum of a geometric series.
        ratio = self.increment * pow(self.multiplier - 1, -1, PRIME)
        term = np.array([(int(each) - 1) * ratio % PRIME for each in factor], np.uint64)
        zero = np.uint64(self.zero)

        def filled(seeds: Seeds, out: Rows) -> None:
            fill(seeds, zero, factor, term, out)

        return filled


def generator(name: str, title: str, lehmer: Lehmer, source: str) -> Generator:
    """Return the generator of ``lehmer``."""
    return Generator(
        name=name,
        title=title,
        seed_bits=31,
        bits=31,
        outputs=lehmer.outputs,
        rows=lehmer.rows,
        source=source,
        per_second=2e8,
    )
