"""What the members of an archive under the old encryption hold, as far as originals and formats tell.

An original that has the CRC-32 and size of a member is that member. How it was packed is told by its packed
size: an archive without a password in which the same original takes as many bytes was most likely made by the
same program, and of what zlib makes of it the one that is as long is it. A member that is stored begins as
its format does, and so does one that was deflated to more than it had been: such blocks are stored.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from unransom.catalog.families import zipcrypto
from unransom.catalog.formats import _zip_records as records
from unransom.catalog.oracle import heads
from unransom.core.context import OpenEvidence
from unransom.core.records import FileRef
from unransom.core.streams import Reader
from unransom.recover.keys.beginnings import Pieces, beginnings

Known = tuple[FileRef, ...]

LARGEST = 64 << 20  # bytes of an original that is deflated again
ARCHIVES = 256  # without a password, whose members are looked at
MATCHES = 4  # originals that are members, of which it is asked how they were packed
ENOUGH = 8192  # bytes: an attack gains nothing from more
WAYS = 8  # in which an original may have been packed that are tried
LEVELS = (6, 9, 1, 5, 7, 8, 4, 3, 2)  # the usual ones first
MEMORY = (8, 9)
SMALL = 1 << 20  # bytes of an original that may be as long when it is packed in another way
HEADER_BITS = 88
BLOCK = 5  # bytes before what is stored in a deflated member
SURE = 0.9  # that an original which is as long when it is packed was packed so
FIXED = 64  # bytes of a deflated member that need no codes of its own
LITERALS = 144  # bytes below have codes of eight bits where codes are fixed
FARTHEST = 10**7  # a place in a member that people tell is below
ALIKE = 32  # bytes at the beginning of a file that its versions have in common
OLDER = 0.5  # that they do
NAMED = 0.3  # that a file begins as what its name says identifies it, where no program is known


class Guess(NamedTuple):
    """What a member is taken to hold.

    Attributes:
        name: Of the member.
        locked: Its bytes in the archive, its header first.
        known: What some of them were made of, by their place in ``locked``.
        chance: That this is so.
        sure: The whole original is known, not only how files like it begin.
    """

    name: bytes
    locked: bytes
    known: Pieces
    chance: float
    sure: bool

    @property
    def size(self) -> int:
        """Known bytes."""
        return sum(len(data) for _, data in self.known)

    @property
    def row(self) -> int:
        """Known bytes without a gap."""
        return max(len(data) for _, data in self.known)


class Match(NamedTuple):
    """A member and its original."""

    entry: records.Entry
    content: bytes


def sealed(archive: Reader) -> list[records.Entry]:
    """Return the members under the old encryption; those come first whose packed bytes cost least to know."""
    every = [entry for entry in zipcrypto.members(archive) if zipcrypto.is_sealed(entry)]
    return sorted(
        every, key=lambda each: (each.packed < ENOUGH, each.packed * (1 if each.packed >= ENOUGH else -1))
    )


def sure_guesses(archive: Reader, known: Known, open_known: OpenEvidence) -> list[Guess]:
    """Return how members were packed of which the original is known, or packed alike elsewhere."""
    copies = _copies(archive, known, open_known)
    found = [_guess(archive, entry, ((0, packed),), SURE, sure=True) for entry, packed in copies]
    if found:
        return found[:1]
    for match in matches(archive, known, open_known):
        ways = [way for way in _packed(match) if len(way) == match.entry.packed - zipcrypto.HEADER][:WAYS]
        stored = _inside_blocks(match.entry, ((0, match.content[:ENOUGH]),))
        each: list[Pieces] = [((0, way),) for way in ways]
        if stored and not ways:
            each.append(stored)
        if each:
            chance = SURE / len(each)
            return [_guess(archive, match.entry, pieces, chance, sure=True) for pieces in each]
    return []


def matches(archive: Reader, known: Known, open_known: OpenEvidence) -> Iterator[Match]:
    """Yield members whose originals are known, at most ``MATCHES``."""
    by_size: dict[int, list[FileRef]] = {}
    for ref in known:
        by_size.setdefault(ref.size, []).append(ref)
    count = 0
    for entry in sealed(archive):
        if not 0 < entry.size <= LARGEST:
            continue
        content = _original(entry, by_size.get(entry.size, ()), open_known)
        if content is not None:
            yield Match(entry, content)
            count += 1
        if count == MATCHES:
            return


def _original(entry: records.Entry, alike: Iterable[FileRef], open_known: OpenEvidence) -> bytes | None:
    """Return the content of the file that is the member, of those that are as large."""
    name = entry.name.rpartition(b"/")[2]
    for ref in sorted(alike, key=lambda each: each.name != name):
        with open_known(ref) as reader:
            content = reader.read_at(0, entry.size)
        if zlib.crc32(content) == entry.crc:
            return content
    return None


def _copies(archive: Reader, known: Known, open_known: OpenEvidence) -> Iterator[tuple[records.Entry, bytes]]:
    """Yield members, and how they begin in an archive without a password that has them packed as long."""
    wanted = {
        (each.crc, each.size, each.packed - zipcrypto.HEADER, each.method): each for each in sealed(archive)
    }
    archives = [ref for ref in known if ref.name.lower().endswith(b".zip")][:ARCHIVES]
    for ref in archives if wanted else ():
        with open_known(ref) as reader:
            for entry in zipcrypto.members(reader):
                locked = wanted.get((entry.crc, entry.size, entry.packed, entry.method))
                if locked and not entry.flags & records.ENCRYPTED:
                    start = zipcrypto.data_at(reader, entry)
                    yield locked, reader.read_at(start, min(entry.packed, ENOUGH))


def _packed(match: Match) -> Iterator[bytes]:
    """Yield the original as it may stand in the archive."""
    if match.entry.method == records.STORED:
        yield match.content
    elif match.entry.method == records.DEFLATE:
        yield from _deflated(match)


def _deflated(match: Match) -> Iterator[bytes]:
    """Yield what zlib makes of the original, each only once; of a large one, only until the length agrees."""
    seen = set()
    for level in LEVELS:
        for memory in MEMORY:
            deflate = zlib.compressobj(level, zlib.DEFLATED, -15, memory)
            packed = deflate.compress(match.content) + deflate.flush()
            if packed not in seen:
                seen.add(packed)
                yield packed
            if len(match.content) > SMALL and len(packed) == match.entry.packed - zipcrypto.HEADER:
                return


def told_guesses(archive: Reader, known: Known, open_known: OpenEvidence) -> list[Guess]:
    """Return what people tell of members: bytes at a place, and older versions of what is stored.

    A file called as the member with ``@`` and a number behind it has the bytes that stand there as they were
    packed; one with the member's name and other content most likely begins like it.
    """
    by_name: dict[bytes, list[tuple[int | None, FileRef]]] = {}
    for ref in known:
        name, mark, place = ref.name.rpartition(b"@")
        told = bool(mark) and place.isdigit() and len(place) < len(str(FARTHEST))
        by_name.setdefault(name if told else ref.name, []).append((int(place) if told else None, ref))
    return [
        guess
        for entry in sealed(archive)
        for place, ref in by_name.get(entry.name.rpartition(b"/")[2], ())
        for guess in _told(archive, entry, place, ref, open_known)
    ]


def _told(
    archive: Reader, entry: records.Entry, place: int | None, ref: FileRef, open_known: OpenEvidence
) -> Iterator[Guess]:
    room = entry.packed - zipcrypto.HEADER - (place or 0)
    if place is None and entry.method != records.STORED:
        return
    with open_known(ref) as reader:
        data = reader.read_at(0, min(ENOUGH if place is not None else ALIKE, max(room, 0)))
    if data:
        yield _guess(archive, entry, ((place or 0, data),), SURE if place is not None else OLDER, sure=False)


def head_guesses(archive: Reader) -> list[Guess]:
    """Return how members begin by the formats that their names promise."""
    return [
        _guess(archive, entry, pieces, chance, sure=False)
        for entry in sealed(archive)
        for chance, beginning in _beginnings(entry)
        for pieces in [_as_packed(entry, beginning)]
        if pieces
    ]


def _beginnings(entry: records.Entry) -> Iterator[tuple[float, Pieces]]:
    found = [(each.share, each.pieces) for each in beginnings(entry.name, entry.size) if each.pieces]
    if not found:
        known = [each for each in heads(entry.name, HEADER_BITS, entry.size) if each.offset == 0]
        found = [(NAMED * each.share / len(known), ((0, each.data),)) for each in known]
    yield from found


def _as_packed(entry: records.Entry, beginning: Pieces) -> Pieces:
    """Return the bytes that are known of a member, by their place behind its header."""
    if entry.method == records.STORED:
        return beginning
    if entry.method != records.DEFLATE:
        return ()
    if entry.packed - zipcrypto.HEADER <= FIXED and beginning[0][0] == 0:
        return ((0, _fixed(beginning[0][1])),)
    return _inside_blocks(entry, beginning)


def _inside_blocks(entry: records.Entry, beginning: Pieces) -> Pieces:
    """Return where ``beginning`` stands in a member that deflating made no shorter: in a stored block."""
    if entry.method == records.DEFLATE and entry.packed - zipcrypto.HEADER >= entry.size + BLOCK:
        return tuple((BLOCK + place, data) for place, data in beginning)
    return ()


def _fixed(head: bytes) -> bytes:
    """Return how a member begins whose content begins with ``head``, in one block of fixed codes.

    As far as whole bytes are known, and no three bytes of it stood there before: those would be a reference.
    """
    bits, count = 0b011, 3  # the last block, fixed codes
    for at, byte in enumerate(head):
        if byte >= LITERALS or head[at : at + 3] in head[: at + 2]:
            break
        code = int(f"{0x30 + byte:08b}"[::-1], 2)  # codes begin with their highest bit
        bits |= code << count
        count += 8
    return bits.to_bytes(count // 8 + 1, "little")[: count // 8]


def _guess(archive: Reader, entry: records.Entry, known: Pieces, chance: float, *, sure: bool) -> Guess:
    """Return the guess that ``known`` stands behind the header, of which the last byte is known besides."""
    start = zipcrypto.data_at(archive, entry)
    check = zipcrypto.check(entry)
    behind = [(zipcrypto.HEADER + place, data[:ENOUGH]) for place, data in known]
    place, data = behind[0]
    if place == zipcrypto.HEADER:
        behind[0] = (place - 1, check + data)
    else:
        behind.insert(0, (zipcrypto.HEADER - 1, check))
    end = max(place + len(data) for place, data in behind)
    return Guess(entry.name, archive.read_at(start, end), tuple(behind), chance, sure)
