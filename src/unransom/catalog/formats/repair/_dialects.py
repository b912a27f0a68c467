"""Sheets as few programs write them, made into what others write: prefixed names, cells without places."""

from __future__ import annotations

import re

from unransom.catalog.formats.repair._sheets import MAIN
from unransom.catalog.formats.repair._skeleton import column_of, letters_of

ROOT = 4096  # bytes in which the first element ends
PREFIX = re.compile(rb'\bxmlns:(\w+)=(["\'])' + re.escape(MAIN) + rb"\2")
DEFAULT = re.compile(rb"<[\w:]+\b[^<>]*\sxmlns=")
FIRST = re.compile(rb"<c\b[^<>]*>")
PLACED = re.compile(rb'\sr="([A-Z]{0,3})(\d{1,7})"')
TAG = re.compile(rb"<(row|c)\b([^<>]*)>")


def normal(text: bytes) -> bytes:
    """Return a part of a workbook without prefixes and with a place for each cell; itself where it is so."""
    return _placed(_bare(text))


def _bare(text: bytes) -> bytes:
    """Return a part whose elements have no prefix, as those of most programs have none."""
    root = text[:ROOT]
    prefix = PREFIX.search(root)
    if prefix is None or DEFAULT.search(root) or b"<" + prefix[1] + b":" not in root:
        return text
    bare = re.sub(rb"<(/?)" + prefix[1] + rb":", rb"<\1", text)
    return bare.replace(b"xmlns:" + prefix[1] + b"=", b"xmlns=", 1)


def _placed(text: bytes) -> bytes:
    """Return a sheet whose rows and cells say where they are, as readers of it count them."""
    first = FIRST.search(text)
    if first is None or PLACED.search(first[0]):
        return text
    row = column = 0

    def place(found: re.Match[bytes]) -> bytes:
        nonlocal row, column
        placed = PLACED.search(found[2])
        if found[1] == b"row":
            row, column = int(placed[2]) if placed else row + 1, 0
            return found[0] if placed else b'<row r="%d"%s>' % (row, found[2])
        column = column_of(placed[1]) if placed else column + 1
        return found[0] if placed else b'<c r="%s%d"%s>' % (letters_of(column).encode(), row, found[2])

    return TAG.sub(place, text)
