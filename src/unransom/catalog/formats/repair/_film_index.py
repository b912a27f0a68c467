"""A film's table of contents, built from where its pictures lie and from a sibling's description of them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from unransom.catalog.formats._findings import Findings
from unransom.catalog.formats._iso_boxes import TOP, Box, Table, box_at, children
from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats.repair._film_fragments import head
from unransom.core.streams import BytesReader, Reader

if TYPE_CHECKING:
    from unransom.catalog.formats.repair._film_units import Pictures

MOST = 1 << 26  # bytes of a table of contents that is read
BOXES = 1 << 12  # on the top of a sibling that are walked over
ENTRY = 78  # bytes of a visual sample entry before its boxes
CONFIGURATIONS = frozenset((b"avcC", b"hvcC"))
KEPT = (b"hdlr", b"vmhd", b"dinf")
LEAST = 44  # bytes of a box of times


class Pattern(msgspec.Struct, frozen=True):
    """What a sound film says of its pictures.

    Attributes:
        entry: Name of the sample entry: ``avc1``, ``hvc1`` …
        configuration: How its units are coded.
        film, track, media: Its ``mvhd``, ``tkhd`` and ``mdhd`` boxes.
        kept: Its ``hdlr``, ``vmhd`` and ``dinf`` boxes, by name.
        samples: Its ``stsd`` box.
        scale: Units of its media time in a second.
        step: How many of these a picture is shown.
    """

    entry: bytes
    configuration: bytes
    film: bytes
    track: bytes
    media: bytes
    kept: dict[bytes, bytes]
    samples: bytes
    scale: int
    step: int


def contents_of(reader: Reader) -> bytes:
    """Return the ``moov`` box of a sound film, empty where it has none."""
    position = 0
    for _ in range(BOXES):
        box = box_at(reader, position, reader.size)
        if box is None or box.name not in TOP:
            break
        if box.name == b"moov" and box.end <= reader.size and box.end - box.begin <= MOST:
            return reader.read_at(box.begin, box.end - box.begin)
        position = box.end
    return b""


def pattern(reader: Reader) -> Pattern | None:
    """Return what a sound film says of its pictures, None where it has none that are known here."""
    data = contents_of(Cached(reader))
    moov = box_at(BytesReader(data), 0, len(data))
    if moov is None:
        return None
    film = b""
    for box in _inside(data, moov):
        if box.name == b"mvhd":
            film = data[box.begin : box.end]
        elif box.name == b"trak" and film and (found := _track(data, box, film)):
            return found
    return None


def _inside(data: bytes, box: Box) -> Iterator[Box]:
    return children(BytesReader(data), box, Findings(len(data)))


def _track(data: bytes, trak: Box, film: bytes) -> Pattern | None:
    """Return what a track says, None where it is none of pictures."""
    boxes: dict[bytes, Box] = {}
    outer = [trak]
    for _ in range(4):
        inner = [box for each in outer for box in _inside(data, each)]
        boxes |= {box.name: box for box in reversed(inner)}
        outer = [box for box in inner if box.name in {b"mdia", b"minf", b"stbl"}]
    if not {b"tkhd", b"mdhd", b"hdlr", b"vmhd", b"dinf", b"stsd", b"stts"} <= boxes.keys():
        return None
    reader = BytesReader(data)
    entry = box_at(reader, boxes[b"stsd"].start + 8, boxes[b"stsd"].end)
    if entry is None or entry.end > boxes[b"stsd"].end:
        return None
    inner_entry = Box(entry.name, entry.begin, entry.start + ENTRY, entry.end)
    found = {box.name: box for box in _inside(data, inner_entry)}
    own = next((found[name] for name in CONFIGURATIONS if name in found), None)
    times = Table(reader, boxes[b"stts"])
    rows = times.rows(4, times.number(0), "II")
    media = data[boxes[b"mdhd"].begin : boxes[b"mdhd"].end]
    scale = _scale(media)
    track = data[boxes[b"tkhd"].begin : boxes[b"tkhd"].end]
    if own is None or not rows or not scale or min(len(track), len(media) + 12, len(film)) < LEAST:
        return None
    return Pattern(
        entry=entry.name,
        configuration=data[own.start : own.end],
        film=film,
        track=track,
        media=media,
        kept={name: data[boxes[name].begin : boxes[name].end] for name in KEPT},
        samples=data[boxes[b"stsd"].begin : boxes[b"stsd"].end],
        scale=scale,
        step=max(rows)[1] or 1,
    )


def _scale(box: bytes) -> int:
    """Return the time scale of an ``mvhd`` or ``mdhd`` box, 0 where it has none."""
    at = 28 if box[8:9] == b"\1" else 20
    return int.from_bytes(box[at : at + 4]) if len(box) >= at + 8 else 0


def contents(known: Pattern, found: Pictures, shift: int) -> bytes:
    """Return a ``moov`` box for one track of pictures, ``shift`` bytes behind where they were found."""
    count = len(found.sizes)
    scale = _scale(known.film) or known.scale
    seconds = count * known.step / known.scale
    shown, lead = _shown(found, known.step)
    tables = [
        known.samples,
        _table(b"stts", 1, count, known.step),
        _table(b"stss", int(found.keys.sum()), *(np.flatnonzero(found.keys) + 1).tolist()),
        _table(b"stsc", 1, 1, 1, 1),
        _box(b"stsz", bytes(8) + struct.pack(">I", count) + found.sizes.astype(">u4").tobytes()),
        _box(b"co64", struct.pack(">II", 0, count) + (found.offsets + shift).astype(">u8").tobytes()),
    ]
    edit = b""
    if shown:
        tables.insert(2, shown)
        length = min(int(seconds * scale), (1 << 32) - 1)
        edit = _box(b"edts", _table(b"elst", 1, length, lead, 1 << 16))
    media = _timed(known.media, 24, count * known.step)
    inner = _box(b"minf", known.kept[b"vmhd"] + known.kept[b"dinf"] + _box(b"stbl", b"".join(tables)))
    track = _timed(known.track, 28, int(seconds * scale))
    film = _timed(known.film, 24, int(seconds * scale))
    trak = _box(b"trak", track + edit + _box(b"mdia", media + known.kept[b"hdlr"] + inner))
    return _box(b"moov", film + trak)


def _shown(found: Pictures, step: int) -> tuple[bytes, int]:
    """Return the ``ctts`` box, empty where pictures are shown in the order of the file; and their delay."""
    count = len(found.orders)
    starts = np.flatnonzero(found.keys | found.broken)
    part = np.searchsorted(starts, np.arange(count), "right")
    if not (np.diff(found.orders)[np.diff(part) == 0] < 0).any():
        return b"", 0
    # A key picture that is none of those that begin anew (an open group) goes on counting.
    rank = np.empty(count, np.int64)
    rank[np.lexsort((found.orders, part))] = np.arange(count)
    offsets = rank - np.arange(count)
    lead = int(-offsets.min())
    offsets = (offsets + lead) * step
    edges = np.append(0, np.flatnonzero(np.diff(offsets)) + 1)
    runs = np.stack((np.diff(np.append(edges, count)), offsets[edges]), axis=1)
    return _box(b"ctts", struct.pack(">II", 0, len(runs)) + runs.astype(">u4").tobytes()), lead * step


def _box(name: bytes, data: bytes) -> bytes:
    return head(name, 8 + len(data)) + data


def _table(name: bytes, *numbers: int) -> bytes:
    return _box(name, struct.pack(f">{1 + len(numbers)}I", 0, *numbers))


def _timed(box: bytes, at: int, duration: int) -> bytes:
    """Return an ``mvhd``, ``tkhd`` or ``mdhd`` box with a duration of its own, without times of making.

    Args:
        box: The box.
        at: Where the duration stands in one of version 0; in one of version 1 it is 8 bytes behind.
        duration: In the box's own time scale.
    """
    out = bytearray(box)
    times, at, size = (16, at + 8, 8) if out[8] == 1 else (8, at, 4)
    out[12 : 12 + times] = bytes(times)
    out[at : at + size] = min(duration, (1 << 8 * size) - 1).to_bytes(size)
    return bytes(out)
