"""PDF documents, by the cross-reference at their end: any number and order of fragments.

The cross-reference says where in the file every object stands. Objects are found by their numbers, wherever
they are; where two neighbours are not as far apart as it says, a piece ends between them, and the Adler-32
of the stream in which it does tells at which cluster.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate, islice, pairwise
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from unransom.catalog.formats import pdf
from unransom.catalog.formats._pdf_walk import Kind, odd_bytes, parts
from unransom.catalog.formats._pdf_walk import Part as PdfPart
from unransom.core.messages import say
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.core.streams import Reader, Window
from unransom.recover.carve.board import HEADS, Board
from unransom.recover.carve.classes import DENSE, OTHER, TEXT, ZERO
from unransom.recover.carve.doubts import is_complete
from unransom.recover.carve.found import Found, Proof, proof_of
from unransom.recover.carve.pdf_sections import END, LINEARIZED, Objects, listed
from unransom.recover.carve.reassembly.anchors import Anchor, Placed, arrange, nearest
from unransom.recover.carve.reassembly.borders import unlikeness
from unransom.recover.carve.reassembly.checks import ZLIB, Inflation
from unransom.recover.carve.reassembly.deflated import Deflated, may_be_packed
from unransom.recover.carve.reassembly.seams import Cost, spans_of
from unransom.recover.carve.scan import Places
from unransom.recover.carve.signatures import OBJECT, SECTOR, START_XREF
from unransom.recover.carve.space import Spliced

MAGIC = b"%PDF-"
ALLOWANCE = 24 << 20  # bytes that may be read for one document
UNLIKE = {DENSE: 0.0, OTHER: 0.3, TEXT: 0.5, ZERO: 0.6}  # how little clusters look like deflated data
LOST = 4  # objects between two pieces that may be found nowhere, as their numbers stand in a cut
TRIED = 512  # clusters that are tried where a stream is cut twice
MOST_LINEARIZED = 1 << 14  # documents that say how long they are, and are looked at for each end
FEWEST_ENDS, ENDS_A_ROOM = 1 << 10, 4  # that may lead to nothing: in all, and for each ``BEFORE`` bytes
MOST_TAILS = 16  # of one end
BEFORE = 1 << 18  # bytes before the end in which the last cross-reference is looked for
LONGEST = 1 << 32
HEAD = 4096
DIGITS = 8  # of the number of an object
BEGINNING, SECOND = 64, 1 << 20  # bytes in which a second document begins, and ends
BORDERS = 256  # that are tried between two objects
STREAM = re.compile(rb"stream(?:\r\n|\n|\r)")
LENGTH = re.compile(rb"/Length\s+(\d{1,10})\b(?!\s+\d+\s+R)")
FLATE = re.compile(rb"/Filter\s*\[?\s*/FlateDecode\b")


class Tail(NamedTuple):
    """The end of a document.

    Attributes:
        start: Offset of a cross-reference section that lies in the same piece as the end.
        end: Bytes of the document.
        shift: Of that piece.
        stated: Offset of the section that the end names.
    """

    start: int
    end: int
    shift: int
    stated: int


class _Streams:
    """The streams around a cut that is tried at several borders: what does not change is inflated once."""

    def __init__(self, cost: Cost) -> None:
        self._cost = cost
        self._known: dict[tuple[int, int, bool], bool] = {}
        self._before: dict[int, list[tuple[int, Inflation]]] = {}  # by stream, states at cuts

    def hold(self, reader: Reader, part: PdfPart, cut: int) -> bool:
        """Return whether ``part`` is what it should be, where a piece ends at ``cut``."""
        if not _is_deflated(part):
            return _holds(reader, part)
        if part.data < cut < part.data_end:
            return self._holds_across(reader, part, cut)
        key = part.data, part.data_end, cut <= part.data
        if key not in self._known:
            self._known[key] = self._cost.spend(part.data_end - part.data) and _holds(reader, part)
        return self._known[key]

    def _holds_across(self, reader: Reader, part: PdfPart, cut: int) -> bool:
        states = self._before.setdefault(part.data, [(part.data, Inflation(ZLIB))])
        at, state = max((each for each in states if each[0] <= cut), key=itemgetter(0))
        check = state.fork()
        if not self._cost.spend(part.data_end - at) or not check.feed(reader.read_at(at, cut - at)):
            return False
        states.append((cut, check.fork()))
        return check.feed(reader.read_at(cut, part.data_end - cut)) and check.ended


class Pdfs:
    """The documents of a board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._space = board.space
        self._free = board.free((DENSE, OTHER, TEXT))
        self._packed = may_be_packed(board)
        self._heads = self._by_place(board.free_heads(MAGIC))
        self._linearized = [
            (head, int(size[1]))
            for heads in self._heads.values()
            for head in map(int, heads)
            if (size := LINEARIZED.search(self._space.read_at(head, 1024)))
        ][:MOST_LINEARIZED]
        self._objects = board.free_marks(OBJECT)

    def find(self, ends: Sequence[int]) -> Iterator[Found]:
        """Yield the documents whose last cross-reference is announced at one of ``ends``.

        Where more of these lead to nothing than documents have room for, the rest is left.
        """
        left = FEWEST_ENDS + ENDS_A_ROOM * len(self._free) * self._board.cluster // BEFORE
        for place in ends:
            tails = islice(self._tails(place), MOST_TAILS)
            found = next((found for tail in tails if (found := self._rebuilt(tail)) is not None), None)
            if found is not None:
                yield found
                continue
            left -= 1
            if not left:
                return

    def _by_place(self, heads: Places) -> dict[int, Places]:
        """Return where documents begin, sorted, by their places in their clusters."""
        within = heads % self._board.cluster
        return {place: heads[within == place] for place in np.unique(within).tolist()}

    @cached_property
    def _numbers(self) -> dict[tuple[int, int], list[int]]:
        """Return where objects begin, by their numbers and their places in their clusters."""
        found: dict[tuple[int, int], list[int]] = {}
        marks = self._objects[self._objects >= DIGITS]
        for first in range(0, len(marks), HEADS):
            some = marks[first : first + HEADS]
            digits = self._board.fields(some - DIGITS, DIGITS)[:, ::-1].astype(np.int64) - ord("0")
            running = np.logical_and.accumulate((digits >= 0) & (digits <= 9), axis=1)
            numbers = (np.where(running, digits, 0) * 10 ** np.arange(DIGITS)).sum(1)
            starts = some - running.sum(1)
            named = starts < some
            for number, start in zip(numbers[named].tolist(), starts[named].tolist(), strict=True):
                found.setdefault((number, start % self._board.cluster), []).append(start)
        return found

    def _tails(self, place: int) -> Iterator[Tail]:
        """Yield what the end at ``place`` may be the end of."""
        match = END.match(self._space.read_at(place, 64))
        if match is None:
            return
        cluster = self._board.cluster
        behind, stated = place + match.end(), int(match[1])
        base = max(0, place - BEFORE)
        text = self._space.read_at(base, place - base)
        tables = [base + at for at in _tables(text)]
        first, last = np.searchsorted(self._objects, [base, place]).tolist()
        objects = self._objects[max(first, last - 4) : last].tolist()
        starts = [*tables, *(self._start_of(each) for each in objects)]
        for start in sorted(starts, reverse=True):
            if (start - stated) % cluster == 0:
                shift = start - stated
                yield Tail(stated, behind - shift, shift, stated)
        for _, length in self._linearized:
            if (behind - length) % cluster == 0:
                yield Tail(place - behind + length, length, behind - length, stated)

    def _start_of(self, mark: int) -> int:
        before = self._space.read_at(max(mark - 8, 0), min(8, mark))
        return mark - len(before) + len(before.rstrip(b"0123456789"))

    def _rebuilt(self, tail: Tail) -> Found | None:
        """Return the document that ends with ``tail`` where everything in it is found."""
        heads = self._fitting_heads(tail)
        if heads[:1] == [tail.shift] and (found := self._judged([Placed(0, tail.shift)], tail)) is not None:
            return found  # in one piece, as most are
        cost = Cost(ALLOWANCE)
        for head in heads:
            pieces = [Placed(0, head), Placed(tail.start, tail.shift)]
            objects: Objects = {}
            for _ in range(3):
                reader = Spliced(self._space, spans_of(_arranged(pieces), tail.end))
                known = len(objects)
                objects |= listed(reader, [tail.start, tail.stated])
                if len(objects) == known:
                    break
                pieces = arrange(self._anchors(objects, head, tail))
            if not objects or not pieces or pieces[0].offset != 0:
                continue
            cuts = self._cuts(pieces, objects, cost)
            if cuts is not None and (found := self._judged(cuts, tail)) is not None:
                return found
        return None

    def _fitting_heads(self, tail: Tail) -> list[int]:
        """Return where the document may begin, the likeliest first."""
        heads = self._heads.get(tail.shift % self._board.cluster, np.zeros(0, np.int64))
        own, last = np.searchsorted(heads, [tail.shift, tail.start + tail.shift]).tolist()
        first = int(np.searchsorted(heads, tail.shift + tail.end, "right"))
        nearest_first = [*heads[max(0, last - 6) : last][::-1].tolist(), *heads[first : first + 3].tolist()]
        return [tail.shift] * (heads[own : own + 1].tolist() == [tail.shift]) + nearest_first

    def _anchors(self, objects: Objects, head: int, tail: Tail) -> list[Anchor]:
        cluster = self._board.cluster
        anchors = [Anchor(0, (head,)), Anchor(tail.start, (tail.shift + tail.start,))]
        for number, offset in objects.items():
            if 0 < offset < tail.start:
                places = self._numbers.get((number, (offset + head) % cluster))
                if places:
                    anchors.append(Anchor(offset, tuple(nearest(places, offset + head))))
        return sorted(anchors)

    def _cuts(self, placed: list[Placed], objects: Objects, cost: Cost) -> list[Placed] | None:
        """Return how the document lies, from what was placed; None where a cut is not found."""
        offsets = sorted(objects.values())
        changes = [(left, right) for left, right in pairwise(placed) if left.shift != right.shift]
        for left, right in changes:
            if bisect_left(offsets, right.offset) - bisect_right(offsets, left.offset) > LOST:
                return None  # a part of it is nowhere
        pieces = [placed[0]]
        for left, right in changes:
            cut = self._cut(left, right, cost)
            if cut is None:
                return None
            pieces += cut
        return pieces

    def _cut(self, left: Placed, right: Placed, cost: Cost) -> list[Placed] | None:
        """Return the cuts between two objects that are in place."""
        cluster = self._board.cluster
        borders = range(-(-(left.offset + 1) // cluster) * cluster, right.offset + 1, cluster)
        if len(borders) <= 1:
            return [Placed(border, right.shift) for border in borders] or None
        broken = self._broken(left, right)
        stream = self._stream(broken, right.offset)
        if stream is not None and (cuts := self._in_stream(stream, left.shift, right.shift, cost)):
            return cuts
        return self._spliced(broken, right)

    def _in_stream(self, stream: Span, left: int, right: int, cost: Cost) -> list[Placed] | None:
        """Return the cuts in a deflated stream between two shifts."""
        deflated = Deflated(self._board, self._packed, cost, stream, left, Inflation(ZLIB))
        return None if deflated.whole else deflated.cuts(right, TRIED)

    def _broken(self, left: Placed, right: Placed) -> Placed:
        """Return the first object from ``left`` on that does not hold where it is."""
        window = Window(self._space, left.offset + left.shift, right.offset - left.offset)
        last = left
        for part in parts(window):
            last = Placed(left.offset + part.start, left.shift)
            if not _holds(window, part):
                break
        return last

    def _spliced(self, left: Placed, right: Placed) -> list[Placed] | None:
        """Return the border between ``left`` and ``right`` at which all objects between them hold.

        Where no checksum is over the cut, it must be the only one.
        """
        cluster = self._board.cluster
        first = -(-(left.offset + 1) // cluster) * cluster
        borders = range(first, right.offset + 1, cluster)[:BORDERS]
        costs = unlikeness(self._board, left.shift, right.shift, borders, UNLIKE)
        fitting = []
        streams = _Streams(Cost(ALLOWANCE))
        for border in (borders[index] for index in np.lexsort((-np.arange(len(borders)), costs)).tolist()):
            spans = [
                Span(left.offset + left.shift, border + left.shift),
                Span(border + right.shift, right.offset + right.shift),
            ]
            reader = Spliced(self._space, [span for span in spans if len(span)])
            cut, objects = border - left.offset, list(parts(reader))
            if all(streams.hold(reader, each, cut) for each in objects):
                fitting.append(border)
                if any(_is_deflated(each) and each.data < cut < each.data_end for each in objects):
                    break
        return [Placed(fitting[-1], right.shift)] if len(fitting) == 1 else None

    def _stream(self, left: Placed, end: int) -> Span | None:
        """Return where the deflated stream of the object at ``left`` stands in the file."""
        text = self._space.read_at(left.offset + left.shift, min(HEAD, end - left.offset))
        begin = STREAM.search(text)
        if begin is None or not FLATE.search(text[: begin.start()]):
            return None
        start = left.offset + begin.end()
        length = LENGTH.search(text[: begin.start()])
        size = int(length[1]) if length else end - start
        return Span(start, max(start, min(start + size, end)))

    def _judged(self, pieces: list[Placed], tail: Tail) -> Found | None:
        best = self._good(pieces, tail.end)
        if best is None:
            return None
        if self._begins(tail.end + pieces[-1].shift):
            second = self._second(tail.end + pieces[-1].shift)
            both = self._good(pieces, tail.end + second) if second else None
            if both is None:
                best.proof = Proof.DECODER
                best.why = say("another document begins right behind it, and is not whole")
            best = both or best
        if not self._witnessed(best.spans):
            best.proof = Proof.DECODER
            best.why = say("all objects are where they should be, but no checksum tells where it was cut")
        return best

    def _good(self, pieces: list[Placed], end: int) -> Found | None:
        spans = spans_of(pieces, end)
        verdict = pdf.FORMAT.validate(Spliced(self._space, spans))
        if verdict.grade is not Grade.GOOD:
            return None
        return Found("pdf", spans, proof_of("pdf", verdict.bits), verdict.bits, verdict.why)

    def _witnessed(self, spans: list[Span]) -> bool:
        """Return whether a stream with a checksum lies across every cut: else it may be of two documents."""
        cuts = set(accumulate(len(span) for span in spans[:-1]))
        if not cuts:
            return True
        for part in parts(Spliced(self._space, spans)):
            if part.kind is Kind.STREAM and FLATE.search(part.text):
                cuts = {cut for cut in cuts if not part.data < cut < part.data_end}
        return not cuts

    def _begins(self, place: int) -> bool:
        """Return whether a document begins behind another one in the same sector, so in the same file."""
        begin = self._space.read_at(place, BEGINNING) if place % SECTOR else b""
        return begin.lstrip(b"\r\n").startswith(MAGIC)

    def _second(self, place: int) -> int:
        """Return the bytes of the document at ``place``, 0 where it is not whole there."""
        found = END.search(self._space.read_at(place, SECOND))
        if found is None:
            return 0
        second = Window(self._space, place, found.end())
        sound = pdf.FORMAT.validate(second).grade is Grade.GOOD and is_complete("pdf", second, b"")
        return second.size if sound else 0


def _tables(text: bytes) -> list[int]:
    """Return where the last words "xref" stand that are not the end of "startxref"."""
    found: list[int] = []
    at = text.rfind(b"xref")
    while at >= 0 and len(found) < 4:
        if text[max(0, at - 5) : at] != b"start":
            found.append(at)
        at = text.rfind(b"xref", 0, at)
    return found


def _holds(reader: Reader, part: PdfPart) -> bool:
    """Return whether a part of a document is what it should be, as far as that can be told by itself."""
    if part.kind is Kind.JUNK or not part.whole:
        return False
    if part.kind is not Kind.STREAM:
        return not odd_bytes(part.text)
    if not _is_deflated(part):
        return part.exact or not part.declared
    check = Inflation(ZLIB)
    return check.feed(reader.read_at(part.data, part.data_end - part.data)) and check.ended


def _is_deflated(part: PdfPart) -> bool:
    """Return whether a part is a whole stream that tells by itself whether it is right."""
    return part.kind is Kind.STREAM and part.whole and FLATE.search(part.text) is not None


def _arranged(pieces: list[Placed]) -> list[Placed]:
    """Return ``pieces`` with a cut where the shift changes, wherever between two of them that may be."""
    kept = pieces[:1]
    kept += [right for left, right in pairwise(pieces) if right.shift != left.shift]
    return kept


def find(board: Board, part: int, parts: int) -> Iterator[Found]:
    """Yield the documents of one share of the ends."""
    return Pdfs(board).find(board.sparse_marks(START_XREF)[part::parts].tolist())
