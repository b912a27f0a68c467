"""Content made to keep a validator busy: each must end soon."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from tests.catalog.formats import database_samples as databases
from tests.catalog.formats import program_samples as programs
from unransom.catalog.formats import csv, der, elf, font, html, json, pyc, sqlite, text, xml
from unransom.catalog.formats.format import HEAD, Format
from unransom.core.streams import BytesReader


def overlapping_cells() -> bytes:
    """Return a database whose pages have each cell at the same place, with a long record header."""
    page = bytearray(65536)
    count = 20_000
    struct.pack_into(">BHHHB", page, 0, 13, 0, count, 8 + 2 * count, 0)
    struct.pack_into(f">{count}H", page, 8, *([50_000] * count))
    page[50_000:50_008] = b"\xf8\x60\x01\xf8\x50" + b"\1\1\1"
    head = bytearray(databases.sqlite(65536, 10)[:65536])
    struct.pack_into(">I", head, 28, 9)
    return bytes(head) + bytes(page) * 8


def overlapping_sections() -> bytes:
    data = bytearray(programs.elf())
    data += b"\x90\x48\x8b" * 200_000
    row = struct.pack("<IIQQQQIIQQ", 1, 1, 6, 0, 64, len(data) - 64, 0, 0, 1, 0)
    struct.pack_into("<Q", data, 40, len(data))
    struct.pack_into("<H", data, 60, 60_000)
    return bytes(data) + row * 60_000


def overlapping_tables() -> bytes:
    body, fonts = bytes(400_000), b""
    for index in range(8):
        rows = (struct.pack(">4sIII", b"glyf", 1, 8000 + index * 400 + row, 300_000) for row in range(400))
        fonts += b"\0\1\0\0" + struct.pack(">4H", 400, 0, 0, 0) + b"".join(rows)
    starts = [12 + 4 * 8 + index * (12 + 16 * 400) for index in range(8)]
    return b"ttcf" + struct.pack(">HHI", 1, 0, 8) + struct.pack(">8I", *starts) + fonts + body


HOSTILE: dict[str, tuple[Format, Callable[[], bytes]]] = {
    "cells": (sqlite.FORMAT, overlapping_cells),
    "sections": (elf.FORMAT, overlapping_sections),
    "tables": (font.FORMAT, overlapping_tables),
    "begins": (der.FORMAT, lambda: b"-----BEGIN X-----\n" * 100_000),
    "comments": (xml.FORMAT, lambda: b"<!---->" * 300_000),
    "instructions": (xml.FORMAT, lambda: b"<??>" * 300_000),
    "page comments": (html.FORMAT, lambda: b"<!-- x -->" * 300_000),
    "quotes": (csv.FORMAT, lambda: b'"' * 2_000_001),
    "delimiters": (csv.FORMAT, lambda: b"a,b\n" * 900 + b"," * 3_000_000),
    "brackets": (json.FORMAT, lambda: b"[" * 3_000_000),
    "lists": (pyc.FORMAT, lambda: programs_head() + b"[\1\0\0\0" * 300_000),
    "zeros": (text.FORMAT, lambda: (b"text" * 200 + bytes(600)) * 3000),
}


def programs_head() -> bytes:
    return struct.pack("<HH", 3495, 0x0A0D) + bytes(12) + b"\xe3" + bytes(20)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_content_ends_soon(name: str) -> None:
    form, make = HOSTILE[name]
    data = make()
    form.recognise(data[:HEAD])
    form.validate(BytesReader(data))
    form.measure(BytesReader(data))
