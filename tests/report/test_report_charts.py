"""The geometry of the pictures: nothing leaves the picture, nothing that is there vanishes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report import sample_results
from unransom.core.clock import rfc3339
from unransom.core.messages import say
from unransom.core.spans import Origin, Run
from unransom.report import charts
from unransom.report.document import Bucket, Timeline


def test_segments_leave_out_what_is_zero_and_fill_the_bar() -> None:
    parts = charts.segments({"a": 1, "b": 0, "c": 3}, dict.fromkeys("abc", say("x")))
    assert [(part.name, part.width, part.share) for part in parts] == [
        ("a", 25, "25.0 %"),
        ("c", 75, "75.0 %"),
    ]
    assert charts.segments({"a": 0}, {"a": say("x")}) == ()


def test_a_tiny_loss_in_a_huge_file_can_be_seen() -> None:
    end = 42 * 10**9
    bars = charts.strip(
        (
            Run(0, 512, Origin.LOST),
            Run(512, end - 512, Origin.PLAIN),
            Run(end - 512, end, Origin.LOST),
        )
    )
    lost = [bar for bar in bars if bar.name == "lost"]
    assert bars[-2:] == tuple(lost), "what is lost is drawn on top"
    assert all(bar.width >= charts.THIN and 0 <= bar.left <= 100 - bar.width for bar in lost)
    assert charts.strip(()) == ()


@given(
    st.lists(
        st.tuples(st.integers(-(10**10), 2 * 10**11), st.floats(0, 10**7), st.integers(0, 10**6)),
        min_size=1,
        max_size=40,
    )
)
def test_histograms_stay_in_their_picture(rows: list[tuple[int, float, int]]) -> None:
    buckets = tuple(Bucket(start=rfc3339(start * 10**9), seconds=long, files=n) for start, long, n in rows)
    (picture,) = charts.histograms([Timeline(source="s", buckets=buckets)])
    assert picture.files == sum(n for _, _, n in rows) == sum(bar.number for bar in picture.bars)
    assert len(picture.bars) <= charts.BARS
    assert all(
        bar.left >= 0 and bar.left + bar.width <= 100.001 and bar.height <= 100 for bar in picture.bars
    )
    assert len(picture.ticks) <= charts.TICKS + 1
    assert all(0 <= tick.left <= 100 * charts.LAST_TICK for tick in picture.ticks)


def test_sources_share_a_time_axis_unless_that_would_squeeze_them() -> None:
    near = [sample_results.timeline("a", 0, 60, 9), sample_results.timeline("b", 20 * 60 * 10**9, 30, 9)]
    one, two = charts.histograms(near)
    assert one.ticks == two.ticks
    far = [near[0], sample_results.timeline("b", 10**9 * (86_400 * 30 + 150), 60, 9)]
    one, two = charts.histograms(far)
    assert one.ticks != two.ticks


@pytest.mark.parametrize("buckets", [(), (Bucket(start="never", seconds=1, files=1),)])
def test_no_moments_no_picture(buckets: tuple[Bucket, ...]) -> None:
    assert charts.histograms([Timeline(source="s", buckets=buckets)]) == ()
