"""Names in unknown encodings, messages and languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unransom.core.clock import rfc3339
from unransom.core.messages import Message, language_of, say
from unransom.core.text import guess_text, shown


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("订单汇总表", "gb18030"),
        ("注文書のコピー.xls", "shift_jis"),
        ("发票.pdf", "utf-8"),
        ("plain.txt", "utf-8"),
    ],
)
def test_names_are_read_in_the_encoding_they_were_written_in(text, encoding):
    guess = guess_text(text.encode(encoding))
    assert guess.text == text
    assert guess.encoding == encoding


@given(st.binary(max_size=80))
def test_any_name_is_shown_without_control_characters(raw):
    assert shown(raw).isprintable()
    guess = guess_text(raw)
    assert not guess.exact or guess.text.encode(guess.encoding) == raw or guess.encoding == "gb18030"


def test_a_message_says_itself_in_english_and_elsewhere():
    assert str(say("in {total} = {parts}", total=3, parts="1 + 2")) == "in 3 = 1 + 2"
    assert Message("never translated {x}", {"x": "{y}"}).render("zh") == "never translated {y}"


def test_locales_name_languages():
    assert language_of("zh_CN.UTF-8") == language_of("zh-Hans") == "zh"
    assert language_of("de_DE") == language_of("C") == language_of(None) == "en"


def test_times_are_utc_with_the_precision_they_have():
    assert rfc3339(0) == "1970-01-01T00:00:00Z"
    assert rfc3339(1_772_414_047_250_000_000) == "2026-03-02T01:14:07.250000Z"
    assert rfc3339(None) == rfc3339(10**30) == ""


@pytest.mark.parametrize("text", ["中文", "采购合同（终稿）.docx", "季度报表", "客户资料2026"])
def test_short_chinese_names_in_gbk(text):
    assert guess_text(text.encode("gbk")).text == text


@pytest.mark.parametrize("text", ["見積書.xlsx", "売上データ", "写真アルバム"])
def test_short_japanese_names(text):
    assert guess_text(text.encode("shift_jis")).text == text


def test_western_names():
    assert guess_text("Café Müller.doc".encode("cp1252")).text == "Café Müller.doc"
