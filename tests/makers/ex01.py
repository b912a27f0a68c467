"""Makes Expert Witness images of version 2 (Ex01) from the public documentation of the format, apart from
the reader. ``test_ex01_by_libewf.py`` holds libewf against what is made here, save bzip2, which its Python
package does not have.
"""

from __future__ import annotations

import bz2
import hashlib
import itertools
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

SECTOR = 512
DEFLATE, BZIP2 = 1, 2
DEVICE, CASE, DATA, TABLE, MD5, SHA1, KEYS, NEXT, DONE = 1, 2, 3, 4, 8, 9, 11, 13, 15
PACKED, SUMMED, PATTERN = 1, 2, 4
HASHED, ENCRYPTED = 1, 2
SET = bytes(range(16))


def write_ex01(
    raw: Path,
    image: Path,
    *,
    method: int = DEFLATE,
    pack: bool = True,
    per_chunk: int = 64,
    per_segment: int = 1 << 30,
    encase: bool = True,
    flags: int = 0,
) -> None:
    """Write the disk in ``raw`` to ``image`` and further segments.

    Args:
        raw: The disk.
        image: Of the first segment, ``*.Ex01``.
        method: Of compression.
        pack: Whether chunks are compressed at all, and those that repeat 8 bytes not stored.
        per_chunk: Sectors.
        per_segment: Chunks.
        encase: Whether streams of bzip2 lack their beginning and end, as EnCase leaves them out.
        flags: Of every section.
    """
    disk = raw.read_bytes()
    size = per_chunk * SECTOR
    chunks = [disk[at : at + size] for at in range(0, len(disk), size)]
    batches = [chunks[at : at + per_segment] for at in range(0, len(chunks), per_segment)] or [[]]
    device = {"sn": "", "md": "", "lb": "", "ts": str(len(disk) // SECTOR), "hs": "", "dc": "", "dt": "f"}
    device |= {"pid": "", "rs": "", "ls": "", "bp": str(SECTOR), "ph": "1"}
    case = {"nm": "fs01", "cn": "", "en": "", "ex": "", "nt": "", "av": "7.04", "os": "Windows"}
    case |= {
        "tt": "1790000000",
        "at": "1790000000",
        "tb": str(len(chunks)),
        "cp": str(method) if pack else "",
    }
    case |= {"sb": str(per_chunk), "gr": str(per_chunk), "wb": ""}
    first = 0
    for number, batch in enumerate(batches, 1):
        segment = Segment(number, method, flags, encase=encase)
        segment.add(DEVICE, segment.text(device))
        segment.add(CASE, segment.text(case))
        rows = segment.chunks(batch, pack=pack)
        segment.add_table(first, rows)
        first += len(batch)
        if number == len(batches):
            for kind, digest in ((MD5, hashlib.md5(disk)), (SHA1, hashlib.sha1(disk))):
                segment.add(kind, digest.digest() + struct.pack("<I", zlib.adler32(digest.digest())))
        segment.add(DONE if number == len(batches) else NEXT, b"")
        name = next(itertools.islice(names(image), number - 1, None))
        name.write_bytes(segment.data)


def names(first: Path) -> Iterator[Path]:
    """Yield the paths of segments, up to the 775th."""
    for number in range(1, 100):
        yield first.with_suffix(f".Ex{number:02}")
    for high, low in itertools.product("ABCDEFGHIJKLMNOPQRSTUVWXYZ", repeat=2):
        yield first.with_suffix(f".Ex{high}{low}")


class Segment:
    """A segment that is being made."""

    def __init__(self, number: int, method: int, flags: int = 0, *, encase: bool = True) -> None:
        self.data = bytearray(struct.pack("<8sBBHI16s", b"EVF2\r\n\x81\0", 2, 1, method, number, SET))
        self._method = method
        self._flags = flags
        self._encase = encase
        self._before = 0

    def text(self, values: dict[str, str]) -> bytes:
        """Return a description."""
        lines = ["1", "main", "\t".join(values), "\t".join(values.values()), "", ""]
        return self.packed("\n".join(lines).encode("utf-16"))

    def packed(self, data: bytes) -> bytes:
        """Return ``data`` compressed."""
        if self._method == DEFLATE:
            return zlib.compress(data, 1)
        return as_encase(bz2.compress(data)) if self._encase else bz2.compress(data)

    def add(self, kind: int, content: bytes) -> None:
        """Append a section, aligned to 16 bytes."""
        padding = -len(content) % 16
        self.data += content + bytes(padding)
        self._describe(kind, len(content) + padding, padding)

    def chunks(self, batch: list[bytes], *, pack: bool) -> list[bytes]:
        """Append the section of data; return the entries of the table."""
        begin = len(self.data)
        rows = []
        for chunk in batch:
            if pack and chunk == chunk[:8] * (len(chunk) // 8):
                rows.append(chunk[:8] + struct.pack("<II", 0, PACKED | PATTERN))
                continue
            stored, kind = self.packed(chunk), PACKED
            if not pack or len(stored) >= len(chunk):
                stored, kind = chunk + struct.pack("<I", zlib.adler32(chunk)), SUMMED
            rows.append(struct.pack("<QII", len(self.data), len(stored), kind))
            self.data += stored + bytes(-len(stored) % 16)
        self._describe(DATA, len(self.data) - begin, 0)
        return rows

    def add_table(self, first: int, rows: list[bytes]) -> None:
        """Append the table of the chunks from number ``first`` on."""
        head = struct.pack("<QI4x", first, len(rows))
        head += struct.pack("<I12x", zlib.adler32(head))
        body = b"".join(rows)
        self.add(TABLE, head + body + struct.pack("<I", zlib.adler32(body)))

    def _describe(self, kind: int, size: int, padding: int) -> None:
        content = self.data[len(self.data) - size :]
        digest = hashlib.md5(content).digest() if size else bytes(16)
        flags = self._flags | (HASHED if size else 0)
        row = struct.pack("<IIQQII16s12x", kind, flags, self._before, size, 64, padding, digest)
        self._before = len(self.data)
        self.data += row + struct.pack("<I", zlib.adler32(row))


def as_encase(stream: bytes) -> bytes:
    """Return the only block of a stream of bzip2 without what stands before and behind it, byte by byte."""
    mark = 0x177245385090
    bits = int.from_bytes(stream, "big")
    for padding in range(8):
        if bits >> (32 + padding) & (1 << 48) - 1 == mark:
            length = len(stream) * 8 - padding - 80 - 32
            rest = bits >> (80 + padding) & (1 << length) - 1
            return (rest << -length % 8).to_bytes(-(-length // 8), "big")
    raise ValueError("no end of a stream of bzip2")
