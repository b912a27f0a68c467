"""The members of a damaged ZIP archive: by the directory, by each header that is left, and by content."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from itertools import islice

import msgspec

from unransom.catalog.formats import _zip_records as records
from unransom.catalog.formats._deflate import Budget, End
from unransom.catalog.formats._reading import Cached, find
from unransom.catalog.formats._zip_members import expand_member
from unransom.catalog.formats._zip_records import DEFLATE, ENCRYPTED, STORED, STREAMED, Entry
from unransom.catalog.formats.repair._holes import MARKUP, MOST, Inflated, inflate_rest
from unransom.catalog.formats.repair._stored import stored_rest
from unransom.catalog.formats.repair.repair import Damaged
from unransom.core.spans import Span
from unransom.core.streams import Reader, chunks

COUNT = 1 << 20  # members at most
PLAUSIBLE = 4096  # bytes of a name at most
MARKED = (b".xml", b".rels", b".vml", b".html", b".htm", b".xhtml", b".svg")
ZEROS = re.compile(rb"\0{64,}")  # packed text has none so long
RUNS = 1024  # of them that are looked at


class Member(msgspec.Struct):
    """A member, and what is left of it.

    Attributes:
        entry: As its header or the directory says.
        start: First byte of its data in the file.
        end: Where its data ends, or where something else begins.
        whole: Its CRC-32 is right.
        headed: Its own header is left.
        listed: The directory lists it.
        inflated: What is left of its content, once it was asked for.
    """

    entry: Entry
    start: int
    end: int
    whole: bool = False
    headed: bool = False
    listed: bool = False
    inflated: Inflated | None = None

    @property
    def name(self) -> bytes:
        """Its name with forward slashes."""
        return self.entry.name.replace(b"\\", b"/")


def _signatures(reader: Reader, magic: bytes) -> Iterator[int]:
    position = 0
    while (position := find(reader, magic, position)) >= 0:
        yield position
        position += len(magic)


def _listed(reader: Cached) -> dict[int, Entry]:
    """Return the entries of the central directory by where their members are, whole or in parts."""
    found: dict[int, Entry] = {}
    directory = records.find_directory(reader)
    shift = directory.shift if directory else 0
    for position in _signatures(reader, records.CENTRAL):
        for entry in records.central_entries(reader, position, min(reader.size, position + (1 << 18))):
            entry.offset += shift
            if _plausible(entry) and entry.offset < reader.size and len(found) < COUNT:
                found.setdefault(entry.offset, entry)
            break
    return found


def _plausible(entry: Entry) -> bool:
    """Return whether a record is one: its name is text, and no absolute or upward path."""
    name = entry.name
    return 0 < len(name) <= PLAUSIBLE and min(name) >= 32 and entry.packed >> 48 == 0


def members(damaged: Damaged) -> list[Member]:
    """Return the members in the order of the file; each was checked."""
    reader = Cached(damaged.reader)
    listed = _listed(reader)
    local: dict[int, Entry] = {}
    for position in _signatures(reader, records.LOCAL):
        entry = records.local_at(reader, position)
        if entry and _plausible(entry) and len(local) < COUNT:
            local[position] = entry
    tail = min(_signatures(reader, records.CENTRAL), default=reader.size)
    starts = sorted({*listed, *local})
    budget = Budget(reader.size)
    found: list[Member] = []
    done = 0
    for index, start in enumerate(starts):
        if start < done:
            continue  # a header within a sound member: an archive in the archive
        following = next((each for each in starts[index + 1 :] if each in listed or not listed), tail)
        member = _member(reader, start, max(following, start), listed.get(start), local.get(start))
        _check(reader, member, budget)
        done = member.end if member.whole else start
        found.append(member)
    return found


def _member(reader: Reader, start: int, following: int, listed: Entry | None, local: Entry | None) -> Member:
    """Return the member that starts at ``start`` with the best of what the two records say."""
    entry = listed or local
    assert entry is not None  # noqa: S101  the start is that of one of them
    if local and listed and local.name != listed.name:
        local = None
    if local:
        data = start + local.header
    elif (
        not entry.flags & STREAMED
        and start + records.LOCAL_SIZE + len(entry.name) + entry.packed <= following
    ):
        data = following - entry.packed
    else:
        data = start + records.LOCAL_SIZE + len(entry.name)
    known = entry.packed or not entry.flags & STREAMED
    end = data + entry.packed if known else following
    end = min(end, reader.size)
    return Member(entry, data, end, headed=local is not None, listed=listed is not None)


def _check(reader: Reader, member: Member, budget: Budget) -> None:
    """Find whether the member is whole, and where its data really ends."""
    entry = member.entry
    if entry.flags & ENCRYPTED:
        member.whole = member.headed and member.listed
    elif entry.method == STORED:
        if entry.flags & STREAMED and not entry.packed:
            _measure(reader, member)
        crc = 0
        for piece in chunks(reader, member.start, member.end):
            crc = zlib.crc32(piece, crc)
        member.whole = crc == entry.crc and member.end - member.start == entry.size
    elif (expansion := expand_member(reader, member.start, member.end, entry, budget)) is not None:
        member.whole = expansion.end is End.WHOLE and _agrees(
            reader, entry, expansion.position, expansion.crc
        )
        if member.whole:
            entry.packed, entry.size = expansion.position - member.start, expansion.length
            entry.crc, member.end = expansion.crc, expansion.position


def _measure(reader: Reader, member: Member) -> None:
    """Take the size of a stored member from the descriptor that stands in front of what follows it."""
    for width in (4, 8):
        end = member.end - 8 - 2 * width
        data = reader.read_at(end, 8 + 2 * width)
        size = int.from_bytes(data[8 : 8 + width], "little")
        if data.startswith(records.DESCRIPTOR) and size == end - member.start:
            entry = member.entry
            entry.crc, entry.packed, entry.size = int.from_bytes(data[4:8], "little"), size, size
            member.end = end


def _agrees(reader: Reader, entry: Entry, position: int, crc: int) -> bool:
    """Return whether the CRC-32 is that of the header, or of the descriptor at ``position``."""
    if entry.crc == crc and (entry.crc or entry.size):
        return True
    data = reader.read_at(position, 8)
    wanted = crc.to_bytes(4, "little")
    return bool(entry.flags & STREAMED) and (data.startswith(wanted) or data[4:8] == wanted)


def plain(damaged: Damaged, member: Member) -> bytes:
    """Return what is left of the content up to the first hole, ``MOST`` bytes of it at most."""
    return inflated(damaged, member).head


def inflated(damaged: Damaged, member: Member) -> Inflated:
    """Return what is left of the content of ``member``; it is kept."""
    if member.inflated is None:
        member.inflated = _inflated(damaged, member)
    return member.inflated


def _inflated(damaged: Damaged, member: Member) -> Inflated:
    reader, entry = damaged.reader, member.entry
    markup = member.name.lower().endswith(MARKED)
    if entry.method == DEFLATE and not member.whole and not entry.flags & ENCRYPTED:
        end = max(member.end, member.start)
        data = reader.read_at(member.start, min(end - member.start, MOST // 4))
        if not markup:
            return inflate_rest(data, member.start, reader.size, damaged.lost, None)
        wiped = (
            Span(member.start + found.start(), member.start + found.end())
            for found in islice(ZEROS.finditer(data), RUNS)
        )
        return inflate_rest(data, member.start, reader.size, (*damaged.lost, *wiped), MARKUP)
    if entry.method == STORED and markup and not member.whole and not entry.flags & ENCRYPTED:
        data = reader.read_at(member.start, min(max(member.end - member.start, 0), MOST))
        return stored_rest(data, member.start, entry.size, damaged.lost, MARKUP)
    pieces: list[bytes] = []
    if entry.method == STORED or entry.flags & ENCRYPTED:
        stop = damaged.lost_from(member.start, member.end)
        pieces.append(reader.read_at(member.start, min(stop - member.start, MOST)))
    elif entry.size <= MOST:
        expand_member_into(reader, member, pieces)
    return Inflated(b"".join(pieces), member.whole, member.end)


def expand_member_into(reader: Reader, member: Member, pieces: list[bytes]) -> None:
    """Add the content of a member to ``pieces``."""
    data = reader.read_at(member.start, member.end - member.start)
    if member.entry.method == DEFLATE:
        decoder = zlib.decompressobj(-15)
        pieces.append(decoder.decompress(data, MOST))
