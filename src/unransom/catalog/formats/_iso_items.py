"""The items of HEIF and AVIF: pictures and metadata that a ``meta`` box lists with their places."""

from __future__ import annotations

import numpy as np

from unransom.catalog.formats._findings import Findings
from unransom.catalog.formats._iso_boxes import Box, Table, children
from unransom.catalog.formats._iso_samples import Samples
from unransom.catalog.formats._video_units import Units
from unransom.core.messages import say
from unransom.core.streams import Reader

EXTENTS_CAP = 1 << 16
CONFIGURED = {b"hvc1": bytes(21) + b"\3", b"av01": b"", b"avc1": bytes(4) + b"\3"}  # four bytes of length


def _kinds(reader: Reader, box: Box, findings: Findings) -> dict[int, bytes]:
    """Return the type of each item that an ``iinf`` box lists."""
    version = Table(reader, Box(box.name, box.begin, box.start, min(box.end, box.start + 8))).version
    inner = Box(box.name, box.begin, box.start + (8 if version else 6), box.end)
    kinds = {}
    for child in children(reader, inner, findings):
        table = Table(reader, child)
        size = 4 if table.version >= 3 else 2
        kinds[table.number(0, size)] = table.data[size + 2 : size + 6]
    return kinds


class _Locations:
    """Reads the rows of an ``iloc`` box, whose fields have sizes that it says itself."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._at = 2
        head = table.number(0, 2)
        self._offset, self._length, self._base = head >> 12, head >> 8 & 15, head >> 4 & 15
        self._index = head & 15 if table.version else 0

    def _next(self, size: int) -> int:
        self._at += size
        return self._table.number(self._at - size, size)

    def extents(self) -> list[tuple[int, int, int]] | None:
        """Return item, offset and length of each extent in the file; None where the box does not hold."""
        version = self._table.version
        wide = 4 if version == 2 else 2
        found: list[tuple[int, int, int]] = []
        for _ in range(self._next(wide)):
            item = self._next(wide)
            method = self._next(2) & 15 if version else 0
            self._at += 2
            base = self._next(self._base)
            for _ in range(self._next(2)):
                self._next(self._index)
                offset, length = self._next(self._offset), self._next(self._length)
                if method == 0:
                    found.append((item, base + offset, length))
                if self._at > len(self._table.data) or len(found) > EXTENTS_CAP:
                    return None
            if self._at > len(self._table.data):
                return None
        return found


def items_in(reader: Reader, meta: Box, findings: Findings) -> list[tuple[Samples, Units | None]]:
    """Return where the items lie that a ``meta`` box lists, with the units that they consist of."""
    kinds: dict[int, bytes] = {}
    extents: list[tuple[int, int, int]] | None = []
    for child in children(reader, meta, findings):
        if child.name == b"iinf":
            kinds = _kinds(reader, child, findings)
        elif child.name == b"iloc":
            extents = _Locations(Table(reader, child)).extents()
            if extents is None:
                why = say("the box at byte {offset} does not hold", offset=child.begin)
                findings.fault(child.begin, child.end, why)
    found: list[tuple[Samples, Units | None]] = []
    several = {item for item, count in _counts(extents or []).items() if count > 1}
    for item, offset, length in extents or []:
        kind = kinds.get(item, b"")
        units = Units(kind, CONFIGURED[kind]) if kind in CONFIGURED and item not in several else None
        found.append((Samples(np.array([offset]), np.array([length or reader.size - offset])), units))
    return found


def _counts(extents: list[tuple[int, int, int]]) -> dict[int, int]:
    """Return how many extents each item has."""
    counts: dict[int, int] = {}
    for item, _, _ in extents:
        counts[item] = counts.get(item, 0) + 1
    return counts
