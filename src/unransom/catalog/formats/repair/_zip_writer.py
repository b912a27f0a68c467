"""Write a ZIP archive piece by piece: members taken over as they are packed, and new ones."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator

import msgspec

from unransom.catalog.formats import _zip_records as records
from unransom.catalog.formats.repair._members import Member
from unransom.catalog.formats.repair.repair import Damaged, Piece, copied
from unransom.core.spans import Origin

FULL = records.FULL32
UTF8 = 1 << 11
KEPT_FLAGS = records.ENCRYPTED | UTF8 | 6
ZIP64 = 45  # version of the specification that has it
PLAIN_VERSION = 20
TIME = 0x00210000  # 1980-01-01


class New(msgspec.Struct, frozen=True):
    """A member that was rebuilt; ``stored`` says that it is not to be packed."""

    name: bytes
    data: bytes
    stored: bool = False


def archive(damaged: Damaged, contents: Iterable[Member | New]) -> Iterator[Piece]:
    """Yield the archive of ``contents``, with a directory."""
    central: list[bytes] = []
    offset = 0
    for content in contents:
        if isinstance(content, New):
            entry, packed = _packed(content)
            local, listed = _records(entry, offset)
            yield local + packed, Origin.GUESSED
        else:
            entry = content.entry
            local, listed = _records(entry, offset)
            yield local, Origin.GUESSED
            yield from copied(damaged.reader, content.start, content.start + entry.packed)
        offset += len(local) + entry.packed
        central.append(listed)
    directory = b"".join(central)
    yield directory + _end(len(central), len(directory), offset), Origin.GUESSED


def _packed(content: New) -> tuple[records.Entry, bytes]:
    method, packed = records.STORED, content.data
    if not content.stored:
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        method, packed = records.DEFLATE, packer.compress(content.data) + packer.flush()
    flags = 0 if content.name.isascii() else UTF8
    crc = zlib.crc32(content.data)
    entry = records.Entry(content.name, flags, method, TIME, crc, len(packed), len(content.data), header=0)
    return entry, packed


def _records(entry: records.Entry, offset: int) -> tuple[bytes, bytes]:
    """Return the local header and the directory's entry of a member at ``offset``."""
    big = max(entry.packed, entry.size, offset) >= FULL
    version = ZIP64 if big else PLAIN_VERSION
    sizes = struct.pack("<QQ", entry.size, entry.packed) if big else b""
    extra = struct.pack("<HH", 1, 16) + sizes if big else b""
    listed = struct.pack("<HH", 1, 24) + sizes + struct.pack("<Q", offset) if big else b""
    shown = (FULL, FULL) if big else (entry.packed, entry.size)
    common = struct.pack(
        "<HHHIIIIH",
        version,
        entry.flags & KEPT_FLAGS,
        entry.method,
        entry.time,
        entry.crc,
        *shown,
        len(entry.name),
    )
    local = records.LOCAL + common + struct.pack("<H", len(extra)) + entry.name + extra
    central = (
        records.CENTRAL
        + struct.pack("<H", version)
        + common
        + struct.pack("<HHHHII", len(listed), 0, 0, 0, 0, FULL if big else offset)
        + entry.name
        + listed
    )
    return local, central


def _end(count: int, size: int, offset: int) -> bytes:
    """Return the records behind the directory of ``count`` entries and ``size`` bytes at ``offset``."""
    big = count >= records.FULL16 or size >= FULL or offset >= FULL
    end = struct.pack(
        "<4s4H2IH",
        records.END,
        0,
        0,
        *[min(count, records.FULL16)] * 2,
        min(size, FULL),
        min(offset, FULL),
        0,
    )
    if not big:
        return end
    record = struct.pack("<4sQ2H2I4Q", records.END64, 44, ZIP64, ZIP64, 0, 0, count, count, size, offset)
    return record + struct.pack("<4sIQI", records.LOCATOR64, 0, offset + size, 1) + end
