"""MP4 and MOV films: the boxes around their table of contents are written anew, or the table itself.

A film in fragments needs only the table in front of them, which a sibling of the same camera or encoder has.
Else a sibling says how the pictures are coded, and these are found by the units that they consist of.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from unransom.catalog.formats._findings import Findings
from unransom.catalog.formats._iso_boxes import Box, box_at, children
from unransom.catalog.formats._iso_film import Film
from unransom.catalog.formats._reading import Cached, find
from unransom.catalog.formats.mp4 import FORMAT, validate
from unransom.catalog.formats.repair._film_fragments import Fragment, fragments, framed, head
from unransom.catalog.formats.repair._film_index import Pattern, contents, contents_of, pattern
from unransom.catalog.formats.repair._parameter_sets import coding
from unransom.catalog.formats.repair.repair import Count, Damaged, Piece, Repair, Repaired, copied
from unransom.core.messages import Message, say
from unransom.core.spans import Origin, Span, merge
from unransom.core.streams import Reader

if TYPE_CHECKING:
    from unransom.catalog.formats.repair._film_units import Pictures

MOST = 1 << 26  # bytes of a table of contents that is read
FILE_TYPE = b"\0\0\0\x18ftypisom\0\0\2\0isommp42"
BOX = 8  # bytes of a box's head
LEAST = 2  # pictures that are worth a film
STRAY = 16  # places at which a table of contents is looked for
BORROWED = say("how its pictures are coded is a sibling's: only to look at them shows whether that fits")


class _Patched:
    """A reader with other bytes in some places.

    Attributes:
        patches: The bytes by offset.
    """

    def __init__(self, reader: Reader, patches: dict[int, bytes]) -> None:
        self._reader = reader
        self.patches = patches
        self.size = reader.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer only where the reader ends."""
        data = self._reader.read_at(offset, length)
        for place, patch in self.patches.items():
            low, high = max(place, offset), min(place + len(patch), offset + len(data))
            if low < high:
                part = patch[low - place : high - place]
                data = data[: low - offset] + part + data[high - offset :]
        return data

    def pieces(self, damaged: Damaged) -> Iterator[Piece]:
        """Yield the file."""
        at = 0
        for place, patch in sorted(self.patches.items()):
            yield from copied(damaged.reader, at, place)
            yield patch, Origin.GUESSED
            at = place + len(patch)
        yield from copied(damaged.reader, at, self.size)


def finds(reader: Reader) -> bool:
    """Return whether a film's table of contents, or a fragment of one, is anywhere in the file."""
    cached = Cached(reader)
    return _contents(cached) is not None or bool(fragments(cached))


def repair(damaged: Damaged) -> Repaired | None:
    """Rebuild a film; None where its table of contents is lost and no sibling helps."""
    reader = Cached(damaged.reader)
    own = _contents(reader)
    parts = fragments(reader)
    if parts:
        return _from_fragments(damaged, reader, own, parts)
    if own is None:
        return _from_pictures(damaged)
    did = say("the boxes around the samples were written anew, the film's own table was kept")
    return _told(damaged, _Patched(damaged.reader, _frame(reader, own)), did, ())


def _told(damaged: Damaged, patched: _Patched, did: Message, more: tuple[Message, ...]) -> Repaired | None:
    """Return a film with its boxes written anew, and how many of its samples hold; None where none does."""
    film = Film(Cached(patched))
    film.walk()
    faults = [Span(each.start, each.end) for each in validate(patched).damage]
    lost = merge([*damaged.lost, *faults])
    total = sum(len(samples.offsets) for samples, _ in film.samples)
    broken = sum(
        _touched(start, size, lost, patched.size)
        for samples, _ in film.samples
        for start, size in zip(samples.offsets.tolist(), samples.sizes.tolist(), strict=True)
    )
    if not total or broken == total:
        return None
    gone = (
        (say("{lost} of {total} samples of the film are lost", lost=broken, total=total),) if broken else ()
    )
    return Repaired(
        patched.pieces(damaged),
        did,
        (Count("samples", total - broken, total),),
        gone + more,
        tuple(f"bytes {span.start}-{min(span.end, patched.size)}" for span in lost),
    )


def _from_fragments(
    damaged: Damaged, reader: Cached, own: Box | None, parts: list[Fragment]
) -> Repaired | None:
    """Rebuild a film in fragments: from its own table of contents, else with that of a sibling in front."""
    if own is not None and own.end <= parts[0].begin:
        patches = _frame(reader, own) | framed(reader, parts, own.end)
        did = say("the fragments that are left were put together behind the film's own table")
        return _told(damaged, _Patched(damaged.reader, patches), did, ())
    tracks = frozenset().union(*(part.tracks for part in parts))
    did = say("the table in front of the fragments was taken from a sibling")
    borrowed = say(
        "size, rotation and coding are a sibling's; fragments in front of byte {start} are lost",
        start=parts[0].begin,
    )
    tables = dict.fromkeys(contents_of(sibling) for sibling in damaged.siblings)
    for table in tables:
        first = FILE_TYPE + table
        if b"mvex" not in table or not tracks <= _tracks_of(table) or len(first) + BOX > parts[0].begin:
            continue
        first += head(b"free", parts[0].begin - len(first))
        patches = {0: first} | framed(reader, parts, parts[0].begin)
        if repaired := _told(damaged, _Patched(damaged.reader, patches), did, (borrowed,)):
            return msgspec.structs.replace(repaired, unproven=BORROWED)
    return None


