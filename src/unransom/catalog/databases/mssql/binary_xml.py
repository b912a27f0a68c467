"""The binary form in which SQL Server keeps XML, written as text ([MS-BINXML])."""

from __future__ import annotations

import base64
import datetime
import struct
from xml.sax.saxutils import escape, quoteattr

from unransom.catalog.databases.mssql.layout import Field

SIGNATURE = b"\xdf\xff"
MOST_NAMES = 1 << 16
UTF8_PAGE = 65001
MOST_TOKENS = 1 << 22

DECLARATION, ENCODING, ELEMENT, END_ELEMENT, ATTRIBUTE, END_ATTRIBUTES = 0xFE, 0xFD, 0xF8, 0xF7, 0xF6, 0xF5
INSTRUCTION, COMMENT, CDATA, NAME, QUALIFIED, EXTENSION, FLUSH = 0xF4, 0xF3, 0xF2, 0xF0, 0xEF, 0xEA, 0xE9
_WIDE, _NARROW, _BYTES = (0x11, 0x0E, 0x18), (0x0D, 0x10, 0x16), (0x0F, 0x0C, 0x17, 0x1B)
_DECIMALS, _MONEY, _BOOLEANS = (0x0A, 0x0B, 0x87), {0x05: "<q", 0x14: "<i"}, (0x06, 0x86)
_NUMBERS = {
    0x01: "<h", 0x02: "<i", 0x03: "<f", 0x04: "<d", 0x07: "<B", 0x08: "<q", 0x88: "<b", 0x89: "<H",
    0x8A: "<I", 0x8B: "<Q",
}  # fmt: skip


class _BrokenError(ValueError):
    """The bytes are not as the format has them."""


def xml_text(field: Field, raw: bytes) -> str:
    """Return binary XML as text; what cannot be read as such in hexadecimal."""
    if raw[:2] == SIGNATURE:
        try:
            return _Reader(raw).read()
        except (_BrokenError, struct.error, IndexError, UnicodeDecodeError, LookupError, OverflowError):
            pass
    return "0x" + raw.hex()


