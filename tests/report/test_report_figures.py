"""Figures for people: no rounding that hides a rest, no control character that reaches a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unransom.report import figures


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (999.4, "999 B"),
        (999.6, "1.00 kB"),
        (1_234, "1.23 kB"),
        (12_345, "12.3 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (68 * 10**12, "68.0 TB"),
        (10**24, "1,000,000 EB"),
    ],
)
def test_sizes(number: float, text: str) -> None:
    assert figures.size(number) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 0, "0 %"),
        (1, 0, "0 %"),
        (0, 9, "0 %"),
        (9, 9, "100 %"),
        (1, 10**9, "< 0.01 %"),
        (10**9 - 1, 10**9, "> 99.99 %"),
        (1, 2, "50.0 %"),
        (999, 1000, "99.90 %"),
        (1, 1000, "0.10 %"),
    ],
)
def test_shares(part: int, whole: int, text: str) -> None:
    assert figures.share(part, whole) == text


@given(st.integers(1, 10**18), st.integers(1, 10**18))
def test_only_everything_is_all_and_only_nothing_is_none(part: int, rest: int) -> None:
    assert figures.share(part, part + rest) not in {"0 %", "100 %", "100.0 %", "100.00 %", "0.00 %"}


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (-1, "0.0 s", "0.0 秒"),
        (0.44, "0.4 s", "0.4 秒"),
        (59.4, "59 s", "59 秒"),
        (59.6, "1 min 00 s", "1 分 00 秒"),
        (3_599.9, "1 h 00 min", "1 小时 00 分"),
        (172_800, "48 h 00 min", "48 小时 00 分"),
    ],
)
def test_durations(seconds: float, english: str, chinese: str) -> None:
    assert figures.duration(seconds).render("en") == english
    assert figures.duration(seconds).render("zh") == chinese


def test_moments() -> None:
    assert figures.moment("2026-03-02T01:14:07.250000Z") == "2026-03-02 01:14:07 UTC"
    assert figures.moment("") == ""
    assert figures.moment("yesterday") == "yesterday"


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (0.421, "0.42"), (17.46, "17.5"), (1930.4, "1,930")])
def test_rates(number: float, text: str) -> None:
    assert figures.rate(number) == text


@given(st.text())
def test_visible_text_prints_and_is_bounded(text: str) -> None:
    seen = figures.visible(text)
    assert seen.replace("\u3000", "").isprintable()
    assert text.isprintable() is (seen == text) or len(text) > figures.LONGEST or "\u3000" in text


def test_what_is_made_visible() -> None:
    assert figures.visible("a\x1b[31m\u202egpj.exe\udcff") == "a\\x1b[31m\\x202egpj.exe\\xdcff"
    assert figures.visible("财务\u3000报表") == "财务\u3000报表"
    assert len(figures.visible("x" * 10**6)) == figures.LONGEST + 1
