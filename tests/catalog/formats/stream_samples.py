"""Films in streams, mail, RTF, Outlook files and logs of SQLite, made of their formats' own pieces."""

from __future__ import annotations

import random
import sqlite3
import struct
import tempfile
from pathlib import Path

from tests.catalog.formats.archive_maker import text

PAGE, BLOCK = 512, 64


def flv(tags: int = 60) -> bytes:
    """Return a film whose tags hold no pictures."""
    source = random.Random(21)
    out = b"FLV\1\5\0\0\0\x09\0\0\0\0"
    for number in range(tags):
        data = source.randbytes(source.randrange(300, 1500))
        head = bytes([8 + number % 2]) + len(data).to_bytes(3) + (number * 40).to_bytes(3) + bytes(4)
        out += head + data + struct.pack(">I", 11 + len(data))
    return out


def mpeg(packs: int = 30, *, second: bool = True) -> bytes:
    """Return a program stream of packs of 2048 bytes with an end code, of MPEG-2 or MPEG-1."""
    source = random.Random(22)
    head = b"\0\0\1\xba" + (b"\x44\0\4\0\4\1\0\0\3\xf8" if second else b"\x21\0\1\0\1\x80\0\1")
    size = 2048 - len(head) - 6
    out = b"".join(
        head + b"\0\0\1\xe0" + size.to_bytes(2) + bytes(byte | 4 for byte in source.randbytes(size))
        for _ in range(packs)
    )
    return out + b"\0\0\1\xb9"


def mpegts(packets: int = 300, *, timed: bool = False) -> bytes:
    """Return a transport stream, with times before its packets as cameras and discs have them."""
    source = random.Random(23)
    out = b""
    for number in range(packets):
        head = bytes([0x47, 0x40 if number % 9 == 0 else 0x01, 0, 0x10 | number % 16])
        out += (struct.pack(">I", number * 300) if timed else b"") + head + source.randbytes(184)
    return out


def asf(packets: int = 25, size: int = 1600) -> bytes:
    """Return a film of packets of the same size with an index."""
    source = random.Random(24)
    identifier = source.randbytes(16)
    header, data, properties, index = (
        bytes.fromhex(each)
        for each in (
            "3026b2758e66cf11a6d900aa0062ce6c",
            "3626b2758e66cf11a6d900aa0062ce6c",
            "a1dcab8c47a9cf118ee400c00c205365",
            "90080033b1e5cf1189f400a0c90349cb",
        )
    )
    body = b"".join(b"\x82\0\0" + source.randbytes(size - 3) for _ in range(packets))
    media = data + struct.pack("<Q16sQ2s", 50 + len(body), identifier, packets, b"\1\1") + body
    indexed = index + struct.pack("<Q", 24 + 400) + bytes(400)
    total = 30 + 104 + len(media) + len(indexed)
    facts = struct.pack("<16sQQQQQQIIII", identifier, total, 0, packets, 0, 0, 0, 2, size, size, 64000)
    one = properties + struct.pack("<Q", 104) + facts
    return header + struct.pack("<QI2s", 30 + len(one), 1, b"\1\2") + one + media + indexed


