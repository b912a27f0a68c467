"""By what the first bytes of a file are found, and which marks inside of files say where a part belongs.

What begins like nothing in particular (plain text, CSV) is not carved: most of it would be pieces of others.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from unransom.catalog.formats import FORMATS
from unransom.catalog.formats.format import HEAD, Format

SECTOR = 512  # files begin at multiples of it

# First bytes, at least two of them, of the formats that are looked for.
BEGINNINGS: dict[str, tuple[bytes, ...]] = {
    "jpeg": (b"\xff\xd8\xff",),
    "png": (b"\x89PNG",),
    "gif": (b"GIF8",),
    "tiff": (b"II*\0", b"MM\0*"),
    "webp": (b"RIFF",),
    "avi": (b"RIFF",),
    "wav": (b"RIFF",),
    "bmp": (b"BM",),
    "psd": (b"8BPS",),
    "ogg": (b"OggS",),
    "flac": (b"fLaC",),
    "mp3": (b"ID3",),
    "flv": (b"FLV\1",),
    "asf": (b"\x30\x26\xb2\x75",),
    "mpegts": (b"\x47\x40",),
    "matroska": (b"\x1a\x45\xdf\xa3",),
    "ooxml": (b"PK\x03\x04",),
    "zip": (b"PK\x03\x04",),
    "pdf": (b"%PDF",),
    "ole2": (b"\xd0\xcf\x11\xe0",),
    "gzip": (b"\x1f\x8b",),
    "sevenzip": (b"7z\xbc\xaf",),
    "rar": (b"Rar!",),
    "xz": (b"\xfd7zX",),
    "bzip2": (b"BZh",),
    "zstd": (b"\x28\xb5\x2f\xfd",),
    "cab": (b"MSCF",),
    "ar": (b"!<arch>",),
    "sqlite": (b"SQLite format 3",),
    "wal": (b"\x37\x7f\x06",),
    "pst": (b"!BDN",),
    "mssql": (b"\x01\x0f",),
    "evtx": (b"ElfFile\0",),
    "registry": (b"regf",),
    "pe": (b"MZ",),
    "elf": (b"\x7fELF",),
    "javaclass": (b"\xca\xfe\xba\xbe",),
    "dex": (b"dex\n",),
    "font": (b"\0\1\0\0", b"OTTO", b"true", b"ttcf", b"wOFF", b"wOF2"),
    "mo": (b"\xde\x12\x04\x95", b"\x95\x04\x12\xde"),
    "npy": (b"\x93NUMPY",),
    "rtf": (b"{\\rtf",),
    "vcard": (b"BEGIN:V", b"\xef\xbb\xbfBEGIN:V"),
    "mail": (b"From ", b"Return-Path: ", b"Received: ", b"Delivered-To: ", b"MIME-Version: ", b"Date: "),
    "svg": (b"<?xml", b"<svg"),
    "html": (b"<!DO", b"<!do", b"<html", b"<HTML"),
    "xml": (b"<?xml",),
}

# Bytes further on, of formats whose first ones tell nothing: offset, bytes.
FURTHER: dict[str, tuple[int, bytes]] = {
    "mp4": (4, b"ftyp"),
    "mpeg": (0, b"\0\0\1\xba"),
    "tar": (257, b"ustar"),
    "ico": (0, b"\0\0\1\0"),
    "innodb": (24, b"\0\x08\0\0"),
}

# Marks inside of files. None is so short or so frequent that finding it would cost more than reading.
LOCAL, CENTRAL, END_RECORD, PIXELS, IMAGE_END, START_XREF, OBJECT, ROOT, NODE = range(9)
MARKS: dict[int, bytes] = {
    LOCAL: b"PK\x03\x04",
    CENTRAL: b"PK\x01\x02",
    END_RECORD: b"PK\x05\x06",
    PIXELS: b"IDAT",
    IMAGE_END: b"IEND\xaeB`\x82",
    START_XREF: b"startxref",
    OBJECT: b" 0 obj",
    ROOT: "Root Entry".encode("utf-16-le"),
}
# At the first bytes of sectors only: a block of ext4 with the extents of a file.
NODE_MAGIC = 0xF30A  # of two bytes; then two with their number
NODE_SIZES = frozenset((1024 << power) // 12 - 1 for power in range(7))  # entries that may be: four bytes
KINDS = (*MARKS, NODE)


class Guess(NamedTuple):
    """A format that the first bytes of a file fit, and how many bits of them do."""

    format: Format
    bits: int


@cache
def by_first_two() -> dict[bytes, tuple[Format, ...]]:
    """Return the formats by the first two bytes that their files have."""
    table: dict[bytes, list[Format]] = {}
    for each in FORMATS:
        for first in {beginning[:2] for beginning in BEGINNINGS.get(each.name, ())}:
            table.setdefault(first, []).append(each)
    return {first: tuple(formats) for first, formats in table.items()}


@cache
def further() -> tuple[tuple[int, bytes, Format], ...]:
    """Return the marks behind the first bytes, and whose they are."""
    return tuple((*FURTHER[each.name], each) for each in FORMATS if each.name in FURTHER)


def guesses(head: bytes) -> list[Guess]:
    """Return what ``head`` may be the beginning of, the most likely first."""
    head = head[:HEAD]
    formats = list(by_first_two().get(head[:2], ()))
    formats += [each for at, mark, each in further() if head.startswith(mark, at)]
    fitting = [Guess(each, bits) for each in formats if (bits := each.recognise(head))]
    return sorted(fitting, key=lambda guess: -guess.bits)
