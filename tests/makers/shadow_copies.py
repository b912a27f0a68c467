"""Makes volume shadow copies on an image of NTFS, as Windows keeps them: catalogue, stores, blocks, bitmaps.

From the public documentation of the format (J. Metz, Volume Shadow Snapshot (VSS) format), and apart from the
reader; libvshadow's own tools read what is made here. The caller gives the volume as it was at several times,
all with one file in it that no state ever changes: what is kept goes into that file's clusters, as into the
files below ``System Volume Information``.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
import struct
import uuid
from collections.abc import Iterator, Sequence

BLOCK = 16384
MARK = uuid.UUID("3808876b-c176-4e48-b7ae-04046e6cc752").bytes_le
VOLUME, CATALOG, DESCRIPTORS, STORE, RANGES, BITMAP = range(1, 7)
FORWARDS, OVERLAYS, UNUSED = 1, 2, 4
EPOCH = 116_444_736_000_000_000
PER_BLOCK = (BLOCK - 128) // 32


@dataclasses.dataclass
class Descriptor:
    """A block that is kept; ``content`` is written to a place of its own, the rest as it stands."""

    origin: int
    content: bytes = b""
    relative: int = 0
    place: int = 0
    flags: int = 0
    sectors: int = 0


@dataclasses.dataclass
class Copy:
    """A shadow copy: when it was made (nanoseconds since 1970), and what it keeps.

    Attributes:
        vacant: Numbers of the blocks that had nothing in them; of all others the bit is not set.
    """

    created: int
    descriptors: list[Descriptor]
    size: int = 0
    vacant: frozenset[int] = frozenset()
    previous: frozenset[int] | None = None
    identifier: uuid.UUID = dataclasses.field(
        default_factory=lambda: uuid.UUID(int=next(NUMBERS) << 64 | 0x5EED)
    )
    store: uuid.UUID = dataclasses.field(default_factory=lambda: uuid.UUID(int=next(NUMBERS) << 64 | 0x570E))
    copies: uuid.UUID = dataclasses.field(default_factory=lambda: uuid.UUID(int=next(NUMBERS) << 64 | 0x5E7))


NUMBERS = itertools.count(1)


def reserve(blocks: int) -> bytes:
    """Return the content of the file whose clusters will hold what is kept."""
    return b"".join(b"%-15d\n" % number * (BLOCK // 16) for number in range(blocks))


def reserved(image: bytes, blocks: int) -> list[int]:
    """Return where the blocks of that file lie in one piece."""
    found = []
    for number in range(blocks):
        at = image.find(b"%-15d\n" % number * (BLOCK // 16))
        if at >= 0:
            found.append(at)
    return found


def changed(before: bytes, after: bytes) -> list[Descriptor]:
    """Return what is to be kept of ``before`` where ``after`` overwrites it."""
    return [
        Descriptor(at, before[at : at + BLOCK])
        for at in range(0, len(before), BLOCK)
        if before[at : at + BLOCK] != after[at : at + BLOCK]
    ]


def shadowed(states: Sequence[bytes], times: Sequence[int], space: Sequence[int]) -> bytes:
    """Return the last of ``states`` with a shadow copy of each state before it, made at ``times``."""
    copies = [
        Copy(time, changed(before, after))
        for time, before, after in zip(times, states, states[1:], strict=False)
    ]
    return written(states[-1], copies, space)


def written(image: bytes, copies: Sequence[Copy], space: Sequence[int]) -> bytes:
    """Return ``image`` with ``copies``, the oldest first, which take blocks of ``space``."""
    volume = bytearray(image)
    places = iter(space)
    catalog = next(places)
    entries = b""
    for number, copy in enumerate(copies, 1):
        entries += _store(volume, copy, number, places)
    assert len(entries) <= BLOCK - 128, "one block of catalogue holds 63 shadow copies"
    _put(volume, catalog, _header(CATALOG, 0, catalog, 0) + entries)
    head = _header(VOLUME, 0x1E00, 0x1E00, 0, catalog)[:128]
    volume[0x1E00 : 0x1E00 + len(head)] = head
    return bytes(volume)


def _store(volume: bytearray, copy: Copy, number: int, places: Iterator[int]) -> bytes:
    """Write what a shadow copy keeps; return its two entries of the catalogue."""
    header = next(places)
    machine = "FS01".encode("utf-16-le")
    said = struct.pack(
        "<16s16s16sIII4x", bytes(16), copy.identifier.bytes_le, copy.copies.bytes_le, 9, 1, 0x420009
    )
    said += (struct.pack("<H", len(machine)) + machine) * 2
    _put(volume, header, _header(STORE, 0, header, 0, len(said)) + said)
    rows = b"".join(_descriptor(volume, each, places) for each in copy.descriptors)
    lists = [rows[at : at + PER_BLOCK * 32] for at in range(0, max(len(rows), 1), PER_BLOCK * 32)]
    descriptors = _chain(volume, DESCRIPTORS, lists, places)
    ranges = _chain(volume, RANGES, [struct.pack("<QQQ", header, 0, BLOCK)], places)
    bitmap = _chain(volume, BITMAP, _bits(copy.vacant, len(volume)), places)
    previous = 0
    if copy.previous is not None:
        previous = _chain(volume, BITMAP, _bits(copy.previous, len(volume)), places)
    store = copy.store.bytes_le
    time = copy.created // 100 + EPOCH
    made = struct.pack("<QQ16sQQQ", 2, copy.size or len(volume), store, number, 0x440, time)
    kept = struct.pack("<QQ16sQQQQQQ", 3, descriptors, store, header, ranges, bitmap, 64, BLOCK, previous)
    return made.ljust(128, b"\0") + kept.ljust(128, b"\0")


def _descriptor(volume: bytearray, each: Descriptor, places: Iterator[int]) -> bytes:
    place = each.place
    if each.content:
        place = next(places)
        _put(volume, place, each.content)
    return struct.pack("<QQQII", each.origin, each.relative, place, each.flags, each.sectors)


def _bits(numbers: frozenset[int], size: int) -> list[bytes]:
    bits = bytearray(-(-size // BLOCK // 8) + 1)
    for number in numbers:
        bits[number // 8] |= 1 << number % 8
    step = BLOCK - 128
    return [bytes(bits[at : at + step]) for at in range(0, len(bits), step)]


def _chain(volume: bytearray, kind: int, bodies: Sequence[bytes], places: Iterator[int]) -> int:
    taken = [next(places) for _ in bodies]
    for index, (place, body) in enumerate(zip(taken, bodies, strict=True)):
        following = taken[index + 1] if index + 1 < len(taken) else 0
        _put(volume, place, _header(kind, index * BLOCK, place, following) + body)
    return taken[0]


def _header(kind: int, relative: int, own: int, following: int, size: int = 0) -> bytes:
    return struct.pack("<16sIIQQQQ", MARK, 1, kind, relative, own, following, size).ljust(128, b"\0")


def _put(volume: bytearray, place: int, data: bytes) -> None:
    assert len(data) <= BLOCK
    volume[place : place + BLOCK] = data.ljust(BLOCK, b"\0")


def store_count(text: str) -> int:
    """Return how many stores ``vshadowinfo`` printed."""
    found = re.search(r"Number of stores:\s+(\d+)", text)
    return int(found.group(1)) if found else 0
