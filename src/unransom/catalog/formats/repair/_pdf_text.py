"""The words in the content streams of a PDF, as far as they are written in letters."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping

from unransom.catalog.formats.repair._pdf_letters import CharacterSet, Letters
from unransom.catalog.formats.repair._pdf_objects import FLATE, OTHER_FILTER, Object, letters_of
from unransom.catalog.formats.repair.repair import Damaged

MOST = 1 << 24  # bytes of one content stream
SHOWN = re.compile(
    rb"(?:\((?P<text>(?>[^()\\]|\\.|\((?>[^()\\]|\\.)*+\))*+)\)|<(?P<hex>[0-9A-Fa-f\s]+)>)"
    rb"\s*(?P<kern>-?\d[\d.]*)?"
    rb"|/(?P<font>[^\s/<>\[\]()]+)\s+-?[\d.]+\s+Tf\b"
    rb"|(?P<line>\bT[dDm*]|\bET|')(?=\s|\Z)",
    re.DOTALL,
)
CONTENT = re.compile(rb"\bBT\b.*?\bT[jJ]\b", re.DOTALL)
ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r?\n|.)", re.DOTALL)
LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
UNKNOWN = "\ufffd"  # stands for a string of glyphs that nobody knows
GAP = -200  # thousandths of a letter's size from which on a shift is a space


def text_of(damaged: Damaged, each: Object, fonts: Mapping[bytes, Letters | CharacterSet]) -> str:
    """Return the words that a stream shows, "" where it is no content stream.

    Args:
        damaged: The document.
        each: The stream.
        fonts: By the names in the stream, what the glyphs of fonts stand for; others have Latin letters.
    """
    if b"/Subtype" in each.text and b"/Form" not in each.text:
        return ""
    data = data_of(damaged, each)
    return _words(data, fonts) if CONTENT.search(data) else ""


def data_of(damaged: Damaged, each: Object) -> bytes:
    """Return what a stream holds as far as it is left, b"" where it is packed in a way that is not read."""
    if each.data is not None:
        return each.data[:MOST]
    data = damaged.reader.read_at(each.start, min(each.end - each.start, MOST))
    if packed := FLATE.search(each.text):
        data = letters_of(data) if packed["letters"] else data
        try:
            return zlib.decompressobj().decompress(data, MOST)
        except zlib.error:
            return b""
    return b"" if OTHER_FILTER.search(each.text) else data


def _words(data: bytes, fonts: Mapping[bytes, Letters | CharacterSet]) -> str:
    parts: list[str] = []
    font = b""
    numbered = _numbered(data)
    for found in SHOWN.finditer(data):
        if found["font"] is not None:
            font = found["font"]
        elif found["line"]:
            parts.append("\n")
        else:
            shown = _string(found)
            known = font in fonts or font not in numbered
            parts.append((fonts[font].decode if font in fonts else _decoded)(shown) if known else UNKNOWN)
            if found["kern"] and float(found["kern"].rstrip(b".").split(b".")[0] or b"0") < GAP:
                parts.append(" ")
    return re.sub(r"\n{2,}", "\n", "".join(parts)).strip("\n")


def _numbered(data: bytes) -> set[bytes]:
    """Return the fonts whose strings are numbers of glyphs: bytes are in them that no text has."""
    numbered: set[bytes] = set()
    font = b""
    for found in SHOWN.finditer(data):
        if found["font"] is not None:
            font = found["font"]
        elif not found["line"] and font not in numbered and CONTROL.search(_string(found)):
            numbered.add(font)
    return numbered


def _string(found: re.Match[bytes]) -> bytes:
    """Return the bytes of a string."""
    if found["hex"] is None:
        return ESCAPE.sub(_unescaped, found["text"])
    digits = re.sub(rb"\s", b"", found["hex"])
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())


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