class _Reader:
    def __init__(self, raw: bytes) -> None:
        self._raw, self._at = raw, 3  # signature and version
        self._strings: list[str] = [""]
        self._names: list[str] = [""]
        self._open: list[str] = []
        self._out: list[str] = []
        self._in_tag = False
        self._attribute: list[str] | None = None

    def read(self) -> str:
        for _ in range(MOST_TOKENS):
            if self._at >= len(self._raw):
                break
            token = self._byte()
            if not self._name(token) and not self._structure(token):
                self._text(self._value(token))
        self._close_attribute()
        if self._open:
            raise _BrokenError
        return "".join(self._out)

    def _byte(self) -> int:
        self._at += 1
        return self._raw[self._at - 1]

    def _number(self) -> int:
        """Read a number of up to five bytes with seven bits each."""
        value = 0
        for shift in range(0, 35, 7):
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise _BrokenError

    def _take(self, size: int) -> bytes:
        if size < 0 or self._at + size > len(self._raw):
            raise _BrokenError
        self._at += size
        return self._raw[self._at - size : self._at]

    def _letters(self) -> str:
        return self._take(2 * self._number()).decode("utf-16-le")

    def _name(self, token: int) -> bool:
        if token == NAME:
            self._strings.append(self._letters())
        elif token == QUALIFIED:
            _, prefix, local = self._number(), self._number(), self._number()
            start = f"{self._strings[prefix]}:" if self._strings[prefix] else ""
            self._names.append(start + self._strings[local])
        elif token in (DECLARATION, ENCODING):
            self._declaration(token)
        elif token == EXTENSION:
            self._take(self._number())
        else:
            return token == FLUSH
        if len(self._strings) + len(self._names) > MOST_NAMES:
            raise _BrokenError
        return True

    def _declaration(self, token: int) -> None:
        version = self._letters() if token == DECLARATION else ""
        if version:
            self._out.append(f'<?xml version="{escape(version)}"?>')
            if self._raw[self._at : self._at + 1] == bytes((ENCODING,)):
                self._at += 1
                self._letters()
            self._byte()  # standalone

    def _structure(self, token: int) -> bool:
        if token == ELEMENT:
            self._close_tag()
            name = self._names[self._number()]
            self._open.append(name)
            self._out.append(f"<{name}")
            self._in_tag = True
        elif token == ATTRIBUTE:
            self._close_attribute()
            self._out.append(f" {self._names[self._number()]}=")
            self._attribute = []
        elif token == END_ATTRIBUTES:
            self._close_attribute()
        elif token == END_ELEMENT:
            self._end()
        elif token in (COMMENT, INSTRUCTION, CDATA):
            self._special(token)
        else:
            return False
        return True

    def _special(self, token: int) -> None:
        self._close_tag()
        if token == COMMENT:
            self._out.append(f"<!--{self._letters()}-->")
        elif token == INSTRUCTION:
            self._out.append(f"<?{self._strings[self._number()]} {self._letters()}?>")
        else:
            parts = [self._letters()]
            while self._byte() == CDATA:
                parts.append(self._letters())
            self._out.append(f"<![CDATA[{''.join(parts)}]]>")

    def _end(self) -> None:
        self._close_attribute()
        name = self._open.pop()
        if self._in_tag:
            self._out.append("/>")
            self._in_tag = False
        else:
            self._out.append(f"</{name}>")

    def _close_attribute(self) -> None:
        if self._attribute is not None:
            self._out.append(quoteattr("".join(self._attribute)))
            self._attribute = None

    def _close_tag(self) -> None:
        self._close_attribute()
        if self._in_tag:
            self._out.append(">")
            self._in_tag = False

    def _text(self, value: str) -> None:
        if self._attribute is not None:
            self._attribute.append(value)
            return
        self._close_tag()
        self._out.append(escape(value))

    def _value(self, token: int) -> str:
        if token in _WIDE:
            return self._letters()
        if token in _NARROW:
            size = self._number()
            (page,) = struct.unpack("<I", self._take(4))
            return self._take(size - 4).decode("utf-8" if page == UTF8_PAGE else f"cp{page}", "replace")
        if token in _NUMBERS:
            form = _NUMBERS[token]
            return str(struct.unpack(form, self._take(struct.calcsize(form)))[0])
        if token in _BOOLEANS:
            return "true" if self._byte() else "false"
        if token in _DECIMALS:
            return self._decimal()
        if 0x7A <= token <= 0x7F:
            return self._moment(token)
        return self._rest(token)

    def _rest(self, token: int) -> str:
        if token in _BYTES:
            return base64.b64encode(self._take(self._number())).decode()
        if token in _MONEY:
            form = _MONEY[token]
            return f"{struct.unpack(form, self._take(struct.calcsize(form)))[0] / 10000:.4f}"
        raise _BrokenError

    def _decimal(self) -> str:
        size, _, scale, positive = self._take(4)
        digits = str(int.from_bytes(self._take(size - 3), "little")).rjust(scale + 1, "0")
        text = f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits
        return text if positive else f"-{text}"

    def _moment(self, token: int) -> str:
        """Read a date, a time or both, with or without an offset."""
        scale = self._byte() if token != 0x7F else 0
        width = 3 + (scale > 2) + (scale > 4) if token != 0x7F else 0
        ticks = int.from_bytes(self._take(width), "little")
        days = int.from_bytes(self._take(3), "little") if token != 0x7D else 0
        self._take(2 if token in (0x7A, 0x7B, 0x7C) else 0)
        date = (datetime.date(1, 1, 1) + datetime.timedelta(days)).isoformat() if token != 0x7D else ""
        seconds = ticks // 10**scale
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}" if width else ""
        return "T".join(part for part in (date, clock) if part)
