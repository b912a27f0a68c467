"""System.Random of .NET with a seed: Knuth's subtractive generator, numbers below 2**31 - 1.

Every output is the seed times one number plus another, modulo 2**31 - 1, but for two sums that overflow
32 bits where the seed is larger than 161803398. So a search needs none of the 220 steps of the seeding.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from unransom.crypto.generators.generator import Fill, Generator, Rows, Seeds

PRIME = (1 << 31) - 1
MAGIC = 161803398
WRAP = (1 << 32) % PRIME  # what a variable of 32 bits is off by when it overflows
SIZE, STEP, ROUNDS, DISTANCE = 55, 21, 4, 31


def _signed(number: int) -> int:
    """Return what a variable of 32 bits holds of ``number``."""
    return (number + (1 << 31)) % (1 << 32) - (1 << 31)


def _outputs(seed: int) -> Iterator[int]:
    seed = min(abs(_signed(seed)), PRIME)
    state = _filled(MAGIC - seed)
    for _ in range(ROUNDS):
        for place in range(1, SIZE + 1):
            state[place] = _signed(state[place] - state[1 + (place + DISTANCE - 1) % SIZE])
            state[place] += PRIME if state[place] < 0 else 0
    place, other = 0, STEP
    while True:
        place, other = place % SIZE + 1, other % SIZE + 1
        sample = state[place] - state[other]
        sample -= sample == PRIME
        state[place] = sample + (PRIME if sample < 0 else 0)
        yield state[place]


def _filled(last: int) -> list[int]:
    """Return the 55 numbers, from place 1 on, before they are mixed."""
    state = [0] * (SIZE + 1)
    state[SIZE], before, number = last, last, 1
    for index in range(1, SIZE):
        place = STEP * index % SIZE
        state[place] = number
        before, number = number, before - number
        number += PRIME if number < 0 else 0
    return state


class _Linear(msgspec.Struct, frozen=True):
    """A number as a sum: ``seed`` times the seed, plus ``one``, plus ``early`` and ``late`` where they apply.

    Attributes:
        early: What the first overflow, that of place 24, adds.
        late: What the second overflow, that of place 55, adds.
    """

    seed: int = 0
    one: int = 0
    early: int = 0
    late: int = 0

    def __sub__(self, other: _Linear) -> _Linear:
        pairs = zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True)
        return _Linear(*((left - right) % PRIME for left, right in pairs))


EARLY = SIZE - DISTANCE  # the place that the last number, which may be negative, is taken from first
NEAR = DISTANCE  # the place that is taken from the last number


def _sums(count: int) -> tuple[_Linear, _Linear, list[_Linear]]:
    """Return what the overflows depend on, the numbers at the places 24 and 31, and ``count`` outputs."""
    state = _filled_sums()
    early, near = state[EARLY], _Linear()
    for turn in range(ROUNDS):
        for place in range(1, SIZE + 1):
            near = state[NEAR] if not turn and place == SIZE else near
            state[place] -= state[1 + (place + DISTANCE - 1) % SIZE]
            if not turn and place == EARLY:
                state[place] = msgspec.structs.replace(state[place], early=PRIME - WRAP)
            if not turn and place == SIZE:
                state[place] = msgspec.structs.replace(state[place], late=WRAP)
    outputs = []
    for index in range(count):
        place, other = index % SIZE + 1, (index + STEP) % SIZE + 1
        state[place] -= state[other]
        outputs.append(state[place])
    return early, near, outputs


def _filled_sums() -> list[_Linear]:
    """Return what :func:`_filled` does, as sums."""
    last = _Linear(PRIME - 1, MAGIC)
    state = [last] * (SIZE + 1)
    before, number = last, _Linear(one=1)
    for index in range(1, SIZE):
        state[STEP * index % SIZE] = number
        before, number = number, before - number
    return state


def _rows(first: int, count: int) -> Fill:
    from unransom.crypto.generators.kernels.dotnet import fill  # noqa: PLC0415 numba is slow to load

    early, near, outputs = _sums(first + count)
    wanted = [early, near, *outputs[first:]]
    sums = np.array([msgspec.structs.astuple(each) for each in wanted], np.uint64)

    def filled(seeds: Seeds, out: Rows) -> None:
        fill(seeds, sums, out)

    return filled


GENERATOR = Generator(
    name="dotnet",
    title=".NET System.Random",
    seed_bits=31,
    bits=31,
    outputs=_outputs,
    rows=_rows,
    source="System.Random in the reference source of .NET; Knuth, The Art of Computer Programming, 3.2.2",
    per_second=1.5e8,
    limitations=(
        "Of 2**31 seeds, some two hundred hit 0 where 2**31 - 1 stands for it; a search may pass over those.",
        "The order of calls is that of all versions for a given seed, not of Random() without one in .NET 6.",
    ),
)