def wal() -> bytes:
    """Return the log of a database to which rows were written, behind which older frames are left."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "shop.db")
        made = sqlite3.connect(path)
        made.execute("PRAGMA journal_mode = wal")
        made.execute("PRAGMA wal_autocheckpoint = 0")
        made.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, what TEXT)")
        for rows in (300, 20):
            made.executemany(
                "INSERT INTO orders (what) VALUES (?)", [(f"order {n} " * 9,) for n in range(rows)]
            )
            made.commit()
            if rows == 300:
                made.execute("PRAGMA wal_checkpoint(RESTART)")
        log = Path(folder, "shop.db-wal").read_bytes()
        made.close()
    return log


def mail() -> bytes:
    """Return a message of two parts."""
    parts = [
        b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + text(5, 9000).replace(b"\n", b"\r\n"),
        b'Content-Type: text/csv; name="orders.csv"\r\n\r\n' + text(6, 9000).replace(b"\n", b"\r\n"),
    ]
    head = (
        b"Return-Path: <shop@example.com>\r\nReceived: from mx.example.com by mail.example.com;\r\n"
        b"\tMon, 2 Mar 2026 08:00:00 +0000\r\nDate: Mon, 2 Mar 2026 08:00:00 +0000\r\n"
        b"From: shop@example.com\r\nTo: office@example.com\r\nSubject: Orders\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed;\r\n boundary="part 77"\r\n\r\n'
    )
    return head + b"".join(b"\r\n--part 77\r\n" + part for part in parts) + b"\r\n--part 77--\r\n"


def mbox(messages: int = 12) -> bytes:
    """Return a folder of messages."""
    return b"".join(
        b"From shop@example.com Mon Mar  2 08:00:%02d 2026\nFrom: shop@example.com\nSubject: %d\n"
        b"Date: Mon, 2 Mar 2026 08:00:00 +0000\n\n%b\n\n" % (number, number, text(number + 3, 2000))
        for number in range(messages)
    )


def rtf() -> bytes:
    """Return a document of paragraphs."""
    lines = (
        b"{\\pard\\b Order %d\\b0: " % number + line + b" \\{paid\\}\\par}\r\n"
        for number, line in enumerate(text(9, 20_000).splitlines())
    )
    return b"{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}}\r\n" + b"".join(lines) + b"}"


def vcard(cards: int = 60) -> bytes:
    """Return contacts, one behind the other."""
    made = (
        f"BEGIN:VCARD\r\nVERSION:3.0\r\nN:Müller{number};Anna\r\nFN:Anna Müller{number}\r\n".encode()
        + b"NOTE:"
        + line
        + b"\r\nTEL;TYPE=CELL:+49 30 555%04d\r\nEND:VCARD\r\n" % number
        for number, line in zip(range(cards), text(10, 20_000).splitlines(), strict=False)
    )
    return b"".join(made)


def calendar(events: int = 80, newline: bytes = b"\r\n") -> bytes:
    """Return a calendar of events with alarms."""
    lines = [b"BEGIN:VCALENDAR", b"VERSION:2.0", b"PRODID:-//Example//EN"]
    for number in range(events):
        lines += [b"BEGIN:VEVENT", b"UID:%d@example.com" % number, b"DTSTART:20260302T080000Z"]
        lines += [b"SUMMARY:Meeting %d" % number, b"BEGIN:VALARM", b"TRIGGER:-PT15M", b"END:VALARM"]
        lines += [b"END:VEVENT"]
    return newline.join([*lines, b"END:VCALENDAR", b""])


def crc(data: bytes) -> int:
    """Return the CRC-32 of Outlook files, by polynomial long division of whole bytes through a table."""
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (0xEDB88320 if value & 1 else 0)
        table.append(value)
    total = 0
    for byte in data:
        total = total >> 8 ^ table[(total ^ byte) & 0xFF]
    return total


def pst(blocks: int = 30, *, wide: bool = True) -> bytes:
    """Return a file of folders with blocks of random bytes, with wide or narrow numbers."""
    source = random.Random(25)
    number, trailer = ("Q", 16) if wide else ("I", 12)

    def sealed(data: bytes, head: bytes, identifier: int) -> bytes:
        values = (crc(data), identifier) if wide else (identifier, crc(data))
        return head + struct.pack("<I" + number if wide else "<II", *values)

    def page(kind: int, level: int, entries: list[bytes], identifier: int) -> bytes:
        size = len(entries[0]) if entries else 24
        body = b"".join(entries).ljust(488 if wide else 496, b"\0")
        body += bytes([len(entries), 488 // size, size, level]) + bytes(4 if wide else 0)
        return body + sealed(body, bytes([kind, kind, 0, 0]), identifier)

    out, leaves = bytearray(1024), []
    for index in range(1, blocks + 1):
        data = source.randbytes(source.randrange(800, 3000))
        whole = -(-(len(data) + trailer) // BLOCK) * BLOCK
        leaves.append(
            struct.pack(f"<2{number}HH", 4 * index, len(out), len(data), 2) + bytes(4 if wide else 0)
        )
        out += data + bytes(whole - len(data) - trailer)
        out += sealed(data, struct.pack("<HH", len(data), 0), 4 * index)
    out += bytes(-len(out) % PAGE)
    inner = []
    for first in range(0, blocks, 10):
        inner.append(struct.pack(f"<3{number}", 4 * first, first, len(out)))
        out += page(0x80, 0, leaves[first : first + 10], first)
    tree = len(out)
    out += page(0x80, 1, inner, 900)
    nodes = len(out)
    out += page(0x81, 0, [struct.pack(f"<4{number}", 33, 4, 0, 0)], 901)
    header = bytearray(564)
    header[:20] = struct.pack("<4sIHHHBBI", b"!BDN", 0, 0x4D53, 23 if wide else 14, 19, 1, 1, 0)
    root = 180 if wide else 164
    struct.pack_into(f"<I8{number}", header, root, 0, len(out), 0, 0, 0, 901, nodes, 900, tree)
    struct.pack_into("<I", header, 4, crc(bytes(header[8:479])))
    out[:564] = header
    return bytes(out)
