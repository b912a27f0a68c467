from __future__ import annotations

from tests.catalog.formats import film_samples as films
from tests.catalog.formats.locked import scramble
from unransom.catalog.formats import matroska
from unransom.catalog.formats._ebml import UNKNOWN, number_at
from unransom.core.records import Grade
from unransom.core.streams import BytesReader


def grade(data: bytes) -> Grade:
    return matroska.validate(BytesReader(data)).grade


def test_numbers_of_all_lengths_are_read() -> None:
    assert number_at(b"\x81", 0) == (1, 1)
    assert number_at(b"\x40\x02", 0) == (2, 2)
    assert number_at(b"\x01" + bytes(6) + b"\x05", 0) == (5, 8)
    assert number_at(b"\xff", 0) == (UNKNOWN, 1)
    assert number_at(b"\x1a\x45\xdf\xa3", 0, keep=True) == (0x1A45DFA3, 4)
    assert number_at(b"\0\xff", 0) == number_at(b"\x40", 0) == number_at(b"", 0) == (0, 0)


def test_every_locked_block_among_small_units_is_noticed() -> None:
    for data in (films.matroska(), films.matroska(live=True)):
        for start in range(0, len(data) - 4096, 4096):
            assert grade(scramble(data, (start, start + 4096), seed=start)) in {Grade.PARTIAL, Grade.BAD}, (
                start
            )


def test_the_checksum_of_an_element_counts() -> None:
    data = films.matroska()
    at = data.index(b"V_MPEG4")
    damaged = data[:at] + b"W" + data[at + 1 :]
    verdict = matroska.validate(BytesReader(damaged))
    assert verdict.grade is Grade.PARTIAL
    assert "checksum" in str(verdict.why)


def test_cues_must_point_at_clusters() -> None:
    data = films.matroska()
    at = data.index(b"\xf1\x10\0\0\4") + 8
    verdict = matroska.validate(BytesReader(data[:at] + b"\7" + data[at + 1 :]))
    assert verdict.grade is Grade.PARTIAL
    assert "cues" in str(verdict.why)


def test_the_walk_goes_on_at_the_next_cluster() -> None:
    data = films.matroska()
    first = data.index(b"\x1f\x43\xb6\x75")
    second = data.index(b"\x1f\x43\xb6\x75", first + 4)
    verdict = matroska.validate(BytesReader(scramble(data, (first, first + 40))))
    assert verdict.grade is Grade.PARTIAL
    assert (verdict.damage[0].start, verdict.damage[-1].end) == (first, second)
    assert verdict.length == len(data)
