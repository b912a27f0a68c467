"""OLE2 documents, by their allocation table and directory, which say of themselves where they stand.

The header tells the place of every sector of the table and of the directory. A sector of the table lists
itself as one; the directory begins with its root's name. Where these are found, pieces are known; between
two of them the cut is at the cluster before which one piece, and from which on the other, looks like a part
of such a document, and at which every chain and record of it holds. The format has no checksums: where more
than one cut passes, the document is no more than likely.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise, product

import numpy as np

from unransom.catalog.formats import ole2
from unransom.catalog.formats._ole2_structure import FAT_SECTOR, HEADER, LAST, MAGIC, Header, read_header
from unransom.catalog.formats.format import Validation
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.recover.carve.board import Board, in_order
from unransom.recover.carve.classes import DENSE, OTHER, TEXT, ZERO
from unransom.recover.carve.found import Found, Proof
from unransom.recover.carve.reassembly.anchors import CANDIDATES, Anchor, Placed, arrange
from unransom.recover.carve.reassembly.borders import unlikeness
from unransom.recover.carve.reassembly.seams import spans_of
from unransom.recover.carve.signatures import ROOT
from unransom.recover.carve.space import Spliced

UNLIKE = {OTHER: 0.0, DENSE: 0.3, ZERO: 0.5, TEXT: 0.6}  # how little a cluster looks like a part of one
SEARCHED = 1 << 14  # clusters in which a sector of the table is looked for
LISTED = 109  # sectors of the table that the header has room for
TRIALS = 160  # arrangements of one document that are validated
BACK = 6  # clusters before the first fault in which a cut is looked for
AHEAD = 48  # clusters that are tried behind a cut whose other side nothing tells
LONGEST = 1 << 31


class Ole2s:
    """The documents of a board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._space = board.space
        self._free = board.free((OTHER, ZERO, DENSE, TEXT))
        self._roots = board.free_marks(ROOT)

    def find(self, heads: Iterable[int]) -> Iterator[Found]:
        """Yield the documents that begin at ``heads``."""
        for head in heads:
            header = read_header(self._space.read_at(head, HEADER))
            if header is not None and header.fat_count > 0 and (found := self._rebuilt(head, header)):
                yield found

    def _rebuilt(self, head: int, header: Header) -> Found | None:
        anchors = self._anchors(head, header)
        placed = arrange(anchors)
        if not placed or placed[0] != Placed(0, head):
            return None
        tried: dict[tuple[Placed, ...], Validation | None] = {}
        for pieces in self._arrangements(placed):
            if (found := self._judged(pieces, tried)) is not None:
                return found
        measured = len(placed) == 2 + header.fat_count  # all of its table and directory
        return self._longer(placed, tried, measured=measured)

    def _anchors(self, head: int, header: Header) -> list[Anchor]:
        """Return the sectors whose place in the file is known, and where in the space they may stand."""
        sector, cluster = header.sector, self._board.cluster
        anchors = [Anchor(0, (head,))]
        offset = (header.directory + 1) * sector
        if header.directory <= LAST and offset < LONGEST:
            roots = self._roots[(self._roots - offset - head) % cluster == 0]
            nearest = roots[np.argsort(np.abs(roots - offset - head))][:CANDIDATES]
            anchors.append(Anchor(offset, tuple(nearest.tolist())))
        shifts = [head, *(place - offset for place in anchors[-1].places)]
        numbers = np.frombuffer(self._space.read_at(head + 76, 4 * LISTED), "<u4")
        for index, number in enumerate(numbers[: header.fat_count].tolist()):
            if number <= LAST and (number + 1) * sector < LONGEST:
                at = (number + 1) * sector
                anchors.append(Anchor(at, self._tables(at, number - index * sector // 4, sector, shifts)))
        return sorted(anchor for anchor in anchors if anchor.places)

    def _tables(self, offset: int, own: int, sector: int, shifts: list[int]) -> tuple[int, ...]:
        """Return where a sector of the table may stand that lists itself in its entry ``own``."""
        if not 0 <= own < sector // 4:
            return ()
        cluster = self._board.cluster
        likely = [
            shift + offset for shift in dict.fromkeys(shifts) if self._is_table(shift + offset, own, sector)
        ]
        if likely:
            return tuple(likely)
        within, before = offset % cluster, (shifts[0] + offset) // cluster - 1
        places = (number * cluster + within for number in in_order(self._free, before, SEARCHED))
        found = []
        for place in places:
            if self._is_table(place, own, sector):
                found.append(place)
                if len(found) == CANDIDATES:
                    break
        return tuple(found)

    def _is_table(self, place: int, own: int, sector: int) -> bool:
        """Return whether a sector of an allocation table stands at ``place``."""
        if place < 0 or self._space.read_at(place + 4 * own, 4) != FAT_SECTOR.to_bytes(4, "little"):
            return False
        entries = np.frombuffer(self._space.read_at(place, sector), "<u4")
        sane = (entries < LONGEST // sector) | (entries > LAST)
        return len(entries) == sector // 4 and bool(sane.all())

    def _arrangements(self, placed: list[Placed]) -> Iterator[list[Placed]]:
        """Yield ways to cut between the anchors, the likeliest first."""
        choices: list[list[Placed]] = []
        for left, right in pairwise(placed):
            if left.shift != right.shift:
                borders = self._borders(left, right)
                choices.append(borders[: TRIALS if not choices else 12])
        for number, cuts in enumerate(product(*choices)):
            if number == TRIALS:
                return
            yield [placed[0], *cuts]

    def _borders(self, left: Placed, right: Placed) -> list[Placed]:
        """Return the borders at which ``left`` may go over to ``right``, the likeliest first."""
        cluster = self._board.cluster
        borders = range(-(-(left.offset + 1) // cluster) * cluster, right.offset + 1, cluster)
        if not borders:
            return []
        cost = unlikeness(self._board, left.shift, right.shift, borders, UNLIKE)
        return [Placed(borders[index], right.shift) for index in np.argsort(cost, kind="stable").tolist()]

    def _judged(
        self, pieces: list[Placed], tried: dict[tuple[Placed, ...], Validation | None]
    ) -> Found | None:
        verdict = self._verdict(pieces, tried)
        if verdict is None or verdict.grade is not Grade.GOOD or not verdict.length:
            return None
        spans = spans_of(pieces, verdict.length)
        return self._found(spans, verdict) if self._board.claims.free(spans) else None

    def _found(self, spans: list[Span], verdict: Validation) -> Found:
        proof = Proof.DECODER if len(spans) == 1 else Proof.HEURISTIC
        return Found("ole2", spans, proof, verdict.bits, verdict.why)

    def _verdict(
        self, pieces: list[Placed], tried: dict[tuple[Placed, ...], Validation | None]
    ) -> Validation | None:
        """Return what the validator says of the document that lies so; None where it has no end."""
        key = tuple(pieces)
        if key not in tried:
            room = min(LONGEST, self._space.size - pieces[-1].shift)
            if room <= pieces[-1].offset:
                tried[key] = None
                return None
            reader = Spliced(self._space, spans_of(pieces, room))
            length = ole2.measure(reader).length
            tried[key] = ole2.validate(Spliced(self._space, spans_of(pieces, length))) if length else None
            if length and (verdict := tried[key]) is not None and verdict.length is None:
                tried[key] = None
        return tried[key]

    def _longer(
        self, placed: list[Placed], tried: dict[tuple[Placed, ...], Validation | None], *, measured: bool
    ) -> Found | None:
        """Look for a cut behind the last anchor, where nothing tells how the document goes on.

        Args:
            placed: What was placed.
            tried: What the validator said of other ways in which the document may lie.
            measured: All that tells its length was placed.
        """
        pieces = [placed[0]]
        for left, right in pairwise(placed):
            if left.shift != right.shift:
                return None
        verdict = self._verdict(pieces, tried)
        if verdict is None or not verdict.damage or not verdict.length:
            return None
        cluster = self._board.cluster
        fault = verdict.damage[0].start // cluster * cluster
        for border in range(fault, max(0, fault - BACK * cluster), -cluster):
            before = (border + placed[0].shift) // cluster - 1
            for number in in_order(self._free, before, AHEAD):
                cut = [*pieces, Placed(border, number * cluster - border)]
                if measured and border > placed[-1].offset:
                    found = self._as_long(cut, verdict.length)
                else:  # what was placed behind it may be another document's
                    found = self._judged(cut, tried)
                if found is not None:
                    return found
        return None

    def _as_long(self, pieces: list[Placed], length: int) -> Found | None:
        """Return the document that lies so, of which all that tells its length is in place."""
        spans = spans_of(pieces, length)
        if not self._board.claims.free(spans):
            return None
        verdict = ole2.validate(Spliced(self._space, spans))
        return self._found(spans, verdict) if verdict.grade is Grade.GOOD else None


def find(board: Board, part: int, parts: int) -> Iterator[Found]:
    """Yield the documents of one share of the beginnings."""
    return Ole2s(board).find(map(int, board.free_heads(MAGIC)[part::parts]))
