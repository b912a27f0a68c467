"""How files begin that are packed without being compressed: bytes at several places that come together.

``catalog.oracle.heads`` has what identifies a format. An attack that needs twelve bytes or more wants longer
beginnings, though only the files of some programs have them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

Pieces = tuple[tuple[int, bytes], ...]


class Beginning(NamedTuple):
    """What a file begins with.

    Attributes:
        share: Which part of the files of such names, about.
        pieces: Known bytes by their place.
        sized: Where the file's size stands, and what it is less by; as 32 bits, little-endian.
    """

    share: float
    pieces: Pieces
    sized: tuple[int, int] | None = None


def _zeros(count: int) -> bytes:
    return bytes(count)


_XML = tuple(
    Beginning(share, ((0, head),))
    for share, head in (
        (0.6, b'<?xml version="1.0" encoding="'),
        (0.2, b'<?xml version="1.0" '),
        (0.1, b'\xef\xbb\xbf<?xml version="1.0" '),
        (0.05, b"<?xml version='1.0' encoding='"),
    )
)
_SVG = (*_XML, Beginning(0.2, ((0, b'<svg xmlns="http://www.w3.org/2000/svg"'),)))
_HTML = (
    Beginning(0.5, ((0, b"<!DOCTYPE html>"),)),
    Beginning(0.3, ((0, b"<!doctype html>"),)),
    Beginning(0.1, ((0, b'<!DOCTYPE html PUBLIC "-//W3C//DTD '),)),
)
_JPEG = (
    Beginning(0.4, ((0, b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01"),)),
    Beginning(0.3, ((0, b"\xff\xd8\xff\xe1"), (6, b"Exif\x00\x00II*\x00\x08\x00\x00\x00"))),
    Beginning(0.2, ((0, b"\xff\xd8\xff\xe1"), (6, b"Exif\x00\x00MM\x00*\x00\x00\x00\x08"))),
    Beginning(0.1, ((0, b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x02"),)),
)
_PNG = (Beginning(0.95, ((0, b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00"), (26, _zeros(2)))),)
_PDF = (
    Beginning(0.3, ((0, b"%PDF-1."), (8, b"\r\n%\xb5\xb5\xb5\xb5\r\n1 0 obj\r\n<</Type/Catalog/Pages "))),
    Beginning(0.2, ((0, b"%PDF-1."), (8, b"\n%\xc3\xa4\xc3\xbc\xc3\xb6\xc3\x9f\n2 0 obj\n<</Length "))),
    Beginning(0.15, ((0, b"%PDF-1."), (8, b"\n%\xe2\xe3\xcf\xd3\n"))),
    Beginning(0.1, ((0, b"%PDF-1."), (8, b"\r%\xe2\xe3\xcf\xd3\r\n"))),
    Beginning(0.1, ((0, b"%PDF-1."), (8, b"\n%\xd3\xeb\xe9\xe1\n1 0 obj\n<</"))),
    Beginning(0.1, ((0, b"%PDF-1."), (8, b"\n%\xc7\xec\x8f\xa2\n"))),
)
_TYPES = b"[Content_Types].xml"
_OOXML = (
    Beginning(
        0.7,
        (
            (0, b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00"),
            (26, b"\x13\x00\x08\x02" + _TYPES + b" \xa2\x04\x02(\xa0\x00\x02" + _zeros(512)),
        ),
    ),
    Beginning(0.1, ((0, b"PK\x03\x04\x14\x00"), (26, b"\x13\x00\x00\x00" + _TYPES))),
    Beginning(0.1, ((0, b"PK\x03\x04\x14\x00"), (26, b"\x10\x00\x00\x00docProps/app.xml"))),
)
_STUB = bytes.fromhex("0e1fba0e00b409cd21b8014ccd21") + b"This program cannot be run in DOS mode.\r\r\n$"
_EXE = (
    Beginning(
        0.8,
        (
            (0, bytes.fromhex("4d5a90000300000004000000ffff0000b80000000000000040") + _zeros(35)),
            (64, _STUB + _zeros(7)),
        ),
    ),
)
_OLE = (
    Beginning(
        0.9, ((0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + _zeros(16) + b">\x00\x03\x00\xfe\xff\x09\x00\x06"),)
    ),
)
_SQL = (
    Beginning(0.5, ((0, b"-- MySQL dump 10.13  Distrib "),)),
    Beginning(0.2, ((0, b"-- MariaDB dump 10.19"),)),
    Beginning(0.2, ((0, b"--\n-- PostgreSQL database dump\n--\n"),)),
)
_KEYS = (
    Beginning(0.3, ((0, b"-----BEGIN CERTIFICATE-----\nMII"),)),
    Beginning(0.3, ((0, b"-----BEGIN PRIVATE KEY-----\nMII"),)),
    Beginning(0.3, ((0, b"-----BEGIN RSA PRIVATE KEY-----\nMII"),)),
    Beginning(0.2, ((0, b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA"),)),
)
_MOVIE = (
    Beginning(0.4, ((0, b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41"),)),
    Beginning(0.3, ((0, b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00"),)),
    Beginning(0.2, ((0, b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  "),)),
)


def _packed_office(kind: bytes) -> tuple[Beginning, ...]:
    """Return how an archive begins whose first member names its type."""
    return (Beginning(0.9, ((0, b"PK\x03\x04"), (26, b"\x08\x00\x00\x00mimetypeapplication/" + kind))),)


def _riff(kind: bytes) -> tuple[Beginning, ...]:
    return (Beginning(0.8, ((0, b"RIFF"), (8, kind)), (4, 8)),)


BEGINNINGS: dict[bytes, tuple[Beginning, ...]] = {
    **dict.fromkeys((b"xml", b"xsd", b"config", b"rss", b"kml", b"gpx"), _XML),
    **dict.fromkeys((b"svg",), _SVG),
    **dict.fromkeys((b"html", b"htm"), _HTML),
    **dict.fromkeys((b"jpg", b"jpeg"), _JPEG),
    **dict.fromkeys((b"png",), _PNG),
    **dict.fromkeys((b"pdf",), _PDF),
    **dict.fromkeys((b"docx", b"xlsx", b"pptx", b"docm", b"xlsm", b"dotx", b"vsdx"), _OOXML),
    **dict.fromkeys((b"exe", b"dll", b"sys", b"scr", b"ocx"), _EXE),
    **dict.fromkeys((b"doc", b"xls", b"ppt", b"msg", b"msi", b"vsd"), _OLE),
    **dict.fromkeys((b"sql", b"dump"), _SQL),
    **dict.fromkeys((b"pem", b"key", b"crt", b"cer"), _KEYS),
    **dict.fromkeys((b"mp4", b"m4v", b"mov", b"3gp", b"m4a"), _MOVIE),
    b"odt": _packed_office(b"vnd.oasis.opendocument.text"),
    b"ods": _packed_office(b"vnd.oasis.opendocument.spreadsheet"),
    b"odp": _packed_office(b"vnd.oasis.opendocument.presentation"),
    b"epub": _packed_office(b"epub+zip"),
    b"wav": _riff(b"WAVEfmt \x10\x00\x00\x00\x01\x00"),
    b"avi": _riff(b"AVI LIST"),
    b"webp": _riff(b"WEBPVP8"),
    b"bmp": (Beginning(0.8, ((0, b"BM"), (6, _zeros(4) + b"6\x00\x00\x00(\x00\x00\x00")), (2, 0)),),
    b"mkv": (
        Beginning(
            0.7, ((0, bytes.fromhex("1a45dfa3a34286810142f7810142f2810442f381084282886d6174726f736b61")),)
        ),
    ),
    b"iso": (Beginning(0.9, ((0, _zeros(8192)),)),),
    b"vhd": (
        Beginning(0.5, ((0, b"conectix\x00\x00\x00\x02\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00"),)),
    ),
    b"vmdk": (Beginning(0.6, ((0, b"KDMV\x01\x00\x00\x00\x03\x00\x00\x00"),)),),
    b"pst": (Beginning(0.8, ((0, b"!BDN"), (8, b"SM\x17\x00\x13\x00\x01\x01" + _zeros(8)))),),
    b"mdb": (Beginning(0.9, ((0, b"\x00\x01\x00\x00Standard Jet DB\x00\x01\x00\x00\x00"),)),),
    b"accdb": (Beginning(0.9, ((0, b"\x00\x01\x00\x00Standard ACE DB\x00\x02\x00\x00\x00"),)),),
    b"rar": (Beginning(0.4, ((0, b"Rar!\x1a\x07\x00\xcf\x90s\x00\x00\x0d" + _zeros(7)),)),),
    b"evtx": (Beginning(0.9, ((0, b"ElfFile\x00" + _zeros(8)),)),),
    b"ppk": (Beginning(0.5, ((0, b"PuTTY-User-Key-File-2: ssh-rsa"),)),),
}


def beginnings(name: bytes, size: int) -> Iterator[Beginning]:
    """Yield how a file called ``name`` of ``size`` bytes may begin, the likeliest first."""
    for each in BEGINNINGS.get(name.rpartition(b".")[2].lower(), ()):
        pieces = each.pieces
        if each.sized:
            place, less = each.sized
            pieces += ((place, (max(size - less, 0) & 0xFFFFFFFF).to_bytes(4, "little")),)
        yield Beginning(each.share, _joined(pieces, size))


def _joined(pieces: Pieces, size: int) -> Pieces:
    """Return ``pieces`` with those joined that stand side by side, up to the end of the file."""
    joined: list[tuple[int, bytes]] = []
    for place, data in sorted(pieces):
        inside = data[: max(size - place, 0)]
        if joined and joined[-1][0] + len(joined[-1][1]) == place:
            joined[-1] = (joined[-1][0], joined[-1][1] + inside)
        elif inside:
            joined.append((place, inside))
    return tuple(joined)
