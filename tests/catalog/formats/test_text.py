from __future__ import annotations

import pytest

from tests.catalog.formats import system_samples as samples
from tests.catalog.formats.locked import every, scramble
from tests.lockers import drawn
from unransom.catalog.formats.text import FORMAT, recognise, validate
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.core.streams import CHUNK, BytesReader

ENCODED = [
    (samples.GERMAN, "utf-8"),
    (samples.GERMAN, "cp1252"),
    (samples.GERMAN, "utf-16"),
    (samples.CHINESE, "gb18030"),
    (samples.CHINESE, "utf-16-le"),
    (samples.CHINESE, "utf-16-be"),
    (samples.JAPANESE, "shift_jis"),
    (samples.JAPANESE, "euc_jp"),
    (samples.RUSSIAN, "koi8-r"),
    (samples.RUSSIAN, "cp1251"),
]


@pytest.mark.parametrize(("line", "encoding"), ENCODED)
def test_text_of_any_encoding_is_good(line: str, encoding: str) -> None:
    data = (line * 300).encode(encoding)
    verdict = validate(BytesReader(data))
    assert (verdict.grade, verdict.damage) == (Grade.GOOD, ())
    assert verdict.bits >= 64
    assert recognise(data[:4096]) > 0


@pytest.mark.parametrize(("line", "encoding"), ENCODED)
def test_stripes_of_64_bytes_are_found_in_any_encoding(line: str, encoding: str) -> None:
    data = (line * 300).encode(encoding)
    verdict = validate(BytesReader(every(data, 64, 192)))
    found = sum(map(len, verdict.damage))
    assert verdict.grade is Grade.PARTIAL
    assert 0.9 <= found / (len(data) / 3) <= 1.1


def test_one_locked_block_is_located() -> None:
    data = samples.text() * 60
    assert len(data) > CHUNK
    verdict = validate(BytesReader(scramble(data, (CHUNK - 4096, CHUNK + 4096))))
    assert verdict.damage == (Span(CHUNK - 4096, CHUNK + 4096),)


@pytest.mark.parametrize(("line", "encoding"), ENCODED)
def test_a_random_first_block_is_seen_in_any_encoding(line: str, encoding: str) -> None:
    data = (line * 300).encode(encoding)
    opened = [validate(BytesReader(drawn(f"block {number}", 16) + data[16:])) for number in range(100)]
    bad = [verdict for verdict in opened if verdict.grade is not Grade.GOOD]
    assert len(bad) >= 89
    assert all(verdict.damage[0].start == 0 for verdict in bad)


@pytest.mark.parametrize(
    "title", ["ЗАКАЗЫ ЗА МЕСЯЦ", "№ 7 «Щ» — ЖЮЁ!", "  ЪЫЬ/ЭЮЯ: 1) Ж", "Ц2Щ3Э4Ю5Я6 итого"]
)
@pytest.mark.parametrize("encoding", ["cp1251", "utf-16", "utf-16-le"])
def test_a_title_in_rare_characters_is_text(title: str, encoding: str) -> None:
    data = (title + "\r\n" + samples.RUSSIAN * 50).encode(encoding, "replace")
    assert validate(BytesReader(data)).grade is Grade.GOOD


def test_a_locked_head_leaves_the_rest() -> None:
    data = samples.text() * 5
    verdict = validate(BytesReader(scramble(data, (0, 65536))))
    assert verdict.damage == (Span(0, 65536),)
    assert verdict.bits > 64


def test_a_hole_of_zeros_is_damage_and_padding_is_not() -> None:
    data = samples.text()
    hole = data[:8192] + bytes(4096) + data[12288:]
    assert validate(BytesReader(hole)).damage == (Span(8192, 12288),)
    assert validate(BytesReader(data + bytes(4096))).grade is Grade.GOOD


def test_a_character_across_two_chunks_is_no_fault() -> None:
    data = b"x" + samples.CHINESE.encode("gb18030") * 25_000
    assert len(data) > CHUNK
    assert validate(BytesReader(data)).bits == 4096


@pytest.mark.parametrize(
    "data",
    [
        b"caf\xe9 in a line of ASCII\n" * 50,
        b"one line of UTF-8: \xc3\xa9\n" * 40 + b"and one of Latin-1: \xe9\xe8\n",
        b"\x1b[31mred\x1b[0m and \x08 backspace\n" * 9,
        b"nul\0 separated\0 names\0 of\0 files\0" * 40,
        b"\n",
        b"",
    ],
)
def test_odd_but_healthy_text_is_good(data: bytes) -> None:
    verdict = validate(BytesReader(data))
    assert verdict.grade in (Grade.GOOD, Grade.UNKNOWN)
    assert not verdict.damage


def test_a_few_bytes_in_an_old_encoding_prove_nothing() -> None:
    assert validate(BytesReader("Größe".encode("cp1252"))).grade is Grade.UNKNOWN


def test_binary_heads_are_no_text() -> None:
    assert recognise(b"\x89PNG\r\n\x1a\n" + bytes(100)) == 0
    assert recognise(b"") == 0


def test_measure_stops_at_other_bytes() -> None:
    data = samples.text()
    measure = FORMAT.measure(BytesReader(scramble(data + bytes(4096), (len(data), len(data) + 4096))))
    assert measure.length is not None
    assert abs(measure.length - len(data)) < 64
