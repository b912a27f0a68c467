"""Of a partly locked PDF every page and every line of text that is left is in the rebuilt one."""

import base64
import re
import zlib

import pytest

from tests.catalog.formats.repair.damage import chance, damaged, holes, locked, written
from unransom.catalog.formats.pdf import FORMAT
from unransom.catalog.formats.repair import pdf
from unransom.catalog.formats.repair._pdf_letters import letters_in
from unransom.catalog.formats.repair._pdf_objects import letters_of
from unransom.catalog.formats.repair.repair import Damaged
from unransom.core.records import Grade
from unransom.core.spans import Span
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


@pytest.mark.parametrize("how", ["head", "tail", "even"])
def test_streams_of_a_document_whose_password_is_lost_from_sight_are_not_shown_as_they_are(how):
    data, streams = made()
    sealed = bytearray(data)
    for start, packed in streams.values():
        sealed[start : start + len(packed)] = chance(start).randbytes(len(packed))
    assert pdf.repair(damaged(bytes(sealed), holes(len(data), how))) is None


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


MAP = b"""/CMapName /a def 1 begincodespacerange <0000> <FFFF> endcodespacerange
2 beginbfchar <0001> <00470072> <0002> <6570> endbfchar
2 beginbfrange <0010> <0029> <0041> <0030> <0031> [<00DF> <D83DDE00>] endbfrange"""


def by_glyphs(pages=120, fonts_first=True):
    """Return a PDF whose strings are numbers of glyphs, as of office programs, and its lines by page."""
    draw = chance(5)
    writer = Writer()
    kids = b" ".join(b"%d 0 R" % (500 + page) for page in range(pages))

    def fonts():
        writer.stream(4, zlib.compress(MAP))
        writer.add(5, b"<< /Type /Font /Subtype /Type0 /BaseFont /AAAAAA+Some /ToUnicode 4 0 R >>")
        writer.add(6, b"<< /Font << /F1 5 0 R >> /ProcSet [/PDF /Text] >>")

    lines = {}
    if fonts_first:
        fonts()
    for page in range(pages):
        codes = [[draw.randrange(0x10, 0x2A) for _ in range(60)] for _ in range(20)]
        lines[page] = ["".join(chr(code + 0x31) for code in line) for line in codes]
        shown = [b"[<" + b"".join(b"%04x" % code for code in line) + b">] TJ T*" for line in codes]
        writer.stream(10 + page, zlib.compress(b"BT /F1 9 Tf 40 800 Td\n" + b"\n".join(shown) + b"\nET"))
    for page in range(pages):
        page_text = b"<< /Type /Page /Parent 2 0 R /Contents %d 0 R /Resources 6 0 R >>"
        writer.add(500 + page, page_text % (10 + page))
    if not fonts_first:
        fonts()
    writer.add(2, b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages))
    writer.add(1, b"<< /Type /Catalog /Pages 2 0 R >>")
    return writer.finish(), lines


def test_text_that_is_written_by_numbers_of_glyphs_is_read_by_the_map_of_the_font():
    data, lines = by_glyphs()
    spans = [Span(65536, 98304)]
    repaired = pdf.repair(damaged(data, spans, b"a.pdf"))
    found = repaired.beside[0].data.decode().splitlines()
    starts = {page: data.index(b"%d 0 obj" % (10 + page)) for page in lines}
    left = [
        line
        for page, each in lines.items()
        for line in each
        if starts[page] > 98304 or (starts.get(page + 1, 0) < 65536 and starts[page] < 65536)
    ]
    assert len(left) > 500
    assert set(left) <= set(found)


def test_without_the_map_of_its_font_no_text_is_guessed_from_another():
    data, lines = by_glyphs(20, fonts_first=False)
    repaired = pdf.repair(damaged(data[: data.index(b"4 0 obj")], name=b"a.pdf"))
    shown = repaired.beside[0].data.decode() if repaired.beside else ""
    assert not {line for each in lines.values() for line in each} & set(shown.splitlines())
    assert set(shown) <= {"\ufffd", "\n"}


def test_what_glyphs_stand_for():
    letters = letters_in(MAP)
    assert letters.decode(bytes.fromhex("00010002001000290030003100ff")) == "Gr数AZß\U0001f600\ufffd"
    assert letters_in(b"no map") is None
    assert letters_in(b"beginbfrange <00> <ffffffff> <0041> <zz> <> <> endbfrange").width == 1


def test_streams_whose_pages_are_lost_are_shown_by_new_ones():
    data, streams = made()
    # The pages of the second half are lost, and what they show is left.
    gone = data
    for page in range(75, PAGES):
        gone = gone.replace(b"%d 0 obj\n<< /Type /Page /Parent" % (10 + 2 * page), b"x" * 40)
    repaired = pdf.repair(damaged(gone, name=b"a.pdf"))
    out = written(repaired)
    assert FORMAT.validate(BytesReader(out)).grade is Grade.GOOD
    assert out.count(b"/Type /Page /") == PAGES
    shown = {int(number) for number in re.findall(rb"/Contents (\d+) 0 R", out)}
    assert shown == {11 + 2 * page for page in streams}
    assert any("but for what they show" in str(message) for message in repaired.missing)
    assert len(re.findall(rb"/Contents \d+ 0 R /Resources << /Font << /F1 3 0 R >> >> >>", out)) == PAGES - 75


