"""A scan for bytes that are no text, in any of the encodings that companies' files are written in.

In encrypted bytes one of ten is a control character that no text has, and every second one is above
ASCII. So 64 of them hold about seven such characters; text of any encoding holds none. That finds even
stripes of 64 encrypted bytes, whatever the encoding; strict decoding adds to the strength of the proof.
"""

from __future__ import annotations

import codecs
import functools
import math
from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats._findings import Findings
from unransom.catalog.formats.format import Validation
from unransom.core.messages import Message, say
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.core.stats import bits_of_few
from unransom.core.streams import CHUNK, Reader, chunks

WINDOW = 64  # bytes: the finest stripe that lockers encrypt
CONTROLS = 3  # control characters in a window that make it suspect; random windows have 6.8
HIGH = 12  # bytes above ASCII besides; random windows have 32, those with fewer are 1 of 10**6
UNITS_ODD = 6  # implausible ones of the 32 UTF-16 units in a window; random windows have 14
ZERO_RUN = 512  # bytes of zeros inside a text that are a hole
BLOCK = 16  # bytes that ciphers encrypt at once
BLOCK_HIGH = 4  # bytes above ASCII in the first block that make it suspect; random blocks have 8
ECHOES = 8  # times that a block of a piece stands in it from which on it comes again and again
FEWEST = 2  # blocks that a text never is made of
CHANGES = 5  # from ASCII to other bytes and back in a block; random ones have 7.4, words fewer
VALUES = 12  # distinct bytes of a block that is no line of one character; random ones have 15.5
BESIDE = 2  # times that a Latin letter stands beside a byte above ASCII
STRANGERS = 4  # bytes of a first block that the text never has again; random ones have some ten
REST, LEAST_REST = 1 << 16, 512  # bytes of a text that show which it has
ENOUGH = 24  # bits below which text that is not UTF-8 may as well be random
SAMPLES = 16
SAMPLE = 1024  # bytes each, to tell the encoding

