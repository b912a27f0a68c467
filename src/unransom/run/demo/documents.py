"""The company's papers: workbooks, PDF documents, exports of orders, text. Each is the same in every run."""

from __future__ import annotations

import io
import random
import zipfile
import zlib
from collections.abc import Iterator, Sequence

from unransom.run.demo.pictures import Pixels

GOODS = ("lantern", "desk lamp", "floor lamp", "shade", "dimmer", "cable")
WARES = ("落地灯", "台灯", "吊灯", "灯罩", "调光器", "电源线")
CUSTOMERS = ("Anna Weiss", "Li Wei", "J. Okafor", "M. Rossi", "张敏", "王磊", "S. Dubois", "陈静")

Row = tuple[str | int | float, ...]


def orders(month: int, count: int, goods: Sequence[str] = GOODS) -> Iterator[Row]:
    """Yield a heading, then ``count`` orders of a month of 2026."""
    draw = random.Random(month * 100_003 + count)  # noqa: S311 nothing secret
    yield "order", "date", "item", "pieces", "amount", "customer"
    for number in range(count):
        pieces = draw.randint(1, 4)
        amount = round(pieces * draw.uniform(9, 250), 2)
        day = 1 + number * 28 // count
        name = draw.choice(CUSTOMERS)
        yield 10_000 * month + number, f"2026-{month:02}-{day:02}", draw.choice(goods), pieces, amount, name


def export(rows: Iterator[Row], encoding: str = "utf-8") -> bytes:
    """Return ``rows`` as CSV."""
    return "".join(",".join(map(str, row)) + "\r\n" for row in rows).encode(encoding)


def letter(subject: str, paragraphs: int) -> bytes:
    """Return a text about ``subject``."""
    body = f"The {subject} was discussed with the shop in Leipzig and the warehouse in Ningbo.\n" * 5
    return "\n".join(f"{number}. {subject}\n\n{body}" for number in range(1, paragraphs + 1)).encode()


XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
MEDIA = "application/vnd.openxmlformats-officedocument.spreadsheetml"
MEMBERS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{MEDIA}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{MEDIA}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{SHEETS}" xmlns:r="{OFFICE}"><sheets>'
        '<sheet name="Orders" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    ),
}


def workbook(rows: Iterator[Row]) -> bytes:
    """Return ``rows`` as a workbook of one sheet."""
    cells = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows)
    sheet = f'<worksheet xmlns="{SHEETS}"><sheetData>{cells}</sheetData></worksheet>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in {**MEMBERS, "xl/worksheets/sheet1.xml": sheet}.items():
            member = zipfile.ZipInfo(name)  # dated 1980, so that the bytes are the same in every run
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, XML + content)
    return out.getvalue()


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
    return f"<c><v>{value}</v></c>"


def paper(title: str, pages: int, scan: Pixels | None = None) -> bytes:
    """Return a PDF document: pages of text, with a scanned picture at the foot of each where there is one."""
    kids = b" ".join(b"%d 0 R" % (5 + 2 * page) for page in range(pages))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>" % (pages, kids),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        _picture(scan) if scan is not None else b"null",
    ]
    for page in range(pages):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F 3 0 R >> /XObject << /S 4 0 R >> >> >>" % (6 + 2 * page)
        )
        lines = [f"({title}, page {page + 1}, paragraph {number}) Tj T*" for number in range(1, 30)]
        content = "BT /F 11 Tf 14 TL 60 780 Td\n" + "\n".join(lines) + "\nET\n"
        content += "q 475 0 0 300 60 50 cm /S Do Q\n" if scan is not None else ""
        objects.append(_stream(content.encode("ascii")))
    return _assembled(objects)


def _picture(pixels: Pixels) -> bytes:
    height, width, _ = pixels.shape
    entries = (
        b"/Type /XObject /Subtype /Image /ColorSpace /DeviceRGB /BitsPerComponent 8 /Width %d /Height %d"
    )
    return _stream(pixels.tobytes(), entries % (width, height))


def _stream(data: bytes, entries: bytes = b"") -> bytes:
    packed = zlib.compress(data)
    head = b"<< %s /Filter /FlateDecode /Length %d >>" % (entries, len(packed))
    return b"%s\nstream\n%s\nendstream" % (head, packed)


def _assembled(objects: list[bytes]) -> bytes:
    """Return a document of ``objects``, numbered from 1, the first of them its catalogue."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    out += end % (len(objects) + 1, table, len(objects) + 1, len(out))
    return bytes(out)
