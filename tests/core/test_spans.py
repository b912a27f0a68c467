"""Spans and byte maps."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from unransom.core.spans import ByteMap, Origin, Run, Span, gaps, merge

SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda pair: Span(pair[0], sum(pair))))


def covered(spans):
    return {offset for span in spans for offset in range(span.start, span.end)}


@given(SPANS)
def test_merging_covers_the_same_bytes_without_touching_spans(spans):
    merged = merge(spans)
    assert covered(merged) == covered(spans)
    assert all(before.end < after.start for before, after in pairwise(merged))


@given(SPANS, st.integers(0, 100))
def test_gaps_are_what_no_span_covers(spans, size):
    assert covered(gaps(spans, size)) == set(range(size)) - covered(spans)


@given(st.lists(st.tuples(st.integers(-2, 9), st.sampled_from(list(Origin)))))
def test_a_byte_map_has_no_gaps_and_merges_neighbours(parts):
    byte_map = ByteMap()
    flat = []
    for length, origin in parts:
        byte_map.append(length, origin)
        flat += [origin] * length
    assert byte_map.size == len(flat)
    assert [run.origin for run in byte_map for _ in range(run.end - run.start)] == flat
    assert all(a.origin != b.origin for a, b in pairwise(byte_map.runs))
    assert sum(byte_map.totals().values()) == byte_map.size
    assert ByteMap(byte_map.runs) == byte_map


def test_a_run_keeps_its_place():
    byte_map = ByteMap([Run(0, 5, Origin.PLAIN), Run(5, 6, Origin.LOST)])
    assert byte_map.runs == [Run(0, 5, Origin.PLAIN), Run(5, 6, Origin.LOST)]
