"""aPLib decompression (Jørgen Ibsen's format), bounded; LockBit 3 packs the original file name with it."""

from __future__ import annotations


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
