"""FLAC sounds: metadata blocks, and the CRC and number of every frame."""

from __future__ import annotations

import msgspec

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats._trailing import random_between
from unransom.catalog.formats.format import HEAD, Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader

MAGIC = b"fLaC"
STREAM_INFO = 34
BLOCKS_CAP = 1 << 12
OVERHEAD = 16 + 2 + 8 * 5  # bytes of a frame's header, its CRC, and what stands before each channel's samples
PADDING = 1  # type of the blocks of zeros
TYPES = 7  # of metadata blocks that are defined


class _Stream(msgspec.Struct, frozen=True):
    """What the first metadata block says, and where the frames begin.

    Attributes:
        longest_block: Samples.
        longest_frame: Bytes, 0 where the block does not tell.
        verbatim: Bits of one sample of all channels, if none is compressed.
        samples: Of the sound, 0 where the block does not tell.
        frames: Where they begin.
        sound: The blocks hold.
    """

    longest_block: int
    longest_frame: int
    verbatim: int
    samples: int
    frames: int
    sound: bool


def _start(head: bytes) -> int:
    """Return where the signature should be: behind an ID3 tag, which some programs put first."""
    if head[:3] != b"ID3" or len(head) < 10 or max(head[6:10]) >= 0x80:
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte
    return 10 + size


def recognise(head: bytes) -> int:
    """Return the bits of signature and first block that hold."""
    start = _start(head)
    if start + 42 > len(head):
        return 0
    info = head[start + 4 : start + 42]
    if head[start : start + 4] != MAGIC or info[0] & 0x7F or info[1:4] != b"\0\0\x22":
        return 0
    least, most = int.from_bytes(info[4:6]), int.from_bytes(info[6:8])
    return 32 + 31 + 1 if 16 <= least <= most else 0  # every second pair is in order


def _stream(reader: Reader, start: int) -> _Stream:
    """Walk the metadata blocks behind the signature at ``start``."""
    info = reader.read_at(start + 8, STREAM_INFO)
    longest, frame, fields = (int.from_bytes(info[a:b]) for a, b in ((2, 4), (7, 10), (10, 18)))
    channels, bits, samples = (fields >> 41 & 7) + 1, (fields >> 36 & 31) + 1, fields & (1 << 36) - 1
    told = longest, frame, channels * (bits + 1), samples  # the difference of two channels is a bit longer
    position = start + 4
    for _ in range(BLOCKS_CAP):
        head = reader.read_at(position, 4)
        if len(head) < 4 or head[0] & 0x7F >= TYPES:
            return _Stream(*told, position, False)
        size = int.from_bytes(head[1:])
        if head[0] & 0x7F == PADDING and reader.read_at(position + 4, size).strip(b"\0"):
            return _Stream(*told, position, False)
        position += 4 + size
        if head[0] & 0x80:
            return _Stream(*told, position, position < reader.size)
    return _Stream(*told, position, False)


def _block_size(header: bytes) -> int:
    """Return how many samples the frame has that begins with ``header``; 0 for a reserved value."""
    code = header[2] >> 4
    if code in {6, 7}:
        at = 4 + max(1, 8 - (header[4] ^ 0xFF).bit_length())  # behind the number, coded as in UTF-8
        return 1 + int.from_bytes(header[at : at + code - 5])
    if code == 1:
        return 192
    return 576 << (code - 2) if code < 6 else 256 << (code - 8)


def _longest_frame(stream: _Stream, samples: int, seen: int) -> int:
    """Return how many bytes a frame has at most; ``seen`` is the longest of the others.

    A chance in 65,536 for every byte says how far a CRC may be looked for. No program writes a frame that is
    longer than the samples themselves; some write a wrong length of the longest.
    """
    most = OVERHEAD + (samples * stream.verbatim + 7) // 8
    return min(most, max(stream.longest_frame, seen)) if stream.longest_frame else most


class _Walk:
    """The walk over a file.

    Attributes:
        end: Where it ends, None where that cannot be told.
        ends: Where it may end.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.findings = Findings(reader.size)
        self.ends: list[int] = []
        self.end: int | None = None

    def run(self) -> None:
        """Walk metadata and frames."""
        from unransom.catalog.formats._flac_frames import Frames  # noqa: PLC0415  numba is slow to import

        start = _start(self._reader.read_at(0, 10))
        stream = _stream(self._reader, start)
        frames = Frames(self._reader, stream.frames, stream.longest_block)
        if not stream.sound or not frames.begins:
            why = say(
                "the metadata or the first frame of the FLAC sound is damaged at byte {offset}",
                offset=stream.frames,
            )
            self.findings.fault(min(stream.frames, self._reader.size), self._reader.size, why)
            return
        frames.walk()
        self.findings.hold(24 * frames.sound)
        for span in frames.damaged:
            why = say("the frame at byte {offset} of the FLAC sound is damaged", offset=span.start)
            self.findings.fault(span.start, span.end, why)
        header = self._reader.read_at(frames.last, 16)
        fixed = header[1] & 1 == 0
        given = frames.number * (stream.longest_block if fixed else 1) + _block_size(header)
        if stream.samples and given != stream.samples:
            why = say(
                "the FLAC sound has {count} of {expected} samples", count=given, expected=stream.samples
            )
            self.findings.fault(self._reader.size, self._reader.size, why)
        self.ends = frames.ends(_longest_frame(stream, _block_size(header), frames.longest))
        self._choose(frames.last)

    def _choose(self, last: int) -> None:
        """Choose the end among those where the last frame's CRC is right."""
        size = self._reader.size
        likely = (end for end in self.ends if not random_between(self._reader, end, size))
        self.end = next(likely, None)
        if self.end is not None:
            self.findings.hold(16)
        else:
            why = say("the frame at byte {offset} of the FLAC sound is damaged", offset=last)
            self.findings.fault(last, size, why)


def measure(reader: Reader) -> Measure:
    """Walk the frames to the last sample; the file ends where the CRC of the last frame is right."""
    if not recognise(reader.read_at(0, HEAD)):
        return Measure(None, say("this is no FLAC sound"))
    walk = _Walk(Cached(reader))
    walk.run()
    if not walk.ends or len(walk.findings.damage) > (walk.end is None):
        return Measure(None, walk.findings.first or say("this is no FLAC sound"))
    end = walk.end or walk.ends[0]
    others = tuple(each for each in walk.ends if each != end)
    return Measure(end, say("the CRC of the last frame of the FLAC sound"), others)


def validate(reader: Reader) -> Validation:
    """Check the metadata, the CRC and number of every frame, and that no sample is missing."""
    if not recognise(reader.read_at(0, HEAD)):
        return bad(say("this is no FLAC sound"), reader.size)
    walk = _Walk(Cached(reader))
    walk.findings.hold(71)
    walk.run()
    return walk.findings.verdict(say("every frame of the FLAC sound holds"), walk.end)


FORMAT = Format(
    name="flac",
    title="FLAC sound",
    extensions=("flac", "fla"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, MAGIC + b"\0\0\0\x22", 0.98),),
    compressed=True,
    references=("RFC 9639",),
    limitations=("Metadata is checked by its sizes only; the samples' MD5 is not computed.",),
)
