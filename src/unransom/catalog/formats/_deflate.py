"""Decompress streams to check them: output is summed and thrown away, input and output are bounded."""

from __future__ import annotations

import enum
import functools
import lzma
import zlib
from collections.abc import Callable
from copy import copy
from typing import Any, NamedTuple, Protocol

import msgspec

from unransom.core.streams import CHUNK, Reader

RAW = -15  # zlib's window bits for deflate without a wrapper
ZLIB = 15
FIRST_STEP = 1 << 12  # compressed bytes of the first step: many streams are short
STEP = 1 << 16  # of later steps; also how exactly a fault is located without `narrow`
QUICK = 1 << 28  # bytes of output that any file may have
MARGIN = 1 << 16  # Huffman codes fall into step again: damaged data may decode to nonsense for this long


class End(enum.Enum):
    """How decompressing ended."""

    WHOLE = enum.auto()  # the stream's own end, with the checksums it has
    CUT = enum.auto()  # the input ended first
    BROKEN = enum.auto()  # the input is not such a stream
    LONG = enum.auto()  # the output is longer than the limit
    CAPPED = enum.auto()  # the budget ran out: nothing is known of the rest


class Expansion(msgspec.Struct, frozen=True):
    """What came of decompressing a stream.

    Attributes:
        end: How it ended.
        position: Offset in the reader just behind the stream; for BROKEN where decoding failed.
        length: Bytes put out.
        crc: CRC-32 of them.
    """

    end: End
    position: int
    length: int
    crc: int


class Budget:
    """Bytes that the checks of one file may still read and put out, so that bombs end.

    Deflate expands up to 1032-fold; 64-fold over a whole file is rare, and ``QUICK`` takes a second.
    """

    def __init__(self, size: int) -> None:
        self.input = 4 * size + CHUNK
        self.output = 64 * size + QUICK
        self.exceeded = False

    def spend(self, consumed: int, produced: int) -> bool:
        """Take from the budget; return whether something is left."""
        self.input -= consumed
        self.output -= produced
        self.exceeded = self.exceeded or self.input < 0 or self.output < 0
        return not self.exceeded

    def restore(self, other: Budget) -> None:
        """Have what ``other`` has: what was spent since is not counted, as it is done again."""
        self.input, self.output, self.exceeded = other.input, other.output, other.exceeded


class Decoder(Protocol):
    """The common face of ``bz2.BZ2Decompressor``, ``lzma.LZMADecompressor`` and ``Inflater``."""

    @property
    def eof(self) -> bool:
        """The stream's end was reached."""
        ...

    @property
    def needs_input(self) -> bool:
        """More output needs more input."""
        ...

    @property
    def unused_data(self) -> bytes:
        """Input behind the stream's end."""
        ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return up to ``max_length`` bytes of output."""
        ...


class Inflater:
    """zlib's decompressor with the face of the others, and the gift of locating a fault."""

    def __init__(self, window_bits: int, dictionary: bytes = b"") -> None:
        self._settings = (window_bits, dictionary)
        self._zlib = zlib.decompressobj(*self._settings)
        self._before: zlib._Decompress | None = None  # as it stood before the last input but the first
        self._piece = b""
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """The stream's end was reached."""
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        """Input behind the stream's end."""
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return up to ``max_length`` bytes of output; ``data`` only where input was needed.

        Raises:
            zlib.error: This is not deflate data, or its checksum is wrong.
        """
        if data:
            self._before = self._zlib.copy() if self._piece else None
            self._piece = data
        out = self._zlib.decompress(data or self._zlib.unconsumed_tail, max(max_length, 0))
        self.needs_input = not self._zlib.unconsumed_tail and len(out) != max_length
        return out

    def narrow(self) -> int:
        """Return how many bytes of the last input were taken before decoding failed, to 64 bytes."""
        decoder = self._before or zlib.decompressobj(*self._settings)
        for start in range(0, len(self._piece), 64):
            try:
                decoder.decompress(self._piece[start : start + 64])
            except zlib.error:
                return start
        return len(self._piece)


class Exactly:
    """A decoder for LZMA data without an end mark: it ends when ``size`` bytes are out."""

    unused_data = b""

    def __init__(self, decoder: Decoder, size: int) -> None:
        self._decoder = decoder
        self._left = size

    @property
    def eof(self) -> bool:
        """All bytes are out, or the data has an end mark after all."""
        return not self._left or self._decoder.eof

    @property
    def needs_input(self) -> bool:
        """More output needs more input."""
        return self._decoder.needs_input

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return up to ``max_length`` bytes of output, never more than are left."""
        out = self._decoder.decompress(data, min(max_length, self._left) if max_length >= 0 else self._left)
        self._left -= len(out)
        return out


