"""Coarse byte maps: as small as asked for, as long as the file, with the origins in proportion."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from unransom.core.spans import ByteMap, Origin, Run
from unransom.report.bytemap import condense
from unransom.report.tallies import Origins

pieces = st.lists(st.tuples(st.integers(1, 5_000), st.sampled_from(Origin)), max_size=300)


def byte_map(described: list[tuple[int, Origin]]) -> list[Run]:
    whole = ByteMap()
    for length, origin in described:
        whole.append(length, origin)
    return whole.runs


@given(pieces, st.integers(1, 64))
def test_a_coarse_map_covers_the_file(described: list[tuple[int, Origin]], limit: int) -> None:
    runs = byte_map(described)
    coarse = condense(runs, limit)
    assert len(coarse) <= max(limit, 1)
    assert sum(run.end - run.start for run in coarse) == sum(length for length, _ in described)
    assert all(a.end == b.start for a, b in pairwise(coarse))
    if len(runs) <= limit:
        assert coarse == tuple(runs)


def test_an_interleaved_map_keeps_its_proportions() -> None:
    runs = byte_map([(64, Origin.UNLOCKED), (128, Origin.PLAIN)] * 50_000)
    coarse = Origins.of(condense(runs, 300))
    size = runs[-1].end
    assert abs(coarse.unlocked / size - 1 / 3) < 0.01
    assert abs(coarse.plain / size - 2 / 3) < 0.01


def test_empty_runs_are_no_trap() -> None:
    nothing = [Run(0, 0, Origin.PLAIN), Run(0, 0, Origin.LOST)] * 600
    assert condense(nothing, 512) == ()
    assert sum(run.end - run.start for run in condense([*nothing, Run(0, 9, Origin.LOST)], 512)) == 9
