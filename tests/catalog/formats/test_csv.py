from __future__ import annotations

import pytest

from tests.catalog.formats import system_samples as samples
from unransom.catalog.formats.csv import recognise, validate
from unransom.core.records import Grade
from unransom.core.streams import BytesReader


@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(";", "cp1252"), ("\t", "utf-16"), ("|", "utf-8"), (",", "gb18030")]
)
def test_delimiters_and_encodings(delimiter: str, encoding: str) -> None:
    row = delimiter.join(("7", "Größe" if encoding != "gb18030" else "订单号", "1.50")) + "\n"
    verdict = validate(BytesReader((row * 400).encode(encoding)))
    assert verdict.grade is Grade.GOOD
    assert verdict.why.values == {"columns": 3}
    assert recognise((row * 400).encode(encoding)[:4096]) > 0


def test_line_ends_and_delimiters_inside_quotes_do_not_count() -> None:
    verdict = validate(BytesReader(b'1,"a,\nb""c",3\n' * 100))
    assert (verdict.grade, verdict.why.values) == (Grade.GOOD, {"columns": 3})


def test_quotes_may_stand_for_inches() -> None:
    data = b'1,4" pipe,3\n' + b'2,5" pipe,3\n' * 98 + b'3,6" pipe,3\n'
    verdict = validate(BytesReader(data))
    assert (verdict.grade, verdict.why.values) == (Grade.GOOD, {"columns": 3})


@pytest.mark.parametrize("end", [b"800,nam", b'800,"name'])
def test_a_last_row_that_is_cut_off_is_noticed(end: bytes) -> None:
    assert validate(BytesReader(samples.csv_text() + end)).grade is Grade.PARTIAL


def test_a_whole_last_row_or_a_note_is_fine() -> None:
    assert validate(BytesReader(samples.csv_text()[:-2])).grade is Grade.GOOD
    assert validate(BytesReader(samples.csv_text() + b"800 rows in all")).grade is Grade.GOOD


def test_prose_is_no_table() -> None:
    assert recognise(b"One, two.\nThree, four, five.\nSix.\nSeven, eight, nine, ten.\n" * 20) == 0
