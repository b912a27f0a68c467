"""The words in the content streams of a PDF, as far as they are written in letters."""

from __future__ import annotations

import re
import zlib

from unransom.catalog.formats.repair._pdf_objects import FLATE, OTHER_FILTER, Object
from unransom.catalog.formats.repair.repair import Damaged

MOST = 1 << 24  # bytes of one content stream
SHOWN = re.compile(
    rb"\((?P<text>(?>[^()\\]|\\.|\((?>[^()\\]|\\.)*+\))*+)\)\s*(?P<kern>-?\d[\d.]*)?"
    rb"|<(?P<hex>[0-9A-Fa-f\s]+)>"
    rb"|(?P<line>\bT[dDm*]|\bET|')(?=\s|\Z)",
    re.DOTALL,
)
CONTENT = re.compile(rb"\bBT\b.*?\bT[jJ]\b", re.DOTALL)
ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r?\n|.)", re.DOTALL)
LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
GAP = -200  # thousandths of a letter's size from which on a shift is a space


def text_of(damaged: Damaged, each: Object) -> str:
    """Return the words that a stream shows, "" where it is no content stream."""
    if b"/Subtype" in each.text and b"/Form" not in each.text:
        return ""
    data = each.data
    if data is None:
        data = damaged.reader.read_at(each.start, min(each.end - each.start, MOST))
        if FLATE.search(each.text):
            try:
                data = zlib.decompressobj().decompress(data, MOST)
            except zlib.error:
                return ""
        elif OTHER_FILTER.search(each.text):
            return ""
    return _words(data) if CONTENT.search(data[:MOST]) else ""


def _words(data: bytes) -> str:
    parts: list[str] = []
    for found in SHOWN.finditer(data):
        if found["line"]:
            parts.append("\n")
        elif found["hex"] is not None:
            digits = re.sub(rb"\s", b"", found["hex"])
            parts.append(_decoded(bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())))
        else:
            parts.append(_decoded(ESCAPE.sub(_unescaped, found["text"])))
            if found["kern"] and float(found["kern"].rstrip(b".").split(b".")[0] or b"0") < GAP:
                parts.append(" ")
    return re.sub(r"\n{2,}", "\n", "".join(parts)).strip("\n")


def _unescaped(found: re.Match[bytes]) -> bytes:
    letter = found[1]
    if letter[0] in b"01234567":
        return bytes([int(letter, 8) & 255])
    return b"" if letter.endswith(b"\n") else LETTERS.get(letter, letter)


def _decoded(text: bytes) -> str:
    """Return a string as text: UTF-16 by its mark, else the Latin letters in it."""
    if text.startswith(b"\xfe\xff"):
        return text[2:].decode("utf-16-be", "replace")
    return "".join(letter for letter in text.decode("cp1252", "ignore") if letter.isprintable())
