"""Where the seed of a file lies when those of its neighbours are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from unransom.core.spans import Span, merge

SECOND = 1_000_000_000  # nanoseconds
NEAREST = 8  # neighbours by time that are gone by


def suggested(
    neighbours: Sequence[tuple[int, int]], modified: int, per_second: int, narrow: int, wide: int
) -> Iterator[Span]:
    """Yield seeds to try, the likeliest first; some of them again in a later span.

    Args:
        neighbours: Of files that are solved, modification time in nanoseconds, 0 where it is not known, and
            seed.
        modified: Time of the file in nanoseconds, 0 where it is not known.
        per_second: By how much seeds grow in a second, 0 where time says nothing about them.
        narrow: Seeds on both sides of an expected one that are tried first.
        wide: Seeds on both sides that are tried in all.
    """
    nearest = sorted(neighbours, key=lambda each: abs(each[0] - modified))[:NEAREST]
    expected = [seed for _, seed in nearest]
    expected += [
        seed + (modified - time) * per_second // SECOND for time, seed in nearest if time and modified
    ]
    for reach in (narrow, wide):
        yield from merge([Span(max(at - reach, 0), at + reach) for at in expected if at + reach > 0])
