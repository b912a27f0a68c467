"""aPLib compression (Jørgen Ibsen's format), bounded; LockBit 3 packs the original file name with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class AplibError(ValueError):
    """The data is no aPLib stream, or it unpacks to more than was allowed."""


class _Bits:
    """Bits from the tag bytes that are interleaved with the literal bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0
        self._tag = 0
        self._left = 0

    def byte(self) -> int:
        if self._position >= len(self._data):
            raise AplibError("the stream ends early")
        self._position += 1
        return self._data[self._position - 1]

    def bit(self) -> int:
        if not self._left:
            self._tag, self._left = self.byte(), 8
        self._left -= 1
        return self._tag >> self._left & 1

    def gamma(self) -> int:
        """Return a number of at least 2 in the interleaved gamma code."""
        value = 1
        while True:
            value = value << 1 | self.bit()
            if value >= 1 << 24:
                raise AplibError("a length is too large")
            if not self.bit():
                return value


def decompress(data: bytes, limit: int) -> bytes:
    """Return what ``data`` unpacks to, at most ``limit`` bytes.

    Raises:
        AplibError: ``data`` is damaged or unpacks to more.
    """
    bits = _Bits(data)
    out = bytearray([bits.byte()])
    last_offset = 0
    after_literal = True
    while len(out) <= limit:
        if not bits.bit():
            out.append(bits.byte())
            after_literal = True
            continue
        if not bits.bit():
            last_offset, length = _long_match(bits, last_offset, after_literal=after_literal)
        elif not bits.bit():
            packed = bits.byte()
            if packed < 2:
                return bytes(out)
            last_offset, length = packed >> 1, 2 + (packed & 1)
        else:
            offset = bits.bit() << 3 | bits.bit() << 2 | bits.bit() << 1 | bits.bit()
            _copy(out, offset, 1) if offset else out.append(0)
            after_literal = True
            continue
        after_literal = False
        _copy(out, last_offset, min(length, limit + 1 - len(out)))
    raise AplibError(f"unpacks to more than {limit} bytes")


def _long_match(bits: _Bits, last_offset: int, *, after_literal: bool) -> tuple[int, int]:
    high = bits.gamma() - (3 if after_literal else 2)
    if high < 0:
        return last_offset, bits.gamma()
    offset = high << 8 | bits.byte()
    length = bits.gamma()
    if offset < 128 or offset >= 32000:
        length += 2
    elif offset >= 1280:
        length += 1
    return offset, length


def _copy(out: bytearray, offset: int, length: int) -> None:
    if not 0 < offset <= len(out):
        raise AplibError("a match points before the beginning")
    for _ in range(length):
        out.append(out[-offset])


class Choices(NamedTuple):
    """What a packer makes use of; packers differ, and so does what they pack the same bytes to.

    Attributes:
        zeros: The code for a zero byte.
        near: The code for a byte that stands at most 15 bytes before.
        short: Matches of two or three bytes at most 127 bytes before.
        long: Matches of any other length.
        again: The code for a match at the same distance as the last one.
        lazy: A match is put off where a longer one begins with the next byte.
        pairs: Short matches have two bytes only, which in UTF-16 is a letter.
    """

    zeros: bool = True
    near: bool = False
    short: bool = True
    long: bool = True
    again: bool = True
    lazy: bool = False
    pairs: bool = False


# The usual packer first; the last one stores every byte as it is.
CHOICES = (
    *(
        Choices(near=near, again=again, lazy=lazy)
        for near in (False, True)
        for again in (True, False)
        for lazy in (False, True)
    ),
    Choices(long=False),
    Choices(long=False, pairs=True),
    Choices(long=False, near=True),
    Choices(short=False, long=False),
    Choices(zeros=False, short=False, long=False),
)


def packings(data: bytes) -> Iterator[bytes]:
    """Yield what packers make of ``data``, each once; all of it unpacks to ``data`` again."""
    seen: set[bytes] = set()
    for choices in CHOICES if data else ():
        packed = _packed(data, choices)
        if packed not in seen:
            seen.add(packed)
            yield packed


def _packed(data: bytes, choices: Choices) -> bytes:
    """Return ``data`` packed by the longest match at every byte, as far as ``choices`` go."""
    out = _Writer(data[0])
    position, last, after_literal = 1, 0, True
    short = 2 if choices.pairs else 3
    most = len(data) if choices.long else short
    while position < len(data):
        offset, length = _longest(data, position, most)
        if choices.lazy and length > 1 and _longest(data, position + 1, most)[1] > length:
            length = 0
        if choices.again and after_literal and last and length > 3 and offset == last:
            out.bits("10")
            out.gamma(2)
            out.gamma(length)
        elif choices.long and length > 3:
            out.long(offset, length, after_literal=after_literal)
        elif choices.short and length > 1 and offset < 128:
            length = min(length, short)
            out.bits("110")
            out.byte(offset << 1 | length - 2)
        else:
            _single(out, data, position, choices)
            position, after_literal = position + 1, True
            continue
        last, after_literal = offset, False
        position += length
    out.bits("110")
    out.byte(0)
    return bytes(out.data)


def _single(out: _Writer, data: bytes, position: int, choices: Choices) -> None:
    """Write one byte: by the code for zeros or for a byte near before, or as it is."""
    value = data[position]
    before = data.rfind(value, max(position - 15, 0), position)
    if choices.zeros and value == 0:
        out.bits("1110000")
    elif choices.near and before >= 0 and value:
        out.bits(f"111{position - before:04b}")
    else:
        out.bits("0")
        out.byte(value)


def _longest(data: bytes, position: int, most: int) -> tuple[int, int]:
    """Return distance and length, up to ``most``, of the longest match and the nearest of them, or zeros."""
    best = (0, 0)
    for offset in range(1, position + 1):
        length = 0
        end = min(position + most, len(data))
        while position + length < end and data[position + length] == data[position + length - offset]:
            length += 1
        if length > best[1]:
            best = (offset, length)
    return best


class _Writer:
    """Bits in tag bytes that are interleaved with the literal bytes."""

    def __init__(self, first: int) -> None:
        self.data = bytearray([first])
        self._tag = 0  # place of the tag byte
        self._used = 8

    def bits(self, digits: str) -> None:
        """Write bits."""
        for digit in digits:
            if self._used == 8:
                self._tag, self._used = len(self.data), 0
                self.data.append(0)
            self.data[self._tag] |= int(digit) << 7 - self._used
            self._used += 1

    def byte(self, value: int) -> None:
        """Write a whole byte."""
        self.data.append(value)

    def gamma(self, value: int) -> None:
        """Write a number of at least 2 in the interleaved gamma code."""
        digits = f"{value:b}"[1:]
        self.bits("1".join(digits) + "0")

    def long(self, offset: int, length: int, *, after_literal: bool) -> None:
        """Write a match."""
        self.bits("10")
        self.gamma((offset >> 8) + (3 if after_literal else 2))
        self.byte(offset & 0xFF)
        if offset < 128 or offset >= 32000:
            length -= 2
        elif offset >= 1280:
            length -= 1
        self.gamma(length)