_PLAIN_CONTROLS = b"\t\n\x0b\x0c\r\b\x1b\x1a"
_CONTROL = np.zeros(256, bool)
_CONTROL[:32] = True
_CONTROL[127] = True
_CONTROL[list(_PLAIN_CONTROLS)] = False
_ASCII = bytes(range(128))
_LETTER = np.zeros(256, bool)
_LETTER[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")] = True
_ODD_FACTOR = np.uint64(0x9E3779B97F4A7C15)
TEXT_BYTES = bytes(code for code in range(256) if not _CONTROL[code])

_ROW_ODD = np.ones(256, bool)  # the high byte of UTF-16 units: scripts in use are not odd
for _rows in (
    (0x00, 0x07),
    (0x09, 0x0E),
    (0x10, 0x11),
    (0x1E, 0x28),
    (0x2E, 0x34),
    (0x4E, 0xA0),
    (0xAC, 0xD8),
):
    _ROW_ODD[slice(*_rows)] = False
_ROW_ODD[[0xFE, 0xFF, 0xD8, 0xD9, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF]] = False


class Encoding(msgspec.Struct, frozen=True):
    """An encoding of text.

    Attributes:
        name: Of Python's codec.
        rate: Bits per byte: random bytes decode, without control characters, with 2**-rate each.
        marks: Byte order marks at the start of a file.
    """

    name: str
    rate: float
    marks: tuple[bytes, ...] = ()

    @property
    def wide(self) -> bool:
        """Whether a unit has two bytes."""
        return self.name.startswith("utf-16")


UTF16 = (Encoding("utf-16-le", 0.4, (b"\xff\xfe",)), Encoding("utf-16-be", 0.4, (b"\xfe\xff",)))
BYTEWISE = (  # rates: growth of the number of valid strings per byte, counted by the code's grammar
    Encoding("utf-8", 1.1, (b"\xef\xbb\xbf",)),
    Encoding("gb18030", 0.27),
    Encoding("cp932", 0.26),
    Encoding("big5hkscs", 0.37),
    Encoding("euc_kr", 0.5),
    Encoding("latin-1", 0.16),  # stands for every single-byte code: koi8-r, cp1251, cp1252 ...
)


CHOICE = math.log2(len(BYTEWISE))  # bits for taking the encoding that explains most


class TextScan(msgspec.Struct):
    """What the scan of a text found.

    Attributes:
        encoding: The encoding that explains most of it.
        bits: log2 of the odds against random bytes reading like this.
        damage: Spans that are no text, and holes of zeros; sorted, 64-byte steps.
        text: Bytes outside of the damage.
    """

    encoding: Encoding
    bits: float
    damage: list[Span]
    text: int


def guess_encoding(samples: list[bytes]) -> Encoding | None:
    """Return the encoding that explains most of ``samples``, None where they are no text.

    Damaged stripes in the samples do not matter as long as some of each is left.
    """
    return _guess(tuple(samples))


@functools.lru_cache(maxsize=2)  # every format made of text asks about the same bytes
def _guess(samples: tuple[bytes, ...]) -> Encoding | None:
    for encoding in UTF16:
        if any(_reads_as_utf16(sample, encoding) for sample in samples):
            return encoding
    runs = [run for sample in samples for run in _clean_runs(sample)]
    scores = [(encoding.rate * _readable(runs, encoding.name), encoding) for encoding in BYTEWISE]
    score, best = max(scores, key=lambda pair: pair[0])
    return best if score > 0 else None


def take_samples(reader: Reader) -> list[bytes]:
    """Return pieces from all over the file, even offsets so that UTF-16 stays in step."""
    if reader.size <= SAMPLES * SAMPLE:
        return [reader.read_at(0, reader.size)]
    stride = (reader.size - SAMPLE) // (SAMPLES - 1)
    return [reader.read_at(index * stride & ~1, SAMPLE) for index in range(SAMPLES)]


def scan_text(reader: Reader, encoding: Encoding | None = None) -> TextScan | None:
    """Scan everything; ``encoding`` is guessed where not given. None where nothing reads as text."""
    encoding = encoding or guess_encoding(take_samples(reader))
    if encoding is None:
        return None
    mark = any(reader.read_at(0, len(mark)) == mark for mark in encoding.marks)
    scan = TextScan(encoding, 16.0 * mark, [], 0)
    decoder = _decoder(encoding)
    offset = 0
    for piece in chunks(reader):
        rate = _rate(piece, encoding, decoder)
        spans = list(_damaged(piece, encoding, rate))
        if not offset and not spans and not mark and _random_start(piece, encoding):
            spans = [Span(0, min(BLOCK, len(piece)))]
        lost = sum(map(len, spans))
        scan.text += len(piece) - lost
        scan.bits += rate * (len(piece) - lost)
        for span in spans:
            _append(scan.damage, Span(offset + span.start, offset + span.end))
        offset += len(piece)
    return scan


def note_text(scan: TextScan, reader: Reader, findings: Findings) -> None:
    """Enter what a scan found; nothing holds where less than a tenth of the bytes is text."""
    if scan.text * 10 > scan.text + sum(map(len, scan.damage)):
        findings.hold(int(scan.bits))
    for span in scan.damage:
        if span.end == reader.size and not any(any(piece) for piece in chunks(reader, span.start)):
            continue  # zeros at the very end: preallocated logs have them
        findings.fault(span.start, span.end, say("no text from offset {offset} on", offset=span.start))


def text_verdict(scan: TextScan, findings: Findings, whole: Message, size: int) -> Validation:
    """Return the verdict; UNKNOWN on so short a text in an old encoding that random bytes may be one."""
    verdict = findings.verdict(whole, size)
    if verdict.grade is Grade.GOOD and verdict.bits < ENOUGH and scan.encoding.name != "utf-8":
        return Validation(Grade.UNKNOWN, verdict.bits, say("too short to tell from random bytes"))
    return verdict


@functools.lru_cache(maxsize=2)
def text_bits(head: bytes) -> int:
    """Return the bits by which ``head`` reads as text, 0 where it has as much as one unreadable window."""
    encoding = guess_encoding([head])
    if encoding is None or (not encoding.wide and b"\0" in head):
        return 0
    if any(_damaged(head, encoding, _rate(head, encoding, _decoder(encoding)))):
        return 0
    sample = head[: -(len(head) % 4) or None] if encoding.wide else head
    readable = _readable([sample], encoding.name) if len(head) >= 4 else 0
    if encoding.wide:
        return int(readable * encoding.rate)
    faults = sample.decode(encoding.name, "replace").count("\ufffd") + len(head.translate(None, TEXT_BYTES))
    return max(int(bits_of_few(faults, readable, encoding.rate) - CHOICE), 0)


def _spotless(piece: bytes) -> bool:
    return not piece.translate(None, TEXT_BYTES)


def _decoder(encoding: Encoding) -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder(encoding.name)("strict")


def _rate(piece: bytes, encoding: Encoding, decoder: codecs.IncrementalDecoder) -> float:
    """Return the bits that a byte of ``piece`` proves, by ``encoding`` or by one that takes any bytes."""
    return encoding.rate if _decodes(decoder, piece) else BYTEWISE[-1].rate


def _decodes(decoder: codecs.IncrementalDecoder, piece: bytes) -> bool:
    """Feed ``piece`` to the decoder, which keeps a character that is cut at its end."""
    try:
        decoder.decode(piece)
    except UnicodeDecodeError:
        decoder.reset()
        return False
    return True


def _append(spans: list[Span], span: Span, limit: int = 4096) -> None:
    if spans and (spans[-1].end >= span.start or len(spans) >= limit):
        spans[-1] = Span(spans[-1].start, span.end)
    else:
        spans.append(span)


def random_windows(piece: bytes) -> Iterator[Span]:
    """Yield windows that no text has, joined, as offsets in ``piece``; zeros may be anywhere."""
    piece = piece.replace(b"\0", b" ")
    if piece and not _spotless(piece):
        yield from _joined(_random_windows(piece), len(piece))


def _random_start(piece: bytes, encoding: Encoding) -> bool:
    """Return whether the first block of a text is random, as a wrong IV makes it."""
    block = piece[:BLOCK]
    if encoding.wide:
        high = int(encoding.name == "utf-16-le")
        rows, others = block[high::2], set(piece[BLOCK + high : REST : 2])
        strange = len(piece) >= LEAST_REST and sum(row not in others for row in rows) >= STRANGERS
        return strange or bool(_odd_units(block, encoding)[0])
    if len(block.translate(None, _ASCII)) < BLOCK_HIGH:
        return False
    if not _spotless(block) or not _decodes(_decoder(encoding), block):
        return True
    return encoding is BYTEWISE[-1] and _mixed(block, piece[BLOCK:REST])


def _mixed(block: bytes, rest: bytes) -> bool:
    """Return whether ``block`` mixes bytes as no words do, several of which the text never has again.

    Encodings of one byte take nearly any block without control characters. In words of other alphabets
    than the Latin one no letter of that stands beside one of theirs, and in Latin ones few are above ASCII.
    """
    values = np.frombuffer(block, np.uint8)
    high, latin = values >= 128, _LETTER[values]
    changes = np.count_nonzero(high[1:] != high[:-1])
    beside = np.count_nonzero((high[1:] & latin[:-1]) | (latin[1:] & high[:-1]))
    mixed = bool(changes >= CHANGES and beside >= BESIDE)
    return mixed and len(rest) >= LEAST_REST and len(set(block) - set(rest)) >= STRANGERS


def _damaged(piece: bytes, encoding: Encoding, rate: float) -> Iterator[Span]:
    """Yield the windows of ``piece`` that are no text, joined; offsets in ``piece``.

    Args:
        piece: Part of the file.
        encoding: Of the file.
        rate: Bits of proof that a byte of this part gives; UTF-8 as it should be needs no more of it.
    """
    if encoding.wide:
        flags = _odd_units(piece, encoding)
    elif _spotless(piece):
        flags = np.zeros(-(-len(piece) // WINDOW), bool)
    else:
        flags = _random_windows(piece)
    if rate < BYTEWISE[0].rate:
        flags |= _echoes(piece, rate)
    yield from _joined(flags | _zero_windows(piece), len(piece))


def _echoes(piece: bytes, rate: float) -> NDArray[np.bool_]:
    """Flag windows of random blocks that come again and again, and are few.

    Where a text repeats itself, its blocks do when each is encrypted by itself. One of five has no control
    character, and then all of that reads as text of some encoding. What counts is one of each.
    """
    flags = np.zeros(-(-len(piece) // WINDOW), bool)
    whole = len(piece) // WINDOW
    values = np.frombuffer(piece, np.uint8, whole * WINDOW).reshape(whole, WINDOW)
    suspect = np.flatnonzero((values >= 128).sum(axis=1) >= HIGH)
    blocks = np.ascontiguousarray(values[suspect]).reshape(-1, BLOCK)
    halves = blocks.view(np.uint64)
    _, first, which, counts = np.unique(
        halves[:, 0] * _ODD_FACTOR ^ halves[:, 1], return_index=True, return_inverse=True, return_counts=True
    )
    again = np.flatnonzero(counts >= ECHOES)
    if not len(again) or len(again) * BLOCK * rate >= ENOUGH:
        return flags  # lines of a text that repeats itself begin at every place of a block
    seen = blocks[first[again]]
    changes = np.count_nonzero(np.diff(seen >= 128, axis=1)) / len(seen)
    if len(seen) <= FEWEST or changes >= CHANGES:
        random = np.zeros(len(counts), bool)
        random[again] = [len(np.unique(block)) >= VALUES for block in seen]
        flags[suspect] = random[which].reshape(-1, WINDOW // BLOCK).all(axis=1)
    return flags


def _joined(flags: NDArray[np.bool_], size: int) -> Iterator[Span]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.view(np.int8), [0]))))
    for start, end in edges.reshape(-1, 2).tolist():
        yield Span(start * WINDOW, min(end * WINDOW, size))


def _windows(values: NDArray[np.bool_], width: int) -> NDArray[np.int64]:
    """Return how many of each ``width`` values are set; the last window may be shorter."""
    return np.add.reduceat(values, np.arange(0, len(values), width), dtype=np.int64)


def _random_windows(piece: bytes) -> NDArray[np.bool_]:
    """Flag windows with both control characters and bytes above ASCII, as no text has them together."""
    values = np.frombuffer(piece, np.uint8)
    controls = _windows(_CONTROL[values], WINDOW)
    high = _windows(values >= 128, WINDOW)
    share = np.ones(len(controls))
    share[-1] = (len(piece) - 1) % WINDOW / WINDOW + 1 / WINDOW
    flags = (controls >= np.maximum(1, CONTROLS * share)) & (high >= HIGH * share)
    if flags.any():  # among neighbours that are random the few with one or two control characters are too
        flags |= (controls >= 1) & (high >= HIGH * share)
    return flags


def _odd_units(piece: bytes, encoding: Encoding) -> NDArray[np.bool_]:
    """Flag windows of UTF-16 with many units of scripts that nobody writes."""
    even = piece[: len(piece) & ~1] or b"\0\0"
    units = np.frombuffer(even, "<u2" if encoding.name == "utf-16-le" else ">u2")
    rows = units >> 8
    odd = _ROW_ODD[rows] | ((rows == 0) & _CONTROL[units & 0xFF])
    counts = _windows(odd, WINDOW // 2)
    share = np.ones(len(counts))
    share[-1] = max(1, len(even) % WINDOW or WINDOW) / WINDOW
    flags = counts >= np.maximum(1, UNITS_ODD * share)
    missing = -(-len(piece) // WINDOW) - len(flags)
    return np.concatenate((flags, np.zeros(missing, bool)))


def _zero_windows(piece: bytes) -> NDArray[np.bool_]:
    """Flag windows inside long runs of zeros."""
    count = -(-len(piece) // WINDOW)
    if bytes(ZERO_RUN) not in piece:
        return np.zeros(count, bool)
    zero = _windows(np.frombuffer(piece, np.uint8) != 0, WINDOW) == 0
    need = ZERO_RUN // WINDOW - 1
    edges = np.flatnonzero(np.diff(np.concatenate(([0], zero.view(np.int8), [0])))).reshape(-1, 2)
    for start, end in edges[edges[:, 1] - edges[:, 0] < need].tolist():
        zero[start:end] = False
    return zero


def _clean_runs(sample: bytes) -> Iterator[bytes]:
    """Yield the parts of ``sample`` between windows that are no text."""
    position = 0
    for span in (
        [*_damaged(sample, BYTEWISE[0], BYTEWISE[0].rate), Span(len(sample), len(sample))] if sample else ()
    ):
        if span.start > position:
            yield sample[position : span.start]
        position = span.end


def _readable(runs: list[bytes], name: str) -> int:
    """Return how many bytes are in runs that decode, with a fault or two for cut characters."""
    total = 0
    for run in runs:
        if run.decode(name, "replace").count("\ufffd") <= (2 if len(run) >= 16 else 0) + len(run) // 64:
            total += len(run)
    return total


def _reads_as_utf16(sample: bytes, encoding: Encoding) -> bool:
    """Tell by its mark, or by zeros that stand in every second byte only."""
    if sample.startswith(encoding.marks) and not sample.startswith(b"\xff\xfe\0\0"):
        return len(sample) % 2 == 0 and not any(_damaged(sample[:CHUNK], encoding, encoding.rate))
    high = sample[1::2] if encoding.name == "utf-16-le" else sample[::2]
    low = sample[::2] if encoding.name == "utf-16-le" else sample[1::2]
    zeros = high.count(0)
    if zeros < max(4, len(high) // 50) or low.count(0) > zeros // 10:
        return False
    flags = _odd_units(sample, encoding)
    return bool(flags.mean() <= 0.5)
