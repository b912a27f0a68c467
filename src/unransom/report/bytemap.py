"""Byte maps small enough for a document or a picture, whatever the number of their runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from unransom.core.spans import ByteMap, Origin, Run

MAP_RUNS = 512  # runs of a byte map that the result document keeps


def condense(runs: Sequence[Run], limit: int = MAP_RUNS) -> tuple[Run, ...]:
    """Return ``runs`` as they are where they are at most ``limit``, else a coarser map of as many.

    A locker that takes 64 bytes out of every 192 leaves millions of runs. The coarse map cuts the file
    into cells of one size and gives each to the origin that is furthest behind its share so far, so
    that mixed stretches stay mixed in the right proportion instead of all going to the majority.
    """
    if len(runs) <= limit:
        return tuple(runs)
    coarse = ByteMap()
    behind = dict.fromkeys(Origin, 0)
    for length, totals in _cells(runs, limit):
        for origin, total in totals.items():
            behind[origin] += total
        chosen = max(behind, key=lambda origin: behind[origin])
        behind[chosen] -= length
        coarse.append(length, chosen)
    return tuple(coarse)


def _cells(runs: Sequence[Run], limit: int) -> Iterator[tuple[int, dict[Origin, int]]]:
    """Yield the length of each cell and its bytes per origin."""
    file_size = sum(max(0, run.end - run.start) for run in runs)
    count = min(limit, file_size)
    position = start = cell = 0
    totals: dict[Origin, int] = {}
    for run in runs:
        left = run.end - run.start
        while left > 0:
            end = file_size * (cell + 1) // count
            piece = min(left, end - position)
            totals[run.origin] = totals.get(run.origin, 0) + piece
            position += piece
            left -= piece
            if position == end:
                yield end - start, totals
                start, cell, totals = end, cell + 1, {}
