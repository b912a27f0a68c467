"""The cross-reference sections of a PDF, with the numbers of the objects that they list."""

from __future__ import annotations

import re

import numpy as np

from unransom.catalog.formats import _pdf_xref as xrefs
from unransom.catalog.formats._pdf_walk import Kind, Part, parts
from unransom.core.streams import Reader, Window

END = re.compile(rb"startxref[\s\0]*(\d{1,10})[\s\0]*%%EOF(?:\r\n|\r|\n)?")
LINEARIZED = re.compile(rb"/Linearized\b.{0,200}?/L\s+(\d{1,10})", re.DOTALL)
SECTIONS = 32  # of one document
OBJECTS = 1 << 16  # of one document
TRAILER = 4096  # bytes of a trailer that are looked at

_PREVIOUS = re.compile(rb"/(?:Prev|XRefStm)\s+(\d{1,10})")
_SUBSECTION = re.compile(rb"\s*(\d{1,10})[ ](\d{1,10})\s*")
_WIDTHS = re.compile(rb"/W\s*\[\s*(\d)\s+(\d)\s+(\d)\s*\]")
_INDEX = re.compile(rb"/Index\s*\[([\d\s]{1,400})\]")
_LINE = 20  # bytes of an entry of a table

Objects = dict[int, int]  # number of an object to its offset


def listed(reader: Reader, starts: list[int]) -> Objects:
    """Return where objects stand by the sections at ``starts`` and those before them, the newest first."""
    objects: Objects = {}
    queue, seen = list(starts), set[int]()
    while queue and len(seen) < SECTIONS and len(objects) < OBJECTS:
        offset = queue.pop()
        if offset in seen or offset >= reader.size:
            continue
        seen.add(offset)
        found = section(reader, offset)
        if found is not None:
            for number, place in found[0].items():
                objects.setdefault(number, place)
            queue += [int(previous) for previous in _PREVIOUS.findall(found[1])]
    return objects


def section(reader: Reader, offset: int) -> tuple[Objects, bytes] | None:
    """Return the objects that the section at ``offset`` lists, and the text of its trailer; None for none."""
    head = reader.read_at(offset, 16)
    if head.lstrip()[:4] == b"xref":
        return _table(reader, offset + head.find(b"xref") + 4)
    part = next(parts(Window(reader, offset, reader.size)), None)
    if part is None or part.kind is not Kind.STREAM or not xrefs.is_stream(part):
        return None
    objects = _stream(part, reader.read_at(offset + part.data, part.data_end - part.data))
    return (objects, part.text) if objects is not None else None


def _table(reader: Reader, position: int) -> tuple[Objects, bytes] | None:
    """Return the objects of the table behind the word at ``position``, and its trailer."""
    objects: Objects = {}
    for _ in range(OBJECTS):
        heading = _SUBSECTION.match(reader.read_at(position, 64))
        if heading is None:
            break
        first, count = int(heading[1]), min(int(heading[2]), OBJECTS)
        position += heading.end()
        rows = reader.read_at(position, count * _LINE)
        for index in range(len(rows) // _LINE):
            row = rows[index * _LINE : (index + 1) * _LINE]
            if row[17:18] == b"n" and row[:10].isdigit():
                objects[first + index] = int(row[:10])
        position += count * _LINE
    trailer = reader.read_at(position, TRAILER)
    return (objects, trailer) if trailer.lstrip()[:7] == b"trailer" else None


def _stream(part: Part, data: bytes) -> Objects | None:
    """Return the objects that a cross-reference stream of ``data`` lists."""
    kind, place, generation = (int(width) for width in _WIDTHS.findall(part.text)[0])
    rows = xrefs._rows(part.text, data, kind + place + generation)
    if rows is None or not 0 < place <= 7 or kind > 1:
        return None
    offsets = np.zeros(len(rows), np.int64)
    for column in range(kind, kind + place):
        offsets = offsets << 8 | rows[:, column]
    index = _INDEX.search(part.text)
    bounds = [int(number) for number in index[1].split()] if index else [0, len(rows)]
    numbers = [
        first + step
        for first, count in zip(bounds[::2], bounds[1::2], strict=False)
        for step in range(min(count, len(rows)))
    ]
    used = rows[:, 0] == 1 if kind else np.ones(len(rows), np.bool_)
    every = zip(numbers, offsets.tolist(), used.tolist(), strict=False)
    return {number: offset for number, offset, in_use in every if in_use}
