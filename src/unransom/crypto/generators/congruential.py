"""Linear congruential generators: any output is the seed times one number plus another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from unransom.crypto.generators.generator import WORD, Fill, Generator, Rows, Seeds


class Congruence(msgspec.Struct, frozen=True, kw_only=True):
    """How a state follows from the one before, and an output from the state.

    Attributes:
        multiplier, increment: ``state * multiplier + increment``, modulo two to the ``state_bits``.
        state_bits: At most 64.
        shift, bits: An output is ``bits`` bits of the state, from bit ``shift`` on.
        scramble: What the seed is combined with by exclusive or, before all else.
        widen, first: The first state is ``seed * widen + first``.
        zero: Stands for a seed of 0.
    """

    multiplier: int
    increment: int
    state_bits: int
    shift: int
    bits: int
    scramble: int = 0
    widen: int = 1
    first: int = 0
    zero: int = 0

    def outputs(self, seed: int) -> Iterator[int]:
        """Yield the outputs of ``seed``."""
        state = ((seed or self.zero) ^ self.scramble) * self.widen + self.first
        while True:
            state = (state * self.multiplier + self.increment) % (1 << self.state_bits)
            yield state >> self.shift & (1 << self.bits) - 1

    def rows(self, first: int, count: int) -> Fill:
        """Return what fills rows with outputs ``first`` up to ``first + count``."""
        from unransom.crypto.generators.kernels import congruential as kernels  # noqa: PLC0415 numba is slow to load

        kind: Any = np.uint64 if self.state_bits > WORD else np.uint32
        fill: Any = kernels.fill64 if self.state_bits > WORD else kernels.fill32
        factors, terms = self._jumps(first, count)
        factor, term = np.array(factors, np.uint64).astype(kind), np.array(terms, np.uint64).astype(kind)
        scramble, shift = kind(self.scramble), kind(self.shift)
        mask = kind((1 << min(self.bits, self.state_bits - self.shift)) - 1)

        def filled(seeds: Seeds, out: Rows) -> None:
            narrow = seeds.astype(kind)
            if self.zero:
                narrow[narrow == 0] = self.zero
            fill(narrow, scramble, factor, term, shift, mask, out)

        return filled

    def _jumps(self, first: int, count: int) -> tuple[list[int], list[int]]:
        """Return for each state what the scrambled seed is multiplied by, and what is added."""
        modulus = 1 << self.state_bits
        factor, term = self._power(first + 1)
        factors, terms = [], []
        for _ in range(count):
            factors.append(factor * self.widen % modulus)
            terms.append((factor * self.first + term) % modulus)
            factor, term = (
                factor * self.multiplier % modulus,
                (term * self.multiplier + self.increment) % modulus,
            )
        return factors, terms

    def _power(self, steps: int) -> tuple[int, int]:
        """Return multiplier and increment of ``steps`` steps at once (F. Brown, 1994)."""
        modulus = 1 << self.state_bits
        factor, term = 1, 0
        multiplier, increment = self.multiplier, self.increment
        while steps:
            if steps & 1:
                factor, term = factor * multiplier % modulus, (term * multiplier + increment) % modulus
            increment = (multiplier + 1) * increment % modulus
            multiplier = multiplier * multiplier % modulus
            steps >>= 1
        return factor, term


def generator(name: str, title: str, congruence: Congruence, source: str, *, seed_bits: int) -> Generator:
    """Return the generator of ``congruence``."""
    return Generator(
        name=name,
        title=title,
        seed_bits=seed_bits,
        bits=congruence.bits,
        outputs=congruence.outputs,
        rows=congruence.rows,
        source=source,
        per_second=4e8,
    )
