"""Contacts and calendars: where they end, what breaks them, and that they are carved."""

import random

import pytest

from tests.catalog.formats import stream_samples as streams
from unransom.catalog.formats import vcard
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.core.streams import CHUNK, BytesReader
from unransom.recover.carve.kinds import extension_of
from unransom.recover.carve.space import Space
from unransom.recover.carve.whole import Wholes

FILES = {
    "vcf": streams.vcard(),
    "ics": streams.calendar(),
    "unix": streams.calendar(newline=b"\n"),
    "marked": b"\xef\xbb\xbf" + streams.calendar(3),
    "open end": streams.calendar(3).rstrip(b"\r\n"),
}


@pytest.mark.parametrize("behind", [b"", bytes(500), b"\xb1\x02" * 300, b"another text\n" * 99])
@pytest.mark.parametrize("kind", set(FILES) - {"open end"})
def test_a_file_ends_behind_its_last_object(kind, behind):
    data = FILES[kind]
    assert vcard.measure(BytesReader(data + behind)).length == len(data)


def test_the_last_line_may_have_no_end():
    data = FILES["open end"]
    assert vcard.measure(BytesReader(data)).length == len(data)
    assert vcard.measure(BytesReader(data + bytes(99))).length == len(data)


@pytest.mark.parametrize("kind", FILES)
def test_what_is_cut_off_is_not_whole(kind):
    data = FILES[kind]
    assert vcard.validate(BytesReader(data)).grade is Grade.GOOD
    cut = data[: len(data) // 2]
    assert vcard.validate(BytesReader(cut[: cut.rindex(b"END:V")])).grade is Grade.PARTIAL


def test_objects_are_closed_by_their_own_names():
    data = b"BEGIN:VCARD\r\nVERSION:4.0\r\nBEGIN:VEVENT\r\nEND:VCARD\r\nEND:VEVENT\r\n"
    assert vcard.measure(BytesReader(data)).length is None
    deep = b"BEGIN:VCALENDAR\nVERSION:2.0\n" + b"BEGIN:VEVENT\n" * 5000 + b"END:VEVENT\n" * 5000
    assert vcard.measure(BytesReader(deep + b"END:VCALENDAR\n")).length is None


def test_objects_reach_over_the_pieces_in_which_a_file_is_read():
    card = streams.vcard(1)
    data = card * (CHUNK // len(card) + 5)
    assert vcard.measure(BytesReader(data + bytes(100))).length == len(data)
    photo = card.replace(b"TEL;", b"PHOTO;ENCODING=b:" + b"A" * (CHUNK + 7) + b"\r\nTEL;")
    assert vcard.measure(BytesReader(photo + b"text")).length == len(photo)


@pytest.mark.parametrize("kind", ["vcf", "ics"])
def test_they_are_carved_with_their_extension(kind):
    data = FILES[kind]
    start = 5 * 4096
    noise = random.Random(7).randbytes(start)
    image = noise + data + bytes(-len(data) % 4096) + noise
    space = Space(BytesReader(image))
    (found,) = Wholes(space, Span(0, len(image))).find([start])
    assert found.spans == [Span(start, start + len(data))]
    assert extension_of("vcard", BytesReader(data)) == kind
