from __future__ import annotations

import io
import os
import random
import re
import zlib

import pytest
from PIL import Image

from tests.catalog.formats.locked import LOCKINGS, scramble
from tests.catalog.formats.pdf_maker import assemble, make_pdf, stream, text_of
from unransom.catalog.formats import _pdf_walk, pdf
from unransom.core.records import Grade
from unransom.core.streams import BytesReader


@pytest.mark.parametrize("table", ["table", "stream"])
def test_a_healthy_document_is_good(table):
    data = make_pdf(table=table)
    verdict = pdf.validate(BytesReader(data))
    assert verdict.grade is Grade.GOOD
    assert verdict.length == len(data)
    # Header, a checksum for each page, and 18 objects where the cross-reference says.
    assert verdict.bits >= 40 + 8 * 32 + 18 * 16
    assert pdf.recognise(data) == 56


@pytest.mark.parametrize("table", ["table", "stream"])
def test_every_locked_variant_is_noticed(table):
    data = make_pdf(table=table)
    assert len(data) > 3 * 4096
    for name, lock in LOCKINGS.items():
        damaged = lock(data)
        verdict = pdf.validate(BytesReader(damaged))
        assert verdict.grade in {Grade.PARTIAL, Grade.BAD}, name
        assert verdict.damage or name == "half", name


def test_an_encrypted_block_anywhere_is_noticed():
    data = make_pdf(pages=12)
    for start in range(0, len(data) - 4096, 4096):
        assert pdf.validate(BytesReader(scramble(data, (start, start + 4096)))).grade is not Grade.GOOD, start


@pytest.mark.parametrize("table", ["table", "stream"])
@pytest.mark.parametrize("entries", [b"", b"/Filter /ASCII85Decode", b"/Filter /ASCIIHexDecode"])
def test_zeros_are_no_white_space_where_something_was(table, entries):
    # Digits are text of any of these filters.
    data = make_pdf(table=table, extra=[stream(b"0123456789 " * 900, entries), *[b"<< /Next 1 >>"] * 200])
    assert pdf.validate(BytesReader(data)).grade is Grade.GOOD
    for start in range(512, len(data) - 1024, 512):
        verdict = pdf.validate(BytesReader(data[:start] + bytes(512) + data[start + 512 :]))
        assert verdict.grade is not Grade.GOOD, start


def test_the_damaged_object_is_named():
    data = make_pdf()
    place = data.index(b"\n6 0 obj")
    inside = data.index(b"stream\n", place) + 600
    verdict = pdf.validate(BytesReader(scramble(data, (inside, inside + 32))))
    assert verdict.grade is Grade.PARTIAL
    assert verdict.why.values["number"] == 6
    assert verdict.damage[0].start <= inside < verdict.damage[0].end


def test_the_checksum_of_a_stream_counts():
    packed = zlib.compress(text_of(1))
    wrong = packed[:-4] + b"\0\0\0\0"
    assert (
        pdf.validate(BytesReader(make_pdf(extra=(stream(packed, b"/Filter [/FlateDecode]"),)))).grade
        is Grade.GOOD
    )
    assert (
        pdf.validate(BytesReader(make_pdf(extra=(stream(wrong, b"/Filter [/FlateDecode]"),)))).grade
        is Grade.PARTIAL
    )


def test_incremental_updates_are_good_and_offer_their_ends():
    first = make_pdf()
    offset = len(first)
    update = b"4 0 obj\n<< >>\nendobj\n"
    table = b"xref\n4 1\n%010d 00000 n \ntrailer\n<< /Size 19 /Root 1 0 R /Prev 9 >>\n" % offset
    second = first + update + table + b"startxref\n%d\n%%%%EOF\n" % (offset + len(update))
    assert pdf.validate(BytesReader(second)).grade is Grade.GOOD
    measured = pdf.measure(BytesReader(second + bytes(10) + os.urandom(3000)))
    assert measured.length == len(second)
    assert len(first) in measured.alternatives


