"""PNG images, by the CRC-32 of their chunks: a chunk that does not hold has a cut in it.

Behind it stands another chunk or the end of the image. All of these that are in the space were found by
their marks, and only those that stand at the right place of a cluster come into question.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from functools import cache

import numpy as np

from unransom.catalog.formats import png
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.recover.carve.board import Board, in_order
from unransom.recover.carve.classes import DENSE, OTHER
from unransom.recover.carve.found import Found, proof_of
from unransom.recover.carve.reassembly.anchors import Placed
from unransom.recover.carve.reassembly.seams import Cost, spans_of
from unransom.recover.carve.reassembly.summed import Summed
from unransom.recover.carve.signatures import IMAGE_END, PIXELS
from unransom.recover.carve.space import Spliced

MAGIC = png.MAGIC
ALLOWANCE = 192 << 20  # bytes that may be read for one image
RIGHTS = 24  # places of the next chunk that are tried
MIDDLES = 2  # of these, before which another piece is tried
TRIED = 128  # clusters that are tried where no mark tells how the image goes on
CUTS = 8  # of one image
SHORT = 20  # clusters of a chunk up to which all continuations are tried: a sum tells nothing before its end
LONGEST = 1 << 28  # bytes of an image
FRAME = 12  # bytes of a chunk besides its data


class Pngs:
    """The images of a board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._space = board.space
        self._free = board.free((DENSE, OTHER))
        self._marks = np.sort(np.concatenate([board.free_marks(PIXELS), board.free_marks(IMAGE_END)]))

    def find(self, heads: Iterable[int]) -> Iterator[Found]:
        """Yield the images that begin at ``heads``, with every sum right."""
        for head in heads:
            if png.recognise(self._space.read_at(head, 64)) and (found := self._rebuilt(head)) is not None:
                yield found

    def _rebuilt(self, head: int) -> Found | None:
        pieces = [Placed(0, head)]
        cost = Cost(ALLOWANCE)
        position = len(MAGIC)
        while len(pieces) <= CUTS:
            reader = Spliced(self._space, spans_of(pieces, LONGEST))
            position, ended = _sound(reader, position)
            if ended:
                return self._judged(pieces, position)
            more = self._mended(position, pieces[-1].shift, reader, cost)
            if more is None:
                return None
            pieces += more
        return None

    def _judged(self, pieces: list[Placed], size: int) -> Found | None:
        spans = spans_of(pieces, size)
        verdict = png.validate(Spliced(self._space, spans))
        if verdict.grade is not Grade.GOOD:
            return None
        return Found("png", spans, proof_of("png", verdict.bits), verdict.bits, verdict.why)

    def _mended(self, start: int, shift: int, reader: Spliced, cost: Cost) -> list[Placed] | None:
        """Return how the image goes on in the chunk at ``start``, which does not hold."""
        head = reader.read_at(start, 8)
        cluster = self._board.cluster
        border = -(-start // cluster) * cluster
        if len(head) == 8 and png.TYPE.fullmatch(head[4:]) and border - start != 0:
            chunk = Span(start + 4, start + 8 + int.from_bytes(head[:4]))
            if chunk.end < LONGEST and (found := self._in_chunk(chunk, shift, cost)):
                return found
        return self._at_border(start, border, shift) if border - start < 8 else None

    def _in_chunk(self, chunk: Span, shift: int, cost: Cost) -> list[Placed] | None:
        """Return the cuts in the type and the data of a chunk, whose sum stands behind them."""
        rights = self._rights(chunk.end + 8, shift)[:RIGHTS]
        summed = Summed(self._space, self._board.cluster, cost, chunk, shift)

        @cache  # a cluster may follow every border
        def stored(right: int) -> int:
            return int.from_bytes(self._space.read_at(max(chunk.end + right, 0), 4))

        if (cut := summed.two(rights, stored)) is not None:
            return [cut]
        if len(chunk) > SHORT * self._board.cluster:
            return None
        if (cut := summed.onward(self._following, stored)) is not None:
            return [cut]
        ways = (summed.three(right, stored(right), self._following) for right in rights[:MIDDLES])
        return next(filter(None, ways), None)

    def _following(self, before: int) -> Iterator[int]:
        """Yield the clusters that may follow another one."""
        return in_order(self._free, before, TRIED)

    def _rights(self, offset: int, shift: int) -> list[int]:
        """Return the shifts with which a chunk's type stands at ``offset``, the nearest ahead first."""
        cluster = self._board.cluster
        shifts = self._marks - offset
        shifts = shifts[(shifts % cluster == 0) & (shifts != shift)]
        ahead = shifts[shifts > shift]
        behind = shifts[shifts < shift][::-1]
        return [*ahead[:RIGHTS].tolist(), *behind[:RIGHTS].tolist(), *ahead[RIGHTS:].tolist()]

    def _at_border(self, start: int, border: int, shift: int) -> list[Placed] | None:
        """Return the piece that begins in the frame of the chunk at ``start``."""
        cluster = self._board.cluster
        left = self._space.read_at(start + shift, border - start)
        for number in in_order(self._free, (border + shift) // cluster - 1, 32 * TRIED):
            place = number * cluster
            head = left + self._space.read_at(place, 8)
            length = int.from_bytes(head[:4])
            if not png.TYPE.fullmatch(head[4:8]) or length >= LONGEST:
                continue
            if _holds((left + self._space.read_at(place, length + FRAME - len(left)))[4:]):
                return [Placed(border, place - border)]
        return None


def _sound(reader: Spliced, position: int) -> tuple[int, bool]:
    """Return where the first chunk stands from ``position`` on that does not hold; whether the image ends."""
    while True:
        head = reader.read_at(position, 8)
        length = int.from_bytes(head[:4])
        if len(head) < 8 or not png.TYPE.fullmatch(head[4:]) or length >= LONGEST:
            return position, False
        if not _holds(reader.read_at(position + 4, length + 8)):
            return position, False
        position += length + FRAME
        if head[4:] == b"IEND":
            return position, True


def _holds(chunk: bytes) -> bool:
    """Return whether the last four bytes of a chunk are the sum of those before."""
    return int.from_bytes(chunk[-4:]) == zlib.crc32(chunk[:-4])


def find(board: Board, part: int, parts: int) -> Iterator[Found]:
    """Yield the images of one share of the beginnings."""
    return Pngs(board).find(map(int, board.free_heads(MAGIC)[part::parts]))
