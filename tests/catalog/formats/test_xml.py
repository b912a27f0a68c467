from __future__ import annotations

import pytest

from tests.catalog.formats import system_samples as samples
from unransom.catalog.formats import html, svg, xml
from unransom.core.records import Grade
from unransom.core.streams import BytesReader


def grade(data: bytes) -> Grade:
    return xml.validate(BytesReader(data)).grade


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-16", "gb18030", "iso-8859-1", "windows-1251", "shift_jis", "big5"]
)
def test_declared_encodings_are_read(encoding: str) -> None:
    word = {"windows-1251": "Привет", "gb18030": "订单", "shift_jis": "注文番号です", "big5": "訂單"}.get(
        encoding, "Größe"
    )
    word = "order" if encoding == "utf-8" else word
    body = "".join(f"<a n='{number}'>{word}</a>\n" for number in range(300))
    data = f'<?xml version="1.0" encoding="{encoding}"?>\n<r>{body}</r>'.encode(encoding)
    assert grade(data) is Grade.GOOD
    assert xml.recognise(data[:4096]) == 48
    assert grade(data[: len(data) // 2]) is not Grade.GOOD


@pytest.mark.parametrize("encoding", ["ISO-88-9-1", "hex_codec", "idna", "punycode", "utf-7"])
def test_a_declared_encoding_that_nobody_knows_is_told(encoding: str) -> None:
    data = f'<?xml version="1.0" encoding="{encoding}"?>\n<r>{"<a>order</a>" * 30}</r>'.encode()
    assert grade(data) is not Grade.GOOD
    assert xml.measure(BytesReader(data)).length is None


def test_a_wrong_tag_is_located() -> None:
    data = samples.xml()
    place = data.index(b"</sum>", 9000)
    verdict = xml.validate(BytesReader(data[:place] + b"</sun>" + data[place + 6 :]))
    assert verdict.grade is Grade.PARTIAL
    assert abs(verdict.damage[0].start - place) < 16


def test_an_entity_bomb_ends_early() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE a [<!ENTITY e0 "{"x" * 99}">{entities}]><a>&e11;</a>'
    assert grade(bomb.encode()) is not Grade.GOOD


def test_deep_nesting_ends_early() -> None:
    assert grade(b"<?xml version='1.0'?>" + b"<a>" * 1_200_000) is not Grade.GOOD


def test_nothing_external_is_read() -> None:
    data = b'<!DOCTYPE a SYSTEM "file:///etc/passwd" [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>'
    assert grade(data) is Grade.GOOD


@pytest.mark.parametrize(
    "data", [b"<a>one</a><b>two</b>\n" * 40, b"<para>" + b"&company; and more " * 40 + b"</para>"]
)
def test_parts_of_documents_are_good(data: bytes) -> None:
    assert grade(data) is Grade.GOOD


def test_text_is_no_xml() -> None:
    assert grade(samples.text()) is Grade.BAD
    assert xml.recognise(samples.text()[:4096]) == 0


def test_kinds_are_told_apart() -> None:
    page, picture, document = samples.html()[:4096], samples.svg()[:4096], samples.xml()[:4096]
    assert svg.recognise(picture) > xml.recognise(picture) > 0
    assert html.recognise(page) > xml.recognise(page)
    assert svg.recognise(document) == html.recognise(document) == 0
    assert html.recognise(b"<!-- saved -->\n<!doctype HTML><html>") > 0


def test_a_page_without_its_end_is_partial() -> None:
    verdict = html.validate(BytesReader(samples.html().replace(b"</body></html>", b"")))
    assert verdict.grade is Grade.PARTIAL
