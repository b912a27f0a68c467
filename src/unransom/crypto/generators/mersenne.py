"""The Mersenne Twister, MT19937, as the languages seed it (M. Matsumoto and T. Nishimura, 1998)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from unransom.crypto.generators.generator import Fill, Generator, Rows, Seeds

SIZE, MIDDLE = 624, 397
UPPER, LOWER = 0x80000000, 0x7FFFFFFF
TWIST = 0x9908B0DF
WORD = 0xFFFFFFFF
ARRAY_SEED = 19650218  # that an array of words is mixed into


def begun(seed: int) -> list[int]:
    """Return the state that follows from one word."""
    state = [seed & WORD]
    for index in range(1, SIZE):
        state.append((1812433253 * (state[-1] ^ state[-1] >> 30) + index) & WORD)
    return state


def mixed(seed: int) -> list[int]:
    """Return the state that follows from the words of ``seed``, the lowest first."""
    words = [seed >> shift & WORD for shift in range(0, max(1, seed.bit_length()), 32)]
    state = begun(ARRAY_SEED)
    place = 1
    for step in range(max(SIZE, len(words))):
        index = step % len(words)
        state[place] ^= (state[place - 1] ^ state[place - 1] >> 30) * 1664525
        state[place] = (state[place] + words[index] + index) & WORD
        place = _after(state, place)
    for _ in range(SIZE - 1):
        state[place] ^= (state[place - 1] ^ state[place - 1] >> 30) * 1566083941
        state[place] = (state[place] - place) & WORD
        place = _after(state, place)
    state[0] = UPPER
    return state


def _after(state: list[int], place: int) -> int:
    """Return the place after ``place``; the first is a copy of the last, and not mixed itself."""
    if place + 1 < SIZE:
        return place + 1
    state[0] = state[-1]
    return 1


def twisted(state: list[int], *, legacy: bool = False) -> Iterator[int]:
    """Yield the outputs; PHP before 7.1 took the lowest bit of the wrong word."""
    while True:
        for place in range(SIZE):
            one, two = state[place], state[(place + 1) % SIZE]
            word = (one & UPPER | two & LOWER) >> 1
            odd = one & 1 if legacy else two & 1
            state[place] = state[(place + MIDDLE) % SIZE] ^ word ^ odd * TWIST
            yield _tempered(state[place])


def _tempered(word: int) -> int:
    word ^= word >> 11
    word ^= word << 7 & 0x9D2C5680
    word ^= word << 15 & 0xEFC60000
    return word ^ word >> 18


def rows(*, array: bool = False, legacy: bool = False) -> Callable[[int, int], Fill]:
    """Return ``Generator.rows`` of one that is seeded by an array of words or by one word."""

    def prepared(first: int, count: int) -> Fill:
        from unransom.crypto.generators.kernels import mersenne as kernels  # noqa: PLC0415 numba is slow to load

        del count
        fill = kernels.fill_mixed if array else kernels.fill_begun

        def filled(seeds: Seeds, out: Rows) -> None:
            fill(seeds, first, legacy, out)

        return filled

    return prepared


def generator(
    name: str, title: str, outputs: Callable[[int], Iterator[int]], *, source: str, **how: bool
) -> Generator:
    """Return a generator of the kind; ``how`` is that of :func:`rows`."""
    array = how.get("array", False)
    return Generator(
        name=name,
        title=title,
        seed_bits=64 if array else 32,
        bits=32,
        outputs=outputs,
        rows=rows(**how),
        source=source,
        per_second=2e6 if array else 1e7,
    )
