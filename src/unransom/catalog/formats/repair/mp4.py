"""MP4 and MOV films whose table of contents is left: the boxes around it are written anew."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from unransom.catalog.formats._findings import Findings
from unransom.catalog.formats._iso_boxes import Box, box_at, children
from unransom.catalog.formats._iso_film import Film
from unransom.catalog.formats._reading import Cached, find
from unransom.catalog.formats.mp4 import FORMAT, validate
from unransom.catalog.formats.repair.repair import Count, Damaged, Piece, Repair, Repaired, copied
from unransom.core.messages import say
from unransom.core.spans import Origin, Span, merge
from unransom.core.streams import Reader

MOST = 1 << 26  # bytes of a table of contents that is read
FILE_TYPE = b"\0\0\0\x18ftypisom\0\0\2\0isommp42"
BOX = 8  # bytes of a box's head
STRAY = 16  # places at which a table of contents is looked for


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
    """Return whether a film's table of contents is anywhere in the file."""
    return _contents(Cached(reader)) is not None


def repair(damaged: Damaged) -> Repaired | None:
    """Rebuild a film; None where its table of contents is lost."""
    reader = Cached(damaged.reader)
    own = _contents(reader)
    if own is None:
        return None
    patched = _Patched(damaged.reader, _frame(reader, own))
    film = Film(Cached(patched))
    film.walk()
    faults = [Span(each.start, each.end) for each in validate(patched).damage]
    lost = merge([*damaged.lost, *faults])
    total = sum(len(samples.offsets) for samples, _ in film.samples)
    broken = sum(
        _touched(start, size, lost, reader.size)
        for samples, _ in film.samples
        for start, size in zip(samples.offsets.tolist(), samples.sizes.tolist(), strict=True)
    )
    if not total or broken == total:
        return None
    return Repaired(
        patched.pieces(damaged),
        say("the boxes around the samples were written anew, the film's own table was kept"),
        (Count("samples", total - broken, total),),
        (say("{lost} of {total} samples of the film are lost", lost=broken, total=total),) if broken else (),
        tuple(f"bytes {span.start}-{min(span.end, reader.size)}" for span in lost),
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
            patches[0] = FILE_TYPE + struct.pack(">I4s", rest, b"free")
        if own.end + BOX < reader.size and reader.read_at(own.end + 4, 4) not in {b"mdat", b"free", b"udta"}:
            patches[own.end] = _media(reader.size - own.end)
        return patches
    media = _media(own.begin - len(FILE_TYPE))
    return {0: FILE_TYPE + media}


def _media(size: int) -> bytes:
    """Return the head of a box of media data."""
    if size < 1 << 32:
        return struct.pack(">I4s", size, b"mdat")
    return struct.pack(">I4sQ", 1, b"mdat", size)


def _touched(start: int, size: int, lost: list[Span], end: int) -> bool:
    return start + size > end or any(span.start < start + size and start < span.end for span in lost)


REPAIR = Repair((FORMAT.name,), ("mp4", "mov", "m4v", "m4a", "3gp", "qt", "f4v"), repair, finds)
