"""Inflate what is left of a damaged deflate stream: its beginning, and what follows each hole."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats.repair._strange import strange_from
from unransom.core.spans import Span

MOST = 1 << 28  # bytes of output of one stream
RATIO = 64  # bytes of output per compressed byte; what expands more is cut off
GRANULES = (65536, 4096)  # lockers begin at a multiple of one of these
TAIL = 65536  # or so many bytes, or a multiple of it, in front of the end
LAG = 64  # compressed bytes for which garbage may look like markup; 46 were the most of 60 places measured
CODES = 320  # compressed bytes that the codes in front of a block take, at most but for strange ones
WINDOW = 1 << 15  # bytes in front that a stream refers to
UNKNOWN = 256  # the least symbol that is no byte
LOST_BYTE = "\ufffd".encode()
PROBE = 1 << 17  # compressed bytes in which a first block ends
CHECKSUM = 4  # bytes of one behind a stream
NEAR = 1 << 23  # compressed bytes in which a block is looked for
TRIED = 1 << 16  # places at which a block may begin
BEHIND = ".behind.txt"  # what the name of a file of such texts gets added
LEAST = 512  # symbols that a stretch behind a hole must have
LONG = 4096  # bytes of letters that make a text one in UTF-8
LOOKED = 4096  # bytes behind them that are looked at
TEXTUAL = 0.98  # share of printable bytes in one
# Markup as it must be, from the first byte on; what is behind the match is not.
MARKUP = re.compile(
    rb"(?>[^<>&\x00-\x08\x0b\x0c\x0e-\x1f\x7f]++|&#?+\w{1,12};"
    rb"|<[/?!]?+[A-Za-z_\[-][\w:.\[-]*+(?>\s++[\w:.-]++\s*+=\s*+(?>\"[^\"<\x00-\x08]*+\"|'[^'<\x00-\x08]*+'))*+\s*+[/?]?+>"
    rb"|<!--(?>[^-]|-(?!->))*+-->)*+"
)
PRINTABLE = re.compile(rb"[\t\n\f\r -~]*+")
UNFINISHED = re.compile(rb"<[^<>]{0,4096}\Z")


class Stretch(NamedTuple):
    """What was inflated behind a hole.

    Attributes:
        start, end: Compressed bytes that it came from, in the file.
        symbols: Bytes, or 256 and the number of a lost byte that is copied.
        last: It goes to the end of the stream.
    """

    start: int
    end: int
    symbols: NDArray[np.uint16]
    last: bool


class Inflated(NamedTuple):
    """What is left of a stream.

    Attributes:
        head: The bytes up to the first hole.
        whole: That is all of it.
        end: Offset in the file of the first compressed byte that was not used for it.
        stretches: What follows the holes.
    """

    head: bytes
    whole: bool
    end: int
    stretches: tuple[Stretch, ...] = ()


class _Stream:
    """Compressed bytes in memory with what the kernel needs."""

    def __init__(self, data: bytes, start: int, room: int) -> None:
        from unransom.catalog.formats.repair import _inflate_kernel as kernel  # noqa: PLC0415  numba is slow

        self.kernel = kernel
        self.start = start  # offset in the file
        self.room = room  # bytes of the file
        self.size = len(data)
        self._data = np.frombuffer(data + bytes(kernel.PADDING), np.uint8)

    def run(
        self, bit: int, stop: int, front: int, blocks: int = 1 << 30
    ) -> tuple[int, int, Symbols, Marks, int]:
        """Inflate from ``bit``; return how it ended, the bit behind, symbols, marks and whole blocks.

        Args:
            bit: Where a block begins.
            stop: Compressed byte at which to stop.
            front: Unknown bytes in front: none or ``WINDOW``.
            blocks: How many at most.
        """
        room = RATIO * max(stop - bit // 8, 64) + (1 << 16)
        while True:
            out = np.zeros(front + min(room, MOST) + 300, np.uint16)
            out[:front] = self.kernel.UNKNOWN + np.arange(front)
            marks = np.zeros((len(out) >> self.kernel.MARK) + 2, np.int64)
            end, behind, n, done = self.kernel.inflate_blocks(
                self._data, bit, 8 * stop, out, front, marks, blocks
            )
            if end != self.kernel.FULL or done == blocks or room >= MOST:
                return end, behind, out[front:n], marks[front >> self.kernel.MARK :], done
            room *= 16

    def next_block(self, bit: int, stop: int) -> int:
        """Return where behind ``bit`` a block begins, -1 for nowhere."""
        return int(self.kernel.find_block(self._data, bit, 8 * stop))


Symbols = NDArray[np.uint16]
Marks = NDArray[np.int64]


def inflate_rest(
    data: bytes, start: int, size: int, lost: tuple[Span, ...], grammar: re.Pattern[bytes] | None
) -> Inflated:
    """Return what is left of the raw deflate stream ``data``, of which some is damaged.

    Args:
        data: The stream, as far as it may go.
        start: Its offset in the file.
        size: Bytes of the file.
        lost: Ranges of the file that are known to be lost.
        grammar: Matches what the stream holds as far as it is sound, so that garbage can be told; None where
            nothing does.
    """
    stream = _Stream(data, start, size)
    stop = _first_lost(lost, start, start + stream.size) - start
    end, behind, symbols, marks, done = stream.run(0, max(stop, 0), 0)
    whole = end == stream.kernel.DONE
    head = symbols.astype(np.uint8).tobytes()
    if stop == stream.size:  # a last block ends well in garbage too
        fits = sound_end(grammar, head, cut=end == stream.kernel.STOPPED)
        if fits < len(head) or end == stream.kernel.BAD:
            between = stream.run(0, stop, 0, done)[1] == behind and sound_end(grammar, head, cut=True)
            stop = _boundary(stream, marks, fits, behind, CODES if between == len(head) else 0)
            end, behind, symbols, _, _ = stream.run(0, stop, 0)
            head, whole = symbols.astype(np.uint8).tobytes(), False
    used = -(-behind // 8)
    stretches = () if whole else tuple(_behind(stream, max(stop, 0), lost))
    return Inflated(head, whole, start + used, stretches)


def _first_lost(lost: tuple[Span, ...], start: int, end: int) -> int:
    return min(
        (max(span.start, start) for span in lost if span.end > start and span.start < end), default=end
    )


def sound_end(grammar: re.Pattern[bytes] | None, text: bytes, *, cut: bool) -> int:
    """Return how far ``text`` is as it must be, in UTF-8; where ``cut`` off, it may end within a tag."""
    if grammar is None:
        return min(len(text) if cut else strange_from(text), _letters_end(text))
    found = grammar.match(text)
    end = found.end() if found else 0
    if cut and UNFINISHED.match(text, end):
        end = len(text)
    if grammar is not MARKUP and not cut:
        end = min(end, strange_from(text[:end]))
    try:
        text[:end].decode("utf-8")
    except UnicodeDecodeError as error:
        return end if error.start >= end - 3 and cut else error.start
    return end


def _letters_end(text: bytes) -> int:
    """Return where in a long text in UTF-8 the same bytes no longer make letters; the size for nowhere.

    Where other bytes come too, as in an archive of texts and pictures, it is something else that begins.
    """
    first = next((at for at, byte in enumerate(text[:4]) if byte & 0xC0 != 0x80), 0)  # others end a letter
    try:
        text[first:].decode("utf-8")
    except UnicodeDecodeError as error:
        end = first + error.start
        behind = set(text[end : end + LOOKED])
        if LONG <= end < len(text) - 3 and behind <= set(text[:end]):
            return end
    return len(text)


def _boundary(stream: _Stream, marks: Marks, fits: int, behind: int, more: int) -> int:
    """Return the compressed byte at which the lock begins that shows behind ``fits`` bytes of output.

    Args:
        stream: The stream.
        marks: Of its output.
        fits: How much of the output is markup.
        behind: The bit at which inflating ended.
        more: Bytes behind that in which the lock may begin, as they put nothing out.
    """
    index = fits >> stream.kernel.MARK
    low = (int(marks[index - 1]) if index else 0) // 8 - LAG
    high = max(int(marks[index + 1]) or behind, int(marks[index])) // 8 + 1 + more
    for granule, shift in ((GRANULES[0], 0), (TAIL, stream.room % TAIL), (GRANULES[1], 0)):
        edge = (stream.start + high - shift) // granule * granule + shift - stream.start
        if low <= edge <= high:
            return max(edge, 0)
    return max(low, 0)


def _behind(stream: _Stream, position: int, lost: tuple[Span, ...]) -> list[Stretch]:
    """Return the stretches from compressed byte ``position`` on, each from a block's beginning."""
    found: list[Stretch] = []
    bit = 8 * position
    while (bit := stream.next_block(bit, stream.size)) >= 0:
        at = stream.start + bit // 8
        if any(span.start <= at < span.end for span in lost):
            bit += 1
            continue
        stop = _first_lost(lost, at + 1, stream.start + stream.size) - stream.start
        end, behind, symbols, _, blocks = stream.run(bit, stop, stream.kernel.WINDOW)
        if end == stream.kernel.BAD and blocks:
            # Within the block that fails nobody knows where the next hole begins.
            end, behind, symbols, _, _ = stream.run(bit, stop, stream.kernel.WINDOW, blocks)
        elif end == stream.kernel.BAD:
            bit += 1
            continue
        if not is_text(symbols):
            if blocks and len(symbols) >= LEAST:
                break  # a true block, and of no text: all that follows would be tried for nothing
            bit += 1
            continue
        last = end == stream.kernel.DONE
        found.append(Stretch(at, stream.start + -(-behind // 8), symbols, last))
        if last:
            break
        bit = max(behind, bit + 1)
    return found


def inflate_tail(data: bytes, start: int) -> Symbols | None:
    """Return what the end of a zlib stream holds, None where no block behind byte ``start`` leads there."""
    found = inflate_end(data, start, CHECKSUM)
    return found[1] if found else None


def inflate_end(data: bytes, start: int, trailer: int) -> tuple[int, Symbols] | None:
    """Return where a stream's first block behind byte ``start`` begins, and what it holds from there on.

    That a block begins at a place is told by its leading to the end, with room for the ``trailer`` behind it.
    Blocks are looked for at ``start`` and, where none is there, at the end.
    """
    stream = _Stream(data, 0, len(data))
    last = max(start + NEAR, stream.size - PROBE)
    for first, end in ((start, start + NEAR), (last, stream.size)):
        bit = 8 * first
        for _ in range(TRIED):
            if (bit := stream.next_block(bit, min(end, stream.size))) < 0:
                break
            _, _, _, _, whole = stream.run(bit, min(stream.size, bit // 8 + PROBE), stream.kernel.WINDOW, 1)
            if whole:
                ended, behind, symbols, _, _ = stream.run(bit, stream.size, stream.kernel.WINDOW)
                if ended == stream.kernel.DONE and -(-behind // 8) + trailer == stream.size:
                    return bit // 8, symbols
            bit += 1
    return None


def marked(symbols: Symbols) -> bytes:
    """Return a stretch as text, with a mark for each byte that is a copy of a lost one."""
    pieces = []
    ends = np.flatnonzero(np.diff(symbols >= UNKNOWN)) + 1
    for part in np.split(symbols, ends):
        lost = len(part) and part[0] >= UNKNOWN
        pieces.append(LOST_BYTE * len(part) if lost else part.astype(np.uint8).tobytes())
    return b"".join(pieces)


def is_text(symbols: Symbols) -> bool:
    """Return whether what is known of a stretch is text, and enough of it."""
    known = symbols[symbols < 256]
    if len(symbols) < LEAST or not len(known):
        return False
    printable = (known >= 32) | (known == 10) | (known == 13) | (known == 9)
    return bool(printable.mean() > TEXTUAL)