def _tracks_of(table: bytes) -> frozenset[int]:
    """Return the numbers of the tracks that a table of contents declares for fragments."""
    places = (found.end() for found in re.finditer(b"trex", table))
    return frozenset(int.from_bytes(table[at + 4 : at + 8]) for at in places)


def _from_pictures(damaged: Damaged) -> Repaired | None:
    """Rebuild the table of a film from the pictures that are left in it, None where no sibling helps."""
    from unransom.catalog.formats.repair._film_units import pictures  # noqa: PLC0415  numba is slow to import

    patterns = (pattern(sibling) for sibling in damaged.siblings)
    known = {each.configuration: each for each in patterns if each}
    fitting: list[tuple[Pattern, Pictures]] = []
    for each in known.values():
        way = coding(each.entry, each.configuration)
        found = pictures(damaged.reader, way) if way else None
        if found and len(found.sizes) >= LEAST:
            fitting.append((each, found))
    if not fitting:
        return None
    best = max(fitting, key=lambda pair: pair[1].used)
    return _indexed(damaged, *best, sum(found.used == best[1].used for _, found in fitting) - 1)


def _indexed(damaged: Damaged, known: Pattern, found: Pictures, rivals: int) -> Repaired:
    """Return a film of the pictures that were found; ``rivals`` are siblings that find the same."""
    start, end = int(found.offsets[0]), int(found.offsets[-1] + found.sizes[-1])
    first = FILE_TYPE + struct.pack(">I4sQ", 1, b"mdat", 2 * BOX + end - start)
    table = contents(known, found, len(first) - start)
    holes = int(found.broken[1:].sum()) + found.gaps
    missing = [
        say("the pictures' size, rotation, coding and speed are a sibling's"),
        say("the film has no sound: no table says where it lies"),
    ]
    if rivals:
        missing.append(
            say(
                "{count} siblings that are coded in other ways fit as well: give the right one alone",
                count=rivals,
            )
        )
    if holes:
        missing.append(
            say(
                "at {holes} places pictures are lost; those behind may show faults up to a key picture",
                holes=holes,
            )
        )

    def pieces() -> Iterator[Piece]:
        yield first, Origin.GUESSED
        yield from copied(damaged.reader, start, end)
        yield table, Origin.GUESSED

    edges = [*found.offsets[1:][found.broken[1:]].tolist()]
    behind = (found.offsets + found.sizes)[:-1][found.broken[1:]].tolist()
    lost = [(0, start), *zip(behind, edges, strict=True), (end, damaged.reader.size)]
    return Repaired(
        pieces(),
        say("the table of contents was built anew from the coded pictures that are left"),
        (Count("pictures", len(found.sizes)), Count("bytes", found.used, damaged.reader.size)),
        tuple(missing),
        tuple(f"bytes {low}-{high}" for low, high in lost if low < high),
        unproven=BORROWED,
    )


def _contents(reader: Cached) -> Box | None:
    """Return the table of contents that holds, wherever it is."""
    position = -1
    for _ in range(STRAY):
        position = find(reader, b"moov", position + 1)
        if position < 0:
            return None
        box = box_at(reader, position - 4, reader.size) if position >= 4 else None
        if box and box.end <= reader.size and box.end - box.begin <= MOST and _holds(reader, box):
            return box
    return None


def _holds(reader: Cached, box: Box) -> bool:
    findings = Findings(reader.size)
    names = [child.name for child in children(reader, box, findings)]
    return findings.clean and b"mvhd" in names and b"trak" in names


def _frame(reader: Cached, own: Box) -> dict[int, bytes]:
    """Return boxes so that all samples stay where they are: type, media data, and the table between."""
    film = Film(reader)
    film.walk()
    if b"moov" in film.names and b"mdat" in film.names:
        return {}
    patches: dict[int, bytes] = {}
    if own.begin < reader.size // 2:  # the table first: all behind it is media data
        if reader.read_at(4, 4) != b"ftyp" and own.begin >= len(FILE_TYPE) + BOX:
            rest = own.begin - len(FILE_TYPE)
            patches[0] = FILE_TYPE + head(b"free", rest)
        if own.end + BOX < reader.size and reader.read_at(own.end + 4, 4) not in {b"mdat", b"free", b"udta"}:
            patches[own.end] = head(b"mdat", reader.size - own.end)
        return patches
    media = head(b"mdat", own.begin - len(FILE_TYPE))
    return {0: FILE_TYPE + media}


def _touched(start: int, size: int, lost: list[Span], end: int) -> bool:
    return start + size > end or any(span.start < start + size and start < span.end for span in lost)


REPAIR = Repair((FORMAT.name,), ("mp4", "mov", "m4v", "m4a", "3gp", "qt", "f4v"), repair, finds)
