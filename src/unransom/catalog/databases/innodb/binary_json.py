"""MySQL's binary JSON as text, spaced as the server prints it."""

from __future__ import annotations

import base64
import json
import math
import struct
from collections.abc import Iterator

from unransom.catalog.databases.innodb.types import DIGIT_BYTES

DEEPEST = 100  # levels; the server's own limit
MOST = 1 << 20  # values of a document
SMALL_OBJECT, LARGE_OBJECT, SMALL_ARRAY, LARGE_ARRAY = 0, 1, 2, 3
LITERAL, STRING, OPAQUE = 4, 12, 15
LITERALS = {0: "null", 1: "true", 2: "false"}
NUMBERS = {5: "<h", 6: "<H", 7: "<i", 8: "<I", 9: "<q", 10: "<Q", 11: "<d"}
INLINE = {5, 6}, {5, 6, 7, 8}  # numbers that stand in the entry, of small and large containers
NEW_DECIMAL, DATE, TIME, DATETIME, TIMESTAMP = 246, 10, 11, 12, 7


class _BadError(ValueError):
    """The bytes are no binary JSON."""


def text(value: bytes) -> str | None:
    """Return the document as text; None where the bytes make no sense. An empty value is ``null``."""
    if not value:
        return "null"
    try:
        return "".join(_Document(value).render(value[0], 1, 0))
    except (_BadError, IndexError, struct.error, UnicodeDecodeError, OverflowError):
        return None


class _Document:
    """A document being printed; counts its values so that crossed references end."""

    def __init__(self, value: bytes) -> None:
        self._value = value
        self._left = MOST

    def render(self, kind: int, at: int, depth: int) -> Iterator[str]:
        self._left -= 1
        if depth > DEEPEST or self._left < 0:
            raise _BadError
        if kind <= LARGE_ARRAY:
            yield from self._container(kind, at, depth)
        elif kind == LITERAL:
            yield LITERALS[self._value[at]] if self._value[at] in LITERALS else self._bad()
        elif kind in NUMBERS:
            yield _number(struct.unpack_from(NUMBERS[kind], self._value, at)[0])
        elif kind == STRING:
            length, at = self._length(at)
            yield json.dumps(self._bytes(at, length).decode(), ensure_ascii=False)
        elif kind == OPAQUE:
            length, start = self._length(at + 1)
            yield _opaque(self._value[at], self._bytes(start, length))
        else:
            self._bad()

    def _bad(self) -> str:
        raise _BadError

    def _bytes(self, at: int, length: int) -> bytes:
        if at + length > len(self._value):
            raise _BadError
        return self._value[at : at + length]

    def _length(self, at: int) -> tuple[int, int]:
        """Return a length of seven bits a byte, and where it ends."""
        length = 0
        for place in range(5):
            byte = self._value[at + place]
            length |= (byte & 0x7F) << 7 * place
            if not byte & 0x80:
                return length, at + place + 1
        raise _BadError

    def _container(self, kind: int, base: int, depth: int) -> Iterator[str]:
        large, array = kind & 1, kind >= SMALL_ARRAY
        width, form = (4, "<I") if large else (2, "<H")
        count, size = struct.unpack_from(form[0] + 2 * form[1], self._value, base)
        keys = base + 2 * width
        values = keys if array else keys + count * (width + 2)
        if base + size > len(self._value) or values + count * (1 + width) > base + size:
            raise _BadError
        yield "[" if array else "{"
        for number in range(count):
            if number:
                yield ", "
            if not array:
                start, length = struct.unpack_from(form + "H", self._value, keys + number * (width + 2))
                yield json.dumps(self._bytes(base + start, length).decode(), ensure_ascii=False) + ": "
            entry = values + number * (1 + width)
            inner = self._value[entry]
            place = entry + 1
            if inner != LITERAL and inner not in INLINE[large]:
                place = base + struct.unpack_from(form, self._value, place)[0]
            yield from self.render(inner, place, depth + 1)
        yield "]" if array else "}"


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        raise _BadError
    return repr(value)


def _opaque(kind: int, value: bytes) -> str:
    if kind == NEW_DECIMAL and len(value) > 2:
        return decimal_text(value[2:], value[0], value[1])
    if kind in {DATE, TIME, DATETIME, TIMESTAMP} and len(value) == 8:
        return json.dumps(_moment(kind, int.from_bytes(value, "little", signed=True)))
    return json.dumps(f"base64:type{kind}:{base64.b64encode(value).decode()}")


def _moment(kind: int, packed: int) -> str:
    sign = "-" if packed < 0 else ""
    packed = abs(packed)
    micros, whole = packed & 0xFFFFFF, packed >> 24
    clock = f"{whole >> 12 & 31:02d}:{whole >> 6 & 63:02d}:{whole & 63:02d}.{micros:06d}"
    if kind == TIME:
        return f"{sign}{whole >> 12 & 0x3FF:02d}{clock[2:]}"
    months = whole >> 22
    date = f"{months // 13:04d}-{months % 13:02d}-{whole >> 17 & 31:02d}"
    return date if kind == DATE else f"{date} {clock}"


def decimal_text(value: bytes, precision: int, scale: int) -> str:
    """Return a packed decimal as text.

    Raises:
        ValueError: Its bytes are too few.
    """
    whole = precision - scale
    groups = [whole % 9] * bool(whole % 9) + [9] * (whole // 9)
    fractions = [9] * (scale // 9) + [scale % 9] * bool(scale % 9)
    if len(value) < sum(DIGIT_BYTES[group] for group in groups + fractions) or not value:
        raise _BadError
    negative = not value[0] & 0x80
    plain = bytes([value[0] ^ 0x80]) + value[1:]
    if negative:
        plain = bytes(byte ^ 0xFF for byte in plain)
    digits, at = "", 0
    for group in groups + fractions:
        width = DIGIT_BYTES[group]
        digits += f"{int.from_bytes(plain[at : at + width], 'big'):0{group}d}"
        at += width
    front = digits[:whole].lstrip("0") or "0"
    return ("-" if negative else "") + front + ("." + digits[whole:] if scale else "")
