"""The catalogue of a volume's shadow copies: when each was made, and where its lists of blocks are.

Source: J. Metz, Volume Shadow Snapshot (VSS) format.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable, Iterator
from typing import NamedTuple

from unransom.core.errors import UnreadableError
from unransom.core.streams import Reader
from unransom.evidence.filesystems.ntfs.records import EPOCH

MARK = uuid.UUID("3808876b-c176-4e48-b7ae-04046e6cc752").bytes_le
PLACE = 0x1E00  # in the boot sectors of the volume
BLOCK = 16384  # bytes of every block of lists, and of data
HEADER = struct.Struct("<16sIIQQQQ")  # mark, version, kind; place in the store, on the volume; next; size
HEADER_SIZE = 128
VOLUME, CATALOG, DESCRIPTORS, STORE, RANGES, BITMAP = range(1, 7)  # kinds
ENTRY_SIZE = 128
COPY, STORED = 2, 3  # kinds of an entry
COPY_ENTRY = struct.Struct("<QQ16sQQQ")  # kind, size of the volume, store, sequence, flags, time
STORED_ENTRY = struct.Struct(
    "<QQ16sQQQ16xQ"
)  # kind, descriptors, store, header, ranges, bitmap; bitmap before
MOST_COPIES = 512  # Windows keeps 64 of a volume at most, 512 where policies say so
MOST_BLOCKS = 1 << 22  # of the lists of a volume
LATEST = 1 << 63


class ShadowCopy(NamedTuple):
    """A shadow copy.

    Attributes:
        store: Identifier of where its blocks are kept.
        created: Nanoseconds since 1970 UTC; None where that makes no sense.
        size: Bytes of the volume.
        descriptors, header, bitmap, previous: Where its lists begin on the volume; 0 for none.
        stray: Whether no catalogue names it.
    """

    store: str
    created: int | None
    size: int
    descriptors: int
    header: int
    bitmap: int
    previous: int
    stray: bool = False


class Chain:
    """Blocks of one kind, each of which names the next.

    Attributes:
        whole: Whether the last one was reached.
    """

    def __init__(self, volume: Reader, place: int, kind: int, seen: set[int] | None = None) -> None:
        """Begin at byte ``place`` of a volume; blocks in ``seen`` are other chains', and end this one."""
        self._seen = set() if seen is None else seen
        self._volume = volume
        self._place = place
        self._kind = kind
        self.whole = False

    def __iter__(self) -> Iterator[bytes]:
        """Yield what is behind the header of each block, up to the first that makes no sense."""
        place = self._place
        self.whole = False
        while place and place not in self._seen and len(self._seen) < MOST_BLOCKS:
            self._seen.add(place)
            try:
                block = self._volume.read_at(place, BLOCK)
            except UnreadableError:
                return
            if len(block) < BLOCK:
                return
            mark, _, kind, _, _, following, _ = HEADER.unpack_from(block)
            if mark != MARK or kind != self._kind:
                return
            yield block[HEADER_SIZE:]
            place = following
        self.whole = not place


def shadow_copies(volume: Reader, otherwise: Callable[[], int] = lambda: 0) -> list[ShadowCopy]:
    """Return the shadow copies that the catalogue of a volume names, the oldest first.

    Args:
        volume: It.
        otherwise: Tells where the catalogue begins where the head of the volume, which says so, is lost; 0
            for no catalogue.
    """
    place = _place(volume)
    place = otherwise() if place is None else place
    entries = [entry for block in Chain(volume, place, CATALOG) for entry in _entries(block)]
    stored = {each[2]: each for each in map(STORED_ENTRY.unpack_from, entries) if each[0] == STORED}
    made = [each for each in map(COPY_ENTRY.unpack_from, entries) if each[0] == COPY and each[2] in stored]
    made.sort(key=lambda each: (each[5], each[3]))
    return [_copy(each, stored[each[2]]) for each in made[:MOST_COPIES]]


def had_copies(volume: Reader) -> bool:
    """Return whether the head of a volume says that shadow copies were made of it."""
    return _place(volume) is not None


def identifiers(volume: Reader, copy: ShadowCopy) -> tuple[str, str]:
    """Return what Windows calls a shadow copy, and the set that it was made with; "" where that is lost."""
    body = next(iter(Chain(volume, copy.header, STORE)), b"")
    return (_guid(body[16:32]), _guid(body[32:48])) if body else ("", "")


def _place(volume: Reader) -> int | None:
    """Return where the catalogue begins, 0 for none; None where nothing says so."""
    try:
        head = volume.read_at(PLACE, ENTRY_SIZE)
    except UnreadableError:
        return None
    if len(head) < ENTRY_SIZE:
        return None
    mark, _, kind, *_, place = HEADER.unpack_from(head)
    return place if (mark, kind) == (MARK, VOLUME) else None


def _entries(block: bytes) -> Iterator[bytes]:
    for at in range(0, len(block) - ENTRY_SIZE + 1, ENTRY_SIZE):
        yield block[at : at + ENTRY_SIZE]


def _copy(
    made: tuple[int, int, bytes, int, int, int], stored: tuple[int, int, bytes, int, int, int, int]
) -> ShadowCopy:
    _, size, store, _, _, time = made
    _, descriptors, _, header, _, bitmap, previous = stored
    created = (time - EPOCH) * 100
    return ShadowCopy(
        _guid(store), created if 0 < created < LATEST else None, size, descriptors, header, bitmap, previous
    )


def _guid(data: bytes) -> str:
    return str(uuid.UUID(bytes_le=data))
