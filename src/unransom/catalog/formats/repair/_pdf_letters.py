"""What the strings of a font in a PDF stand for, by its ToUnicode map or the character set that it names."""

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
ENCODING = re.compile(rb"/Encoding\s*/([\w-]+)-[HV]\b")
CODECS = (  # of the predefined maps of Chinese, Japanese and Korean fonts
    (re.compile(rb"Uni(?:GB|CNS|JIS|JISX0213|JIS2004|KS)\d*-(?:UCS2|UTF16)(?:-HW)?"), "utf-16-be"),
    (re.compile(rb"GB(?:pc|K|Kp)?-EUC|GBK2K"), "gb18030"),
    (re.compile(rb"(?:B5pc|ETen-B5|ETenms-B5|HKscs-B5)"), "big5hkscs"),
    (re.compile(rb"(?:83pv|90ms|90msp|90pv|Add|Ext)-RKSJ"), "cp932"),
    (re.compile(rb"KSC-EUC|KSC(?:ms-UHC|pc-EUC)(?:-HW)?"), "cp949"),
)


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


class CharacterSet(msgspec.Struct):
    """The letters of a font whose strings are in a character set.

    Attributes:
        codec: Python's name of it.
    """

    codec: str

    def decode(self, shown: bytes) -> str:
        """Return the text of a string, with a mark for what is none."""
        return shown.decode(self.codec, "replace")


def character_set_in(font: bytes) -> CharacterSet | None:
    """Return the character set that the dictionary of a font names, None where it names none."""
    named = ENCODING.search(font)
    codecs = (codec for pattern, codec in CODECS if named and pattern.fullmatch(named[1]))
    return next(map(CharacterSet, codecs), None)


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
