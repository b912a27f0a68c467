"""What the glyphs of a font in a PDF stand for, by its ToUnicode map."""

from __future__ import annotations

import re

import msgspec

COUNT = 1 << 16  # glyphs of a font
SPACE = re.compile(rb"begincodespacerange\s*<([0-9A-Fa-f]+)>")
SECTION = re.compile(rb"beginbf(char|range)(.*?)endbf", re.DOTALL)
HEX = rb"<([0-9A-Fa-f\s]*)>"
CHAR = re.compile(HEX + rb"\s*" + HEX)
RANGE = re.compile(HEX + rb"\s*" + HEX + rb"\s*(?:" + HEX + rb"|\[([^\]]*)\])")
LETTER = re.compile(HEX)


class Letters(msgspec.Struct):
    """The letters of a font.

    Attributes:
        width: Bytes of a glyph's number in strings.
        letters: By that number.
    """

    width: int
    letters: dict[int, str]

    def decode(self, shown: bytes) -> str:
        """Return the text of a string, with a mark for each glyph that is not known."""
        width = self.width
        codes = (int.from_bytes(shown[at : at + width]) for at in range(0, len(shown), width))
        return "".join(self.letters.get(code, "\ufffd") for code in codes)


def letters_in(mapping: bytes) -> Letters | None:
    """Return what a ToUnicode map says, None where it says nothing."""
    space = SPACE.search(mapping)
    letters: dict[int, str] = {}
    for kind, body in SECTION.findall(mapping):
        if kind == b"char":
            letters |= {_number(code): _text(text) for code, text in CHAR.findall(body)[:COUNT]}
        else:
            for found in RANGE.findall(body)[:COUNT]:
                letters |= _range(*found)
        if len(letters) > COUNT:
            break
    return Letters(max(len(space[1]) // 2, 1) if space else 1, letters) if letters else None


def _range(first: bytes, last: bytes, start: bytes, each: bytes) -> dict[int, str]:
    """Return the letters of glyphs with numbers in a row."""
    low, high = _number(first), min(_number(last), _number(first) + 0xFFFF)
    if each:
        return dict(zip(range(low, high + 1), map(_text, LETTER.findall(each)), strict=False))
    text = _text(start)
    if not text:
        return {}
    before, letter = text[:-1], ord(text[-1])
    return {code: before + chr(min(letter + code - low, 0x10FFFF)) for code in range(low, high + 1)}


def _number(digits: bytes) -> int:
    digits = b"".join(digits.split())
    return int(digits[:8], 16) if digits else 0


def _text(digits: bytes) -> str:
    digits = b"".join(digits.split())
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode()).decode("utf-16-be", "replace")
