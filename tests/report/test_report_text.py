"""The summary in the terminal: fits its width in either language and carries no control character."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.report import sample_results
from unransom.report import columns, figures, text

SAMPLES = [sample_results.ordinary, sample_results.empty, sample_results.hostile]


@pytest.mark.parametrize("width", [48, 61, 80, 132])
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("sample", SAMPLES)
def test_every_line_fits_and_prints(sample, language, width) -> None:
    lines = text.render(sample(), language, width).split("\n")
    assert lines.pop() == ""
    assert all(cell_len(line) <= width for line in lines)
    assert all(line.isprintable() and line == line.rstrip() for line in lines)


def test_counts_add_up_on_one_line() -> None:
    lines = text.render(sample_results.ordinary(), width=100).splitlines()
    assert "  in 1,204,881 = 792,610 + 408,112 + 731 + 2,163 + 1,000 + 251 + 14" in lines
    assert lines[0] == "408,112 of 411,020 locked files came back whole, 731 in part."
    assert lines[-1] == "next: 2,082 files need a key that was not given; ask the police."
    assert "  recovered          408,112    33.9 %  1.48 TB" in lines


def test_counts_that_do_not_add_up_are_said() -> None:
    summary = text.render(sample_results.hostile())
    assert "in 5 ≠ 1 + 1 + 1" in summary
    assert "! These counts do not add up." in summary


def test_chinese_columns_are_aligned() -> None:
    lines = text.render(sample_results.ordinary(), "zh", 80).splitlines()
    rows = [line for line in lines if line.endswith(("TB", "GB", "MB", "0 B")) and line.startswith("  ")]
    assert len(rows) == 7
    assert len({cell_len(row) for row in rows}) == 1


def test_what_could_not_be_recovered_is_named_with_its_reason() -> None:
    summary = text.render(sample_results.ordinary(), width=120)
    assert "2,082 lost: No key: the wrapped key does not open with any key given." in summary
    assert "    and 2,080 more" in summary
    assert "needed: The attackers' RSA-1024 private key" in summary


@pytest.mark.parametrize(
    ("language", "heading", "line"),
    [
        ("en", "What was searched for deleted files", "zeros · 181 GB (88.7 %)"),
        ("zh", "为寻找已删除文件而搜索的空间", "全为零 · 181 GB (88.7 %)"),
    ],
)
def test_what_free_space_holds_is_told(language, heading, line) -> None:
    lines = text.render(sample_results.ordinary(), language).splitlines()
    first = lines.index(heading)
    assert lines[first + 1 : first + 3] == ["  esx02", f"    {line}"]
    assert len(lines[first + 2 : lines.index("", first)]) == 7  # of one class there is nothing


def test_a_huge_document_gives_a_short_summary() -> None:
    summary = text.render(sample_results.huge(), width=80)
    assert len(summary.splitlines()) < 1_200
    assert "  and 1,992 more" in summary


@given(st.text().map(figures.visible), st.integers(4, 60))
@example("\U00011a8a", 4)  # a mark that combines with nothing
def test_wrapping_keeps_every_character_and_the_width(words: str, width: int) -> None:
    lines = list(columns.wrap(words, width))
    assert "".join("".join(lines).split()) == "".join(words.split())
    assert all(cell_len(line) <= width for line in lines)


def test_chinese_wraps_without_spaces_and_keeps_its_punctuation() -> None:
    assert list(columns.wrap("数据已恢复，可以使用。", 10)) == ["数据已恢", "复，可以使", "用。"]
    assert list(columns.wrap("one two three", 9, "- ", "  ")) == ["- one two", "  three"]


@given(st.text(), st.integers(2, 40))
def test_shortened_paths_keep_their_end(path: str, width: int) -> None:
    short = columns.shorten(path, width)
    assert cell_len(short) <= width
    assert path.endswith(short.removeprefix("…"))


def test_the_sparkline_shows_peaks_and_pauses() -> None:
    (picture,) = text.charts.histograms([sample_results.timeline("a", 0, 60, 900)])
    line = text.sparkline(picture.bars, 32)
    assert "█" in line
    assert " " in line
    assert len(line) <= 32
