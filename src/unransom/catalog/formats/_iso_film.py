"""The walk over the boxes of an ISO base media file, and the samples that they lead to."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats import _iso_samples as tables
from unransom.catalog.formats._deflate import Budget
from unransom.catalog.formats._findings import Findings
from unransom.catalog.formats._iso_boxes import CONTAINERS, DEPTH, TOP, Box, Table, box_at, children
from unransom.catalog.formats._iso_items import items_in
from unransom.catalog.formats._iso_samples import Samples
from unransom.catalog.formats._video_units import Units
from unransom.core.messages import say
from unransom.core.streams import Reader

CONFIGURATIONS = frozenset((b"avcC", b"hvcC", b"av1C"))
ENTRY = 78  # bytes of a visual sample entry before its boxes
FAULTS_CAP = 1 << 12  # broken samples that are told one by one
PROOFS_CAP = 256  # sound samples that count as proof


class _Track(msgspec.Struct):
    """What the boxes of one track have said so far."""

    units: Units | None = None
    sizes: tables.Sizes | None = None
    chunks: Table | None = None
    wide: bool = False
    runs: Table | None = None


class Film:
    """The boxes of a file, and its samples.

    Attributes:
        names: Of the boxes on the top.
        end: Offset behind the last of them.
        samples: Of each track or fragment, with the units that they consist of where those are known.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._track = _Track()
        self._tracks: list[_Track] = []
        self._header: Table | None = None  # tfhd of the present fragment
        self._moof = self._following = 0
        self._data: list[Box] = []
        self._budget = Budget(reader.size)
        self.findings = Findings(reader.size)
        self.names: list[bytes] = []
        self.samples: list[tuple[Samples, Units | None]] = []
        self.end = 0

    @property
    def described(self) -> bool:
        """There are boxes that say what the bytes are."""
        return any(name in self.names for name in (b"moov", b"meta", b"moof"))

    def walk(self) -> None:
        """Walk the boxes on the top, and those that others contain."""
        while self.end + 8 <= self._reader.size:
            box = box_at(self._reader, self.end, self._reader.size)
            if box is None or box.name not in TOP or (box.name == b"ftyp" and b"ftyp" in self.names):
                return
            if box.end > self._reader.size:
                why = say("the box at byte {offset} goes on behind the end of the file", offset=box.begin)
                self.findings.fault(self._reader.size, self._reader.size, why)
            self.findings.hold(16)
            self.names.append(box.name)
            if box.name == b"mdat":
                self._data.append(box)
            self._enter(box, 0)
            self.end = min(box.end, self._reader.size)

    def _enter(self, box: Box, depth: int) -> None:
        """Take in a box and those in it."""
        if box.name == b"moof":
            self._moof, self._following = box.begin, box.end + 8
        elif box.name == b"trak":
            self._track = _Track()
        if box.name in CONTAINERS and depth < DEPTH:
            for child in children(self._reader, box, self.findings):
                self._enter(child, depth + 1)
        elif box.name == b"meta" and depth == 0:
            self.samples.extend(items_in(self._reader, box, self.findings))
        elif box.name in {b"tfhd", b"trun"}:
            self._fragment(box)
        else:
            self._table(box)
        if box.name == b"trak":
            self._finish_track(box)

    def _table(self, box: Box) -> None:
        """Take in a table of the present track."""
        track = self._track
        if box.name == b"stsd":
            track.units = self._units(box)
        elif box.name in {b"stsz", b"stz2"}:
            track.sizes = tables.sizes_of(Table(self._reader, box), box.name == b"stz2")
        elif box.name in {b"stco", b"co64"}:
            track.chunks, track.wide = Table(self._reader, box), box.name == b"co64"
        elif box.name == b"stsc":
            track.runs = Table(self._reader, box)

    def _units(self, box: Box) -> Units | None:
        """Return the units of the first kind of sample that an stsd box describes."""
        entry = box_at(self._reader, box.start + 8, box.end)
        if entry is None or entry.end > box.end:
            return None
        inner = Box(entry.name, entry.begin, entry.start + ENTRY, entry.end)
        for child in children(self._reader, inner, Findings(self._reader.size)):
            if child.name in CONFIGURATIONS:
                return Units(entry.name, self._reader.read_at(child.start, min(child.end - child.start, 64)))
        return None

    def _finish_track(self, box: Box) -> None:
        """Locate the samples of the track whose boxes have all come."""
        track = self._track
        self._tracks.append(track)
        samples = None
        if track.sizes and track.chunks and track.runs:
            samples = tables.located(track.sizes, track.chunks, track.runs, track.wide)
        if samples is None:
            why = say(
                "the sample tables of the track at byte {offset} contradict each other", offset=box.begin
            )
            self.findings.fault(box.begin, box.end, why)
        else:
            self.findings.hold(32)
            self.samples.append((samples, track.units))

    def _fragment(self, box: Box) -> None:
        """Take in the head of a track's fragment, or locate the samples of a run."""
        table = Table(self._reader, box)
        if box.name == b"tfhd":
            self._header = table
            return
        samples = tables.fragment(self._header, table, self._moof, self._following) if self._header else None
        if samples is None or self._header is None:
            why = say("the box at byte {offset} does not hold", offset=box.begin)
            self.findings.fault(box.begin, box.end, why)
            return
        if len(samples.sizes):
            self._following = int(samples.offsets[-1] + samples.sizes[-1])
        number = self._header.number(0) - 1  # identifiers mostly count the tracks
        known = 0 <= number < len(self._tracks)
        self.samples.append((samples, self._tracks[number].units if known else None))

    def check_samples(self) -> None:
        """Check that every sample lies in the file's media data, and that its units add up."""
        starts = np.array([box.start for box in self._data], np.int64)
        ends = np.array([box.end for box in self._data], np.int64)
        for samples, units in self.samples:
            box = np.searchsorted(starts, samples.offsets, "right") - 1
            behind = samples.offsets + samples.sizes
            inside = (box >= 0) & (behind <= ends[box]) if len(ends) else np.zeros(len(behind), bool)
            if not inside.all() and not (samples.sizes[~inside] == 0).all():
                first = int(samples.offsets[np.flatnonzero(~inside)[0]])
                why = say(
                    "the sample that should be at byte {offset} does not lie in media data", offset=first
                )
                self.findings.fault(min(first, self._reader.size), self._reader.size, why)
            self.findings.hold(8 * min(int(inside.sum()), PROOFS_CAP))
            if units is not None and units.checks:
                self._check_units(samples, inside & (behind <= self._reader.size), units)

    def _check_units(self, samples: Samples, inside: NDArray[np.bool_], units: Units) -> None:
        """Check the units of the samples that lie in the file."""
        faults = sound = 0
        for index in np.flatnonzero(inside):
            start, size = int(samples.offsets[index]), int(samples.sizes[index])
            if not self._budget.spend(size, 0):
                break  # samples may overlap: without an end to that, a small file would take for ever
            broken = units.broken_at(self._reader, start, start + size)
            if broken is None:
                sound += 1
                continue
            faults += 1
            why = say("the coded picture at byte {offset} does not consist of whole units", offset=start)
            self.findings.fault(broken, start + size, why)
            if faults > FAULTS_CAP:
                break
        self.findings.hold(16 * min(sound, PROOFS_CAP))
