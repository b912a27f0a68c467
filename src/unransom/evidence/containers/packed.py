"""unransom's own image: a disk in chunks, each a frame of Zstandard, in the order of the disk.

The file is what Zstandard calls a seekable file: ``zstd -d`` of any version gives the raw disk. In front of
the frames is one that is passed over, with a description of the disk; behind them are one with the digests
and the sectors that could not be read, and the table of all frames. ``docs/reference/image-format.md``
describes it to the byte.

Source of the table: Zstandard Seekable Format 0.1.0.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from unransom.core.errors import UnreadableError
from unransom.core.spans import Span
from unransom.core.streams import BytesReader, Reader
from unransom.evidence.containers.mapped import MOST_PIECES, Mapped, Missing, Piece, Recent
from unransom.evidence.containers.opening import Opening, invalid

CHUNK = 1 << 20  # bytes of the disk in a frame
SKIPPED = struct.Struct("<II")  # in front of a frame that is passed over: magic, bytes of the content
DESCRIBED, ENDED, LISTED = 0x184D2A50, 0x184D2A51, 0x184D2A5E
MARK = b'{"format": "unransom image", "version": 1, '
HEADER = 1024  # bytes of the first frame
FOOTER = struct.Struct("<IBI")  # frames, flags, magic
FOOTER_MAGIC = 0x8F92EAB1
WITH_CHECKSUMS = 0x80
ENTRY = np.dtype([("packed", "<u4"), ("size", "<u4"), ("checksum", "<u4")])
LARGEST_END = 1 << 28  # bytes of what is said at the end
LARGEST_FRAME = CHUNK + 4096  # bytes, of a chunk that cannot be compressed
ZERO_CHECKSUM = 0xE1163EF1  # of a chunk of zeros: low half of XXH64
SHORT = 256  # bytes; no frame of anything but zeros with that checksum is as short
KEPT_CHUNKS = 32


class Description(NamedTuple):
    """What the first frame says: bytes of the disk, and what it was read from."""

    size: int
    source: str


class End(NamedTuple):
    """What the frame behind the chunks says.

    Attributes:
        digests: Of the disk, with zeros for what could not be read, by the name of the algorithm.
        lost: What could not be read.
    """

    digests: dict[str, str]
    lost: list[Span]


def header(described: Description) -> bytes:
    """Return the first frame of an image."""
    values = {"size": described.size, "chunk": CHUNK, "source": described.source[:256]}
    content = MARK + json.dumps(values).encode()[1:]
    return SKIPPED.pack(DESCRIBED, HEADER - SKIPPED.size) + content.ljust(HEADER - SKIPPED.size)


def parse_header(data: bytes) -> Description | None:
    """Return what the first frame of an image says, None where it is none."""
    if len(data) < HEADER or not claims(data, b"", len(data)):
        return None
    try:
        values = json.loads(data[SKIPPED.size : HEADER])
        size, chunk, source = values["size"], values["chunk"], values["source"]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(size, int) or not 0 <= size < 1 << 62 or chunk != CHUNK:
        return None
    return Description(size, str(source))


def claims(head: bytes, tail: bytes, size: int) -> bool:
    """Return whether a file begins like such an image."""
    return head[:4] == DESCRIBED.to_bytes(4, "little") and head[8 : 8 + len(MARK)] == MARK


def open_disk(opening: Opening) -> Reader:
    """Open the disk.

    Raises:
        OSError: It makes no sense, or was never finished.
        UnreadableError: It cannot be read.
    """
    described = parse_header(opening.reader.read_at(0, HEADER))
    if described is None:
        raise invalid("a description that makes no sense")
    frames, start = _table(opening.reader)
    end = _end(opening.reader, start)
    opening.files.digests.update(end.digests)
    return FrameDisk(opening.reader, described.size, frames, end.lost)


def _table(reader: Reader) -> tuple[np.ndarray, int]:
    """Return the frames with chunks, and where what follows them begins."""
    footer = reader.read_at(reader.size - FOOTER.size, FOOTER.size)
    if len(footer) < FOOTER.size or FOOTER.unpack(footer)[1:] != (WITH_CHECKSUMS, FOOTER_MAGIC):
        raise invalid("no table of frames: it was never finished")
    size = FOOTER.unpack(footer)[0] * ENTRY.itemsize
    start = reader.size - FOOTER.size - size
    if start < HEADER:
        raise invalid("a table of frames that does not fit")
    entries = np.frombuffer(reader.read_at(start, size), ENTRY)
    chunks = entries[entries["size"] > 0]
    return chunks, HEADER + int(chunks["packed"].sum(dtype=np.int64))


def _end(reader: Reader, start: int) -> End:
    import zstandard  # noqa: PLC0415 an extra

    head = reader.read_at(start, SKIPPED.size)
    if len(head) < SKIPPED.size or SKIPPED.unpack(head)[0] != ENDED:
        raise invalid("no digests behind the frames")
    packed = reader.read_at(start + SKIPPED.size, min(SKIPPED.unpack(head)[1], LARGEST_END))
    try:
        values = json.loads(zstandard.ZstdDecompressor().decompress(packed, max_output_size=LARGEST_END))
        lost = [Span(int(first), int(last)) for first, last in values["lost"]]
        digests = {str(name): str(value) for name, value in values["digests"].items()}
    except (zstandard.ZstdError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise invalid("digests that make no sense") from error
    if any(not 0 <= span.start < span.end for span in lost):
        raise invalid("lost sectors that make no sense")
    return End(digests, sorted(lost))


class FrameDisk(Mapped):
    """A disk in frames."""

    def __init__(self, reader: Reader, size: int, frames: np.ndarray, lost: list[Span]) -> None:
        """Open the disk of ``size`` bytes.

        Raises:
            OSError: The frames are not as many as it has chunks, or are of other sizes.
        """
        whole = frames["size"][:-1] == CHUNK
        if int(frames["size"].sum(dtype=np.int64)) != size or not bool(whole.all()):
            raise invalid("frames that do not make up the disk")
        self.size = size
        self._reader = reader
        self._lost = lost
        self._lengths = frames["packed"]
        self._starts = HEADER + np.concatenate([[0], np.cumsum(frames["packed"], dtype=np.int64)])
        self._zeros = (frames["checksum"] == ZERO_CHECKSUM) & (frames["packed"] < SHORT)
        self._zeros[-1:] &= frames["size"][-1:] == CHUNK
        self._chunk = Recent(self._unpack, KEPT_CHUNKS)

    def piece_at(self, offset: int) -> Piece:
        """Return where byte ``offset`` is: a chunk, zeros, or nowhere because it could not be read."""
        number, inside = divmod(offset, CHUNK)
        if self._zeros[number]:
            others = np.flatnonzero(~self._zeros[number : number + MOST_PIECES])
            run = int(others[0]) if len(others) else min(MOST_PIECES, len(self._zeros) - number)
            piece = Piece(min(run * CHUNK - inside, self.size - offset))
        else:
            length = min(CHUNK - inside, self.size - offset)
            piece = Piece(length, BytesReader(b""), inside)
        piece = self._cut(offset, piece)
        if piece.source is None or isinstance(piece.source, Missing):
            return piece
        return piece._replace(source=BytesReader(self._chunk(number)))

    def _cut(self, offset: int, piece: Piece) -> Piece:
        """Return a piece without what could not be read, or what could not be read."""
        low, high = 0, len(self._lost)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self._lost[middle].end <= offset else (low, middle)
        if low == len(self._lost) or self._lost[low].start >= offset + piece.length:
            return piece
        lost = self._lost[low]
        if lost.start > offset:
            return piece._replace(length=lost.start - offset)
        return Piece(min(lost.end, self.size) - offset, Missing(self.size, "it could not be read"), offset)

    def _unpack(self, number: int) -> bytes:
        return unpack(self._reader.read_at(int(self._starts[number]), int(self._lengths[number])))


def unpack(frame: bytes) -> bytes:
    """Return the chunk in a frame, with its checksum compared.

    Raises:
        UnreadableError: It is damaged.
    """
    import zstandard  # noqa: PLC0415 an extra

    try:
        return zstandard.ZstdDecompressor().decompress(frame, max_output_size=CHUNK)
    except zstandard.ZstdError as error:
        raise UnreadableError(0, CHUNK, str(error)) from error


def whole_frames(reader: Reader, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the frames of an image that was perhaps never finished, each with its chunk.

    Ends in front of the first frame that is not whole, or whose checksum does not hold.

    Args:
        reader: The image.
        size: Bytes of the disk.
    """
    import zstandard  # noqa: PLC0415 an extra

    position, done = HEADER, 0
    while done < size:
        data = reader.read_at(position, LARGEST_FRAME)
        unpacker: Any = zstandard.ZstdDecompressor().decompressobj()
        try:
            chunk = unpacker.decompress(data)
        except zstandard.ZstdError:
            return
        if not unpacker.eof or len(chunk) != min(CHUNK, size - done):
            return
        frame = data[: len(data) - len(unpacker.unused_data)]
        yield frame, chunk
        position += len(frame)
        done += len(chunk)
