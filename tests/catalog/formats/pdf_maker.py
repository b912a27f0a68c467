"""Make small PDF documents for tests."""

from __future__ import annotations

import zlib


def text_of(seed: int, count: int = 400) -> bytes:
    """Return page content that deflates to about a third."""
    return b"".join(
        b"BT %d %d Td (word %d) Tj ET\n" % (i, i * seed % 997, i * i % 7919) for i in range(count)
    )


def make_pdf(
    pages: int = 8, *, table: str = "table", trailer: bytes = b"", extra: tuple[bytes, ...] = ()
) -> bytes:
    """Return a document with one Flate stream per page.

    Args:
        pages: How many.
        table: ``table`` or ``stream``, for the kind of cross-reference.
        trailer: More entries of the trailer.
        extra: Whole bodies of more objects.
    """
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>"
        % (pages, b" ".join(b"%d 0 R" % (3 + 2 * page) for page in range(pages))),
    ]
    for page in range(pages):
        packed = zlib.compress(text_of(page + 1))
        bodies.append(b"<< /Type /Page /Parent 2 0 R /Contents %d 0 R >>" % (4 + 2 * page))
        bodies.append(stream(packed, b"/Filter /FlateDecode"))
    return assemble([*bodies, *extra], table=table, trailer=trailer)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """Return the body of a stream object."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def assemble(bodies: list[bytes], *, table: str = "table", trailer: bytes = b"") -> bytes:
    """Return a document of these objects, numbered from 1."""
    out = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    size = len(bodies) + 1
    if table == "table":
        out += b"xref\n0 %d\n0000000000 65535 f \n" % size
        out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
        out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\n" % (size, trailer)
    else:
        rows = [bytes(4), *(b"\1" + offset.to_bytes(3, "big") for offset in [*offsets, start])]
        before, filtered = bytes(4), b""
        for row in rows:
            filtered += b"\2" + bytes(new - old & 255 for new, old in zip(row, before, strict=True))
            before = row
        entries = b"/Type /XRef /W [1 3 0] /Size %d /Root 1 0 R /Filter /FlateDecode " % (size + 1)
        entries += b"/DecodeParms << /Predictor 12 /Columns 4 >> " + trailer
        out += b"%d 0 obj\n%s\nendobj\n" % (size, stream(zlib.compress(filtered), entries))
    out += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(out)
