"""ZIP archives and Office documents, by their central directory: any number and order of fragments.

The directory at the end says where in the file every member stands. Members are found by their local
headers, wherever they are; where two neighbours are not as far apart as the directory says, a piece ends
between them, and the CRC-32 of the member in which it does tells at which cluster.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property
from heapq import merge
from itertools import islice, pairwise

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats import _zip_records as records
from unransom.catalog.formats import ooxml
from unransom.catalog.formats import zip as archives
from unransom.catalog.formats._deflate import Budget, at_once
from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats._zip_records import Entry
from unransom.catalog.formats.format import HEAD
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.core.streams import Window
from unransom.recover.carve.board import Board, in_order
from unransom.recover.carve.classes import DENSE, OTHER, TEXT
from unransom.recover.carve.found import Found, proof_of
from unransom.recover.carve.reassembly.anchors import (
    CANDIDATES,
    Anchor,
    Placed,
    arrange,
    by_distance,
    nearest,
)
from unransom.recover.carve.reassembly.checks import RAW, Inflation
from unransom.recover.carve.reassembly.deflated import Deflated, may_be_packed
from unransom.recover.carve.reassembly.seams import Cost, spans_of
from unransom.recover.carve.reassembly.summed import Summed
from unransom.recover.carve.scan import Places
from unransom.recover.carve.signatures import CENTRAL, END_RECORD, LOCAL, SECTOR
from unransom.recover.carve.space import Spliced

END_FIELDS = struct.Struct("<4s4H2IH")
MOST_MEMBERS = 1 << 17
LONGEST_DIRECTORY = 64 << 20  # bytes
BORDERS = 64  # of a directory that lies in two pieces
TRIED = 1024  # clusters that are tried behind a cut whose other side no anchor tells
ALLOWANCE = 32 << 20  # bytes that may be read for one archive, besides 8 times its size

LOCAL_FIELDS = np.dtype([("crc", "<u4"), ("sizes", "<u8"), ("name", "<u2")])  # of a local header,
CRC_AT = 14  # bytes behind its beginning
WITHIN, NAME = np.uint64(0xFFFFFF), np.uint64(0xFF)  # bits of a header's key
ENDS = np.array([0, 1], np.uint64)  # added to a key: where its like begin among sorted ones, and end


class Directory:
    """A central directory that was found: its entries, and where it and the end record lie.

    Attributes:
        offset: Of the directory in the archive.
        end: Bytes of the archive.
        entries: By offset in the archive.
        pieces: How the directory and what follows it lie in the space.
    """

    def __init__(self, offset: int, end: int, entries: list[Entry], pieces: list[Placed]) -> None:
        self.offset = offset
        self.end = end
        self.entries = entries
        self.pieces = pieces


class Zips:
    """The archives of a board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._space = board.space
        self._free = board.free((DENSE, OTHER, TEXT))
        self._packed = may_be_packed(board)
        self._locals = board.marks[LOCAL]
        self._central = board.free_marks(CENTRAL)

    def find(self, ends: Sequence[int]) -> Iterator[Found]:
        """Yield the archives whose end records stand at ``ends``, each proven by all of its sums."""
        for position in ends:
            directory = self._directory(position)
            if directory is not None and (found := self._rebuilt(directory)) is not None:
                yield found

    @cached_property
    def _headers(self) -> tuple[NDArray[np.uint64], Places]:
        """Return the keys of the local headers, sorted, and where these stand."""
        rows = self._board.fields(self._locals + CRC_AT, LOCAL_FIELDS.itemsize)
        fields = rows.view(LOCAL_FIELDS).reshape(-1)
        within = (self._locals % self._board.cluster).astype(np.uint64)
        keys = _key(fields["crc"].astype(np.uint64), within, fields["name"].astype(np.uint64))
        order = np.argsort(keys, kind="stable")
        return keys[order], self._locals[order]

    def _alike(self, name: bytes, crc: int, within: int) -> Places:
        """Return where the local headers of a member may stand, by all but its name, sorted.

        A ``crc`` of 0 stands for one that follows later.
        """
        keys, places = self._headers
        first, last = np.searchsorted(keys, _key(*np.array([[crc], [within], [len(name)]], np.uint64)) + ENDS)
        return places[first:last]

    def _directory(self, position: int) -> Directory | None:
        """Return the directory that the end record at ``position`` speaks of, also where it is cut."""
        record = self._space.read_at(position, records.END_SIZE)
        if len(record) < records.END_SIZE:
            return None
        _, disk, first, here, count, size, offset, comment = END_FIELDS.unpack(record)
        if disk or first or here != count or not count or count * records.CENTRAL_SIZE > size:
            return None
        if size > LONGEST_DIRECTORY or offset + size > 1 << 40:
            return None
        shift = position - offset - size
        if shift % SECTOR:
            return None  # in another file: whoever has that has this
        end = offset + size + records.END_SIZE + comment
        stored = Cached(Window(self._space, position - size, size if size <= position else 0))
        whole = list(records.central_entries(stored, 0, stored.size))
        if len(whole) == count and shift + offset >= 0:
            return _sorted(Directory(offset, end, whole, [Placed(offset, shift)]))
        return self._cut_directory(offset, size, count, end, shift)

    def _cut_directory(self, offset: int, size: int, count: int, end: int, right: int) -> Directory | None:
        """Return a directory that lies in two pieces; its first entry is looked for by its mark."""
        cluster = self._board.cluster
        borders = range(-(-(offset + 1) // cluster) * cluster, offset + size + 1, cluster)
        fitting = self._central[(self._central - offset) % cluster == 0]
        for place in nearest(fitting, offset + right):
            left = place - offset
            if left == right:
                continue
            for border in borders[:BORDERS]:
                spans = [Span(place, border + left), Span(border + right, offset + size + right)]
                pieces = Spliced(self._space, spans)
                entries = list(records.central_entries(pieces, 0, size))
                if len(entries) == count:
                    return _sorted(
                        Directory(offset, end, entries, [Placed(offset, left), Placed(border, right)])
                    )
        return None

    def _rebuilt(self, directory: Directory) -> Found | None:
        """Return the archive of a directory where everything in it is found."""
        entries = directory.entries
        if len(entries) > MOST_MEMBERS or entries[0].offset != 0:
            return None
        if (found := self._whole(directory)) is not None:
            return found
        anchors = [Anchor(entry.offset, self._places(entry, directory)) for entry in entries]
        anchors.append(Anchor(directory.offset, (directory.pieces[0].offset + directory.pieces[0].shift,)))
        placed = arrange([anchor for anchor in anchors if anchor.places])
        if not placed or placed[0].offset != 0 or placed[-1].offset != directory.offset:
            return None
        pieces = self._cuts(entries, placed, Cost(ALLOWANCE + 8 * directory.end))
        if pieces is None:
            return None
        return self._judged(spans_of([*pieces, *directory.pieces[1:]], directory.end))

    def _whole(self, directory: Directory) -> Found | None:
        """Return the archive where all of it lies in front of its directory: most do."""
        shift, entries = directory.pieces[0].shift, directory.entries
        if len(directory.pieces) > 1 or entries[-1].offset >= directory.offset:
            return None
        starts = np.array([entry.offset for entry in entries], np.int64) + shift
        first, last = np.searchsorted(self._locals, [starts[0], starts[-1] + 1])
        near = self._locals[first:last]
        if not len(near) or (near[np.searchsorted(near, starts).clip(max=len(near) - 1)] != starts).any():
            return None
        return self._judged([Span(shift, shift + directory.end)])

    def _judged(self, spans: list[Span]) -> Found | None:
        reader = Spliced(self._space, spans)
        form = ooxml.FORMAT if ooxml.recognise(reader.read_at(0, HEAD)) else archives.FORMAT
        verdict = form.validate(reader)
        if verdict.grade is not Grade.GOOD and form is ooxml.FORMAT:
            form = archives.FORMAT
            verdict = form.validate(reader)
        if verdict.grade is not Grade.GOOD:
            return None
        return Found(form.name, spans, proof_of(form.name, verdict.bits), verdict.bits, verdict.why)

    def _places(self, entry: Entry, directory: Directory) -> tuple[int, ...]:
        """Return where the local header of ``entry`` may stand."""
        crcs = {entry.crc, 0} if entry.flags & records.STREAMED else {entry.crc}
        wanted = entry.offset + directory.pieces[0].shift
        within = wanted % self._board.cluster
        alike = (by_distance(self._alike(entry.name, crc, within), wanted) for crc in crcs)
        every = merge(*alike, key=lambda place: abs(place - wanted))
        named = (place for place in every if self._is_named(place, entry.name))
        return tuple(islice(named, CANDIDATES))

    def _is_named(self, place: int, name: bytes) -> bool:
        """Return whether the local header at ``place`` is of a member with that name."""
        return self._space.read_at(place + records.LOCAL_SIZE, len(name)) == name

    def _cuts(self, entries: list[Entry], placed: list[Placed], cost: Cost) -> list[Placed] | None:
        """Return how the archive lies, from what was placed; None where a cut is not found."""
        pieces = [placed[0]]
        offsets = [each.offset for each in entries]
        for left, right in pairwise(placed):
            between = entries[bisect_left(offsets, left.offset) : bisect_left(offsets, right.offset)]
            following = self._between(between, left, right, cost)
            if following is None:
                return None
            pieces += following
        return pieces

    def _between(self, entries: list[Entry], left: Placed, right: Placed, cost: Cost) -> list[Placed] | None:
        """Return the cuts between two parts that were placed, with the members that stand between them."""
        cluster = self._board.cluster
        borders = range(-(-(left.offset + 1) // cluster) * cluster, right.offset + 1, cluster)
        if left.shift != right.shift and len(borders) == 1:
            return [Placed(borders[0], right.shift)]
        member = self._member(entries[0], right.offset, left)
        if member is None:
            return [] if left.shift == right.shift else None
        if left.shift == right.shift and len(borders) < 2:
            return []
        search = self._in_stored if entries[0].method == records.STORED else self._in_deflated
        return search(entries[0], member, (left.shift, right.shift), cost)

    def _member(self, entry: Entry, end: int, left: Placed) -> Span | None:
        """Return where the data of the member at ``left`` stand in the file; None where it has no check."""
        local = records.local_at(self._space, left.offset + left.shift)
        if local is None or entry.flags & records.ENCRYPTED:
            return None
        if entry.method not in {records.STORED, records.DEFLATE}:
            return None
        start = left.offset + local.header
        return Span(start, max(start, min(start + entry.packed, end)))

    def _in_stored(
        self, entry: Entry, member: Span, shifts: tuple[int, int], cost: Cost
    ) -> list[Placed] | None:
        """Return the cuts in a stored member between two shifts."""
        left, right = shifts
        summed = Summed(self._space, self._board.cluster, cost, member, left)
        if left == right:
            if summed.whole(entry.crc):
                return []
        elif (cut := summed.two([right], lambda _right: entry.crc)) is not None:
            return [cut]
        return summed.three(right, entry.crc, self._following)

    def _in_deflated(
        self, entry: Entry, member: Span, shifts: tuple[int, int], cost: Cost
    ) -> list[Placed] | None:
        """Return the cuts in a deflated member between two shifts."""
        left, right = shifts
        if left == right and self._is_whole(entry, member, left):
            return []
        check = Inflation(RAW, entry.crc, entry.size)
        deflated = Deflated(self._board, self._packed, cost, member, left, check)
        return [] if left == right and deflated.whole else deflated.cuts(right, TRIED)

    def _is_whole(self, entry: Entry, member: Span, shift: int) -> bool:
        """Return whether a deflated member lies in one piece, as the fastest library tells of short ones."""
        start, end = member.start + shift, member.end + shift
        found = at_once(self._space, start, end, Budget(end - start), entry.size) if start >= 0 else None
        return found is not None and found.crc == entry.crc

    def _following(self, before: int) -> Iterator[int]:
        """Yield the clusters that may follow another one."""
        return in_order(self._free, before, TRIED)


def _key(crc: NDArray[np.uint64], within: NDArray[np.uint64], name: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return what tells a local header: its CRC-32, its place in its cluster, and bytes of its name."""
    return np.asarray(crc << np.uint64(32) | (within & WITHIN) << np.uint64(8) | name & NAME)


def find(board: Board, part: int, parts: int) -> Iterator[Found]:
    """Yield the archives of one share of the end records."""
    return Zips(board).find(board.sparse_marks(END_RECORD)[part::parts].tolist())


def _sorted(directory: Directory) -> Directory:
    directory.entries.sort(key=lambda entry: entry.offset)
    return directory