SAYINGS = [f"{page}: 订单{page}号已付款" for page in range(12)]


def by_report_writer():
    """Return a PDF as report programs write them: streams as ASCII85, Chinese by a predefined map."""
    writer = Writer()
    kids = b" ".join(b"%d 0 R" % (10 + 2 * page) for page in range(len(SAYINGS)))
    writer.add(1, b"<< /Type /Catalog /Pages 2 0 R >>")
    writer.add(2, b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(SAYINGS)))
    writer.add(3, b"<< /Font << /F1 4 0 R >> >>")
    writer.add(4, b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H >>")
    for page, saying in enumerate(SAYINGS):
        words = b"BT /F1 9 Tf <%s> Tj ET" % saying.encode("utf-16-be").hex().encode()
        data = base64.a85encode(zlib.compress(words + b" " * page)) + b"~>"
        head = b"<< /Filter [ /ASCII85Decode /FlateDecode ] /Length %d >>\nstream\n" % len(data)
        links = b"/Parent 2 0 R /Resources 3 0 R /Contents %d 0 R" % (11 + 2 * page)
        writer.add(10 + 2 * page, b"<< /Type /Page %s >>" % links)
        writer.add(11 + 2 * page, head + data + b"\nendstream")
    return writer.finish()


def test_streams_in_letters_and_chinese_by_a_predefined_map_are_read():
    data = by_report_writer()
    start = data.index(b"stream\n", data.index(b"21 0 obj")) + 30
    repaired = pdf.repair(damaged(data, [Span(start, start + 20)]))
    assert repaired.beside[0].data.decode().splitlines() == SAYINGS[:5] + SAYINGS[6:]
    assert b"/F1 4 0 R" in written(repaired)
    assert not any("fonts" in each.text for each in repaired.missing)


def test_pages_whose_fonts_are_lost_show_their_text_in_plain_letters():
    shared = by_report_writer()
    for first, last in ((b"3 0 obj", b"4 0 obj"), (b"4 0 obj", b"10 0 obj")):
        span = Span(shared.index(first), shared.index(last))
        repaired = pdf.repair(damaged(shared, [span]))
        assert b"/BaseFont /Helvetica" in written(repaired)
        assert any("stand for them" in each.text for each in repaired.missing)


def test_letters_stand_for_bytes_as_others_have_it():
    draw = chance(3)
    for size in (0, 1, 3, 4, 5, 1000):
        raw = draw.randbytes(size) + bytes(size)
        assert letters_of(base64.a85encode(raw) + b"~>") == raw
    assert letters_of(b"\xff") == b""


def uncompressed(pages=40):
    """Return (PDF whose content streams have no filter, its lines with their places)."""
    draw = chance(12)
    writer = Writer()
    kids = b" ".join(b"%d 0 R" % (10 + 2 * page) for page in range(pages))
    writer.add(1, b"<< /Type /Catalog /Pages 2 0 R >>")
    writer.add(2, b"<< /Type /Pages /Kids [%s] /Count %d /MediaBox [0 0 595 842] >>" % (kids, pages))
    for page in range(pages):
        text = zlib.decompress(content_of(page, draw))
        writer.add(11 + 2 * page, b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text))
        writer.add(10 + 2 * page, b"<< /Type /Page /Parent 2 0 R /Contents %d 0 R >>" % (11 + 2 * page))
    data = writer.finish()
    return data, {found[0]: found.span() for found in re.finditer(rb"\([^()]*\) Tj T\*", data)}


@pytest.mark.parametrize("fill", ["noise", "zeros", "told"])
@pytest.mark.parametrize("every", [300, 4096, 65536])
def test_uncompressed_pages_keep_the_lines_beside_a_hole_and_nothing_of_the_hole(every, fill):
    data, lines = uncompressed()
    spans = [Span(start, start + every) for start in range(20000, len(data) - every, 3 * max(every, 4096))]
    bad = bytearray(locked(data, spans))
    for span in spans if fill == "zeros" else ():
        bad[span.start : span.end] = bytes(len(span))
    told = tuple(spans) if fill == "told" else ()
    out = written(pdf.repair(Damaged(BytesReader(bytes(bad)), b"a.pdf", told)))
    shown = re.findall(rb"\(([^()]*)\) Tj", out)
    streams = b"".join(re.findall(rb"stream\n(.*?)\nendstream", out, re.DOTALL))
    assert re.fullmatch(rb"[\n -~]*", streams)
    whole = {line[1:-7] for line in lines}
    assert set(shown) <= whole  # every value that is shown is one of the original
    assert len(shown) == len(set(shown))
    heads = [found.start() for found in re.finditer(rb"\d+ 0 obj\n<< /Length", bytes(bad))]
    ends = [found.start() for found in re.finditer(rb"endobj", bytes(bad))]
    left = set()
    for line, (start, end) in lines.items():
        opened = max((head for head in heads if head < start), default=-1)
        same = data.rfind(b" 0 obj\n<< /Length", 0, start) == bytes(bad).find(b" 0 obj\n<< /Length", opened)
        near = any(span.start - 130 < end and start < span.end + 130 for span in spans)
        if same and not near and any(close > end for close in ends):
            left.add(line[1:-7])
    assert left <= set(shown)