def test_measure_stops_before_another_document():
    data = make_pdf(pages=2)
    assert pdf.measure(BytesReader(data + data)).length == len(data)
    assert pdf.measure(BytesReader(data[: len(data) // 2])).length is None


def test_sloppy_producers_are_tolerated():
    data = make_pdf()
    no_length = data.replace(b"/Length ", b"/Lenght ")  # the end of the stream must be searched
    wrong_offsets = data.replace(b"0000000", b"0000001")
    indirect = assemble([b"<< >>", b"<< /Length 3 0 R >>\nstream\nabc\nendstream", b"3"])
    junk_before = b"\r\n\r\n" + data
    acrobat = zlib.compressobj()
    flushed = acrobat.compress(text_of(3)) + acrobat.flush(zlib.Z_SYNC_FLUSH)
    unended = make_pdf(extra=(stream(flushed, b"/Filter /FlateDecode"),))
    for name, sample in locals().items():
        if isinstance(sample, bytes) and name != "flushed":
            assert pdf.validate(BytesReader(sample)).grade is Grade.GOOD, name


def test_streams_without_checksum_are_looked_at():
    image = Image.effect_noise((300, 300), 60)
    target = io.BytesIO()
    image.save(target, "PDF", resolution=100)
    data = target.getvalue()
    assert pdf.validate(BytesReader(data)).grade is Grade.GOOD
    middle = data.index(b"\xff\xda") + 3000
    assert pdf.validate(BytesReader(scramble(data, (middle, middle + 4096)))).grade is Grade.PARTIAL
    plain = make_pdf(extra=(stream(b"0.5 0 0 0.5 10 10 cm\n" * 900),))
    assert pdf.validate(BytesReader(plain)).grade is Grade.GOOD
    inside = plain.index(b"cm\n") + 4000
    assert pdf.validate(BytesReader(scramble(plain, (inside, inside + 4096)))).grade is Grade.PARTIAL
    coded = make_pdf(extra=(stream(b"9jqo^BlbD-BleB1DJ+*+F(f,q" * 80 + b"~>", b"/Filter /ASCII85Decode"),))
    assert pdf.validate(BytesReader(coded)).grade is Grade.GOOD
    inside = coded.index(b"9jqo") + 500
    assert pdf.validate(BytesReader(scramble(coded, (inside, inside + 64)))).grade is Grade.PARTIAL


def test_a_document_with_a_password_is_checked_by_structure():
    secret = stream(os.urandom(3000), b"/Filter /FlateDecode")
    data = make_pdf(extra=(secret,), trailer=b"/Encrypt 2 0 R")
    verdict = pdf.validate(BytesReader(data))
    assert verdict.grade is Grade.GOOD
    assert "password" in str(verdict.why)


def test_no_document_is_bad():
    for data in (b"", b"%PDF", b"hello " * 500, os.urandom(9000)):
        assert pdf.validate(BytesReader(data)).grade is Grade.BAD
        assert pdf.recognise(data[:4096]) == 0


def test_searches_find_what_plainly_written_ones_find():
    line = rb"(?=\d{1,10} \d{1,5} obj\b|xref\b|trailer\b|startxref\b)"
    opens = rb">>[\s\0]*(?:%[^\r\n]*[\r\n]+[\s\0]*)?stream(?:\r\n|\r|\n|(?=[^\w\r\n]))"
    plain = {
        _pdf_walk._OBJECT_END: rb"(?:(" + opens + rb")|(endobj)|[\r\n]" + line + rb")",
        _pdf_walk._TABLE_END: rb"(?=trailer|startxref|\bobj\b)",
        _pdf_walk._TRAILER_END: rb"(?=startxref|%%EOF|\bobj\b|\bxref\b)",
        _pdf_walk._RESYNC: rb"(?<!\d)\d{1,10}[ \r\n\t]+\d{1,5}[ \r\n\t]+obj\b"
        rb"|\bxref\b|\btrailer\b|\bstartxref\b|%%EOF",
    }
    words = b">> stream endobj obj xref startxref trailer %%EOF % a x 1 23 0 12345678901".split()
    draw = random.Random(5)
    for _ in range(5000):
        text = b"".join(draw.choices([*words, b" ", b"\r", b"\n", b"\0"], k=draw.randrange(1, 30)))
        for fast, slow in plain.items():
            found, wanted = fast.search(text), re.search(slow, text)
            assert (found and found.start()) == (wanted and wanted.start()), (slow, text)
            if found and wanted and wanted.re.groups:
                assert (found.lastgroup == "stream", found.end()) == (wanted[1] is not None, wanted.end())
