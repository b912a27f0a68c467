"""Fragments of a film (``moof`` and ``mdat``) that stand between lost ones, each with tables of its own."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from unransom.catalog.formats._findings import Findings
from unransom.catalog.formats._iso_boxes import TOP, Box, Table, box_at, children
from unransom.catalog.formats._iso_film import Film
from unransom.catalog.formats._reading import Cached, find
from unransom.core.messages import say
from unransom.core.streams import Window

LARGEST = 1 << 22  # bytes of a fragment's tables
MOST = 1 << 16  # fragments
BETWEEN = 256  # boxes between two fragments
HEAD = 8  # bytes of a box's head


class Fragment(NamedTuple):
    """A fragment: where its tables begin, where its media data begins and ends, and its tracks."""

    begin: int
    media: int
    end: int
    tracks: frozenset[int]


def fragments(reader: Cached) -> list[Fragment]:
    """Return the fragments whose tables hold, in the order of the file."""
    found: list[Fragment] = []
    position = 0
    while len(found) < MOST and (position := find(reader, b"moof", position)) >= 0:
        fragment = _fragment(reader, position - 4) if position >= 4 else None
        if fragment:
            found.append(fragment)
        position = fragment.end if fragment else position + 1
    return found


def _fragment(reader: Cached, begin: int) -> Fragment | None:
    """Return the fragment at ``begin``, None where its tables do not hold."""
    box = box_at(reader, begin, reader.size)
    if box is None or box.end - begin > LARGEST or box.end + HEAD >= reader.size:
        return None
    findings = Findings(reader.size)
    inner = list(children(reader, box, findings))
    names = [child.name for child in inner]
    if not findings.clean or names[:1] != [b"mfhd"] or b"traf" not in names:
        return None
    tracks = frozenset(_tracks(reader, inner, findings))
    if not findings.clean or not tracks:
        return None
    film = Film(Window(reader, begin, box.end - begin))
    film.walk()
    if not film.findings.clean or not film.samples:
        return None
    media = box_at(reader, box.end, reader.size)
    if media and media.name == b"mdat":
        return Fragment(begin, box.end, min(media.end, reader.size), tracks)
    # Offsets of a window are relative to the fragment unless they are those of the file.
    sizes = sum(int(samples.sizes.sum()) for samples, _ in film.samples)
    return Fragment(begin, box.end, min(box.end + HEAD + sizes, reader.size), tracks)


def _tracks(reader: Cached, boxes: list[Box], findings: Findings) -> Iterator[int]:
    for box in boxes:
        if box.name == b"traf":
            inner = list(children(reader, box, findings))
            if not inner or inner[0].name != b"tfhd":
                findings.fault(box.begin, box.end, say("a box is not where it should be"))
                return
            yield Table(reader, inner[0]).number(0)


def framed(reader: Cached, found: list[Fragment], start: int) -> dict[int, bytes]:
    """Return heads of boxes, by offset, that lead from ``start`` to every fragment and skip all else."""
    patches: dict[int, bytes] = {}
    at = start
    for fragment in found:
        patches |= _skipped(reader, at, fragment.begin)
        if reader.read_at(fragment.media + 4, 4) != b"mdat":
            patches[fragment.media] = head(b"mdat", fragment.end - fragment.media)
        at = fragment.end
    return patches | _skipped(reader, at, reader.size)


def _skipped(reader: Cached, start: int, end: int) -> dict[int, bytes]:
    """Return what makes one free box of bytes that no boxes fill."""
    at = start
    for _ in range(BETWEEN):
        if at >= end:
            break
        box = box_at(reader, at, end)
        if box is None or box.name not in TOP - {b"moof", b"mdat"} or box.end > end:
            break
        at = box.end
    return {} if at == end or end - at < HEAD else {at: head(b"free", end - at)}


def head(name: bytes, size: int) -> bytes:
    """Return the head of a box of ``size`` bytes."""
    if size < 1 << 32:
        return struct.pack(">I4s", size, name)
    return struct.pack(">I4sQ", 1, name, size)