def expand(
    decoder: Decoder,
    reader: Reader,
    start: int,
    end: int,
    budget: Budget,
    limit: int | None = None,
    sink: Callable[[bytes], None] | None = None,
) -> Expansion:
    """Decompress from ``start``, to ``end`` at most, up to ``limit`` bytes; ``sink`` is given them."""
    position, length, crc = start, 0, 0
    crc32 = fastest().crc32
    step, taken = FIRST_STEP, 0
    while not decoder.eof:
        piece = b""
        if decoder.needs_input:
            piece = reader.read_at(position, min(step, end - position)) if position < end else b""
            if not piece:
                return Expansion(End.CUT, position, length, crc)
            position += len(piece)
            step, taken = min(4 * step, STEP), len(piece)
        try:
            out = decoder.decompress(piece, CHUNK)
        except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError):
            return Expansion(End.BROKEN, position - taken + _good_input(decoder), length, crc)
        length += len(out)
        crc = crc32(out, crc)
        if sink is not None:
            sink(out)
        if limit is not None and length > limit:
            return Expansion(End.LONG, position, length, crc)
        if not budget.spend(len(piece), len(out)):
            return Expansion(End.CAPPED, position, length, crc)
    behind = len(decoder.unused_data)
    budget.spend(-behind, 0)  # the next stream's
    return Expansion(End.WHOLE, position - behind, length, crc)


class Library(NamedTuple):
    """A library that inflates.

    Attributes:
        begin: Returns what inflates a stream, given its window bits.
        error: What that raises.
        crc32: Returns the CRC-32 of bytes, given that of those before them.
    """

    begin: Callable[[int], Any]
    error: Any
    crc32: Callable[[bytes, int], int]


@functools.cache
def fastest() -> Library:
    """Return ISA-L, three times as fast as zlib, where it is installed, else zlib."""
    try:
        from isal import isal_zlib  # noqa: PLC0415 an extra
    except ImportError:
        return Library(zlib.decompressobj, zlib.error, zlib.crc32)
    return Library(isal_zlib.decompressobj, isal_zlib.error, isal_zlib.crc32)


class Fast:
    """A decoder for deflate streams by the fastest library; of what is broken it tells nothing more."""

    def __init__(self, window_bits: int) -> None:
        library = fastest()
        self._stream = library.begin(window_bits)
        self._error = library.error
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """The stream's end was reached."""
        return bool(self._stream.eof)

    @property
    def unused_data(self) -> bytes:
        """Input behind the stream's end."""
        return bytes(self._stream.unused_data)

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return up to ``max_length`` bytes of output; ``data`` only where input was needed.

        Raises:
            ValueError: This is not deflate data, or its checksum is wrong.
        """
        try:
            out = self._stream.decompress(data or self._stream.unconsumed_tail, max(max_length, 0))
        except self._error as error:
            raise ValueError(str(error)) from error
        self.needs_input = not self._stream.unconsumed_tail and len(out) != max_length
        return bytes(out)


def at_once(
    reader: Reader, start: int, end: int, budget: Budget, size: int | None = None, window_bits: int = RAW
) -> Expansion | None:
    """Inflate a short stream in one call of the fastest library; None where `expand` must tell what is wrong.

    Args:
        reader: Holds the stream.
        start: Its first byte.
        end: Where it must have ended.
        budget: Bounds the work on the whole file.
        size: Bytes of output that the file declares; the stream then ends at ``end``.
        window_bits: See `inflate`.
    """
    most = 16 * CHUNK if size is None else size + 1
    if end - start > CHUNK or most > 16 * CHUNK + 1:
        return None
    library = fastest()
    decoder = library.begin(window_bits)
    try:
        out = decoder.decompress(reader.read_at(start, end - start), most)
    except library.error:
        return None
    behind = len(decoder.unused_data)
    if not decoder.eof or (size is not None and (behind or len(out) != size)):
        return None
    if not budget.spend(end - start - behind, len(out)):
        return None
    return Expansion(End.WHOLE, end - behind, len(out), library.crc32(out, 0))


def _good_input(decoder: Decoder) -> int:
    """Return how much of its last input the decoder took before it failed, 0 where it does not tell."""
    return decoder.narrow() if isinstance(decoder, Inflater) else 0


def inflate(
    reader: Reader,
    start: int,
    end: int,
    budget: Budget,
    limit: int | None = None,
    window_bits: int = RAW,
) -> Expansion:
    """Inflate the deflate stream from ``start``, at most to ``end``, and tell how that ended.

    Args:
        reader: Holds the stream.
        start: Its first byte.
        end: Where it must have ended.
        budget: Bounds the work on the whole file.
        limit: Bytes of output that the file declares.
        window_bits: ``RAW`` or ``ZLIB`` (with header and Adler-32, which zlib checks).
    """
    if limit is None and (sound := at_once(reader, start, end, budget, window_bits=window_bits)) is not None:
        return sound
    kept = copy(budget)
    found = expand(Fast(window_bits), reader, start, end, budget, limit)
    if found.end is not End.BROKEN:
        return found
    budget.restore(kept)
    return expand(Inflater(window_bits), reader, start, end, budget, limit)


def broken_from(expansion: Expansion, start: int) -> int:
    """Return from where on the compressed bytes from ``start`` must be called damaged."""
    return max(start, expansion.position - MARGIN)
