"""Of a partly locked PDF every page and every line of text that is left is in the rebuilt one."""

import re
import zlib

import pytest

from tests.catalog.formats.repair.damage import chance, damaged, holes, locked, written
from unransom.catalog.formats.pdf import FORMAT
from unransom.catalog.formats.repair import pdf
from unransom.core.records import Grade
from unransom.core.streams import BytesReader

PAGES = 150


class Writer:
    """A PDF that is being written."""

    def __init__(self):
        self.out = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
        self.offsets = {}

    def add(self, number, body):
        self.offsets[number] = len(self.out)
        self.out.extend(b"%d 0 obj\n%s\nendobj\n" % (number, body))

    def stream(self, number, data, extra=b""):
        self.offsets[number] = len(self.out)
        head = b"%d 0 obj\n<< /Length %d /Filter /FlateDecode%s >>\nstream\n"
        self.out.extend(head % (number, len(data), extra))
        place = len(self.out)
        self.out.extend(data + b"\nendstream\nendobj\n")
        return place

    def finish(self):
        start = len(self.out)
        self.out.extend(b"xref\n0 1\n0000000000 65535 f \n")
        for number, offset in sorted(self.offsets.items()):
            self.out.extend(b"%d 1\n%010d 00000 n \n" % (number, offset))
        self.out.extend(b"trailer\n<< /Size 999 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start)
        return bytes(self.out)


def content_of(page, draw):
    lines = [f"({page}-{line} {draw.randbytes(24).hex()}) Tj T*" for line in range(60)]
    return zlib.compress(("BT /F1 9 Tf 40 800 Td 12 TL\n" + "\n".join(lines) + "\nET").encode())


def made(packed=False):
    """Return (PDF, {page: (first byte of its stream, its compressed bytes)})."""
    draw = chance(11)
    writer = Writer()
    streams = {}
    kids = b" ".join(b"%d 0 R" % (10 + 2 * page) for page in range(PAGES))
    plain = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Kids [%s] /Count %d /MediaBox [0 0 595 842] >>" % (kids, PAGES),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    fonts = b"/Resources << /Font << /F1 3 0 R >> >>"
    for page in range(PAGES):
        content = content_of(page, draw)
        streams[page] = (writer.stream(11 + 2 * page, content), content)
        text = b"<< /Type /Page /Parent 2 0 R /Contents %d 0 R %s >>" % (11 + 2 * page, fonts)
        if packed:
            plain[10 + 2 * page] = text
        else:
            writer.add(10 + 2 * page, text)
    if packed:
        places = [sum(len(text) + 1 for text in list(plain.values())[:index]) for index in range(len(plain))]
        pairs = b"".join(b"%d %d " % pair for pair in zip(plain, places, strict=True))
        body = b"".join(text + b" " for text in plain.values())
        extra = b" /Type /ObjStm /N %d /First %d" % (len(plain), len(pairs))
        writer.stream(4, zlib.compress(pairs + body), extra)
    else:
        for number, text in plain.items():
            writer.add(number, text)
    return writer.finish(), streams


def lines_left(streams, spans):
    """Yield the lines of text that zlib inflates in front of the first lost byte of each stream."""
    for start, packed in streams.values():
        end = start + len(packed)
        stop = min(
            [max(span.start, start) for span in spans if span.end > start and span.start < end] or [end]
        )
        text = zlib.decompressobj().decompress(packed[: stop - start])
        yield from re.findall(rb"\(([^()]*)\) Tj T\*", text)


@pytest.mark.parametrize("told", [False, True], ids=["found", "told"])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize("how", ["head", "tail", "even", "odd"])
def test_every_line_that_is_left_comes_back(how, packed, told):
    data, streams = made(packed)
    spans = holes(len(data), how)
    headed = {
        page: place
        for page, place in streams.items()
        if not any(span.start < place[0] and place[0] - 60 < span.end for span in spans)
    }
    wanted = set(lines_left(headed, spans))
    repaired = pdf.repair(damaged(data, spans, b"a.pdf", told=told))
    out = written(repaired)
    verdict = FORMAT.validate(BytesReader(out))
    assert verdict.grade is Grade.GOOD, str(verdict.why)
    found = set(repaired.beside[0].data.splitlines())
    assert wanted <= found
    assert len(found - wanted) <= 3 * len(spans)  # what a hole cuts in two
    assert b"/Type /Pages" in out
    if not packed:
        pages = {count.what: count.left for count in repaired.counts}["pages"]
        assert pages == out.count(b"/Type /Page /")
        assert pages > PAGES // 3


def test_a_sound_document_keeps_its_pages_in_order():
    data, _ = made()
    out = written(pdf.repair(damaged(data)))
    kids = re.search(rb"/Kids \[([^\]]*)\]", out)[1].split(b" 0 R")
    assert [int(kid) for kid in kids if kid.strip()] == [10 + 2 * page for page in range(PAGES)]
    assert out.count(b"/MediaBox") == PAGES


def test_a_document_with_a_password_is_left_alone():
    data, _ = made()
    assert pdf.repair(damaged(data.replace(b"/Root 1 0 R", b"/Root 1 0 R /Encrypt 9 0 R"))) is None


def test_random_bytes_are_no_document():
    noise = locked(bytes(10**5), holes(10**5, "head"))
    assert not pdf.finds(BytesReader(noise))


def test_odd_escapes_in_strings_are_survived():
    stream = (
        rb"BT (a\9b\101\)c \
d) Tj (\777) Tj <414> Tj ET"
        * 9
    )
    body = b"1 0 obj\n<</Length %d>>\nstream\n%s\nendstream\nendobj\n" % (len(stream), stream)
    repaired = pdf.repair(damaged(b"%PDF-1.4\n" + body))
    assert "a9bA)c d" in repaired.beside[0].data.decode()
