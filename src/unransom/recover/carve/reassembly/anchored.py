"""Files in two pieces whose beginning says where in them something stands that is found by itself.

7z: the header at the end, by its CRC-32. RAR: the next header, by its checksum. MP4 and MOV: the tables
behind the media data, by their places in it. Both shifts are known then; the border between them is looked
for, what the clusters hold telling where first, and the format's own check telling whether it is right.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats import mp4, rar, sevenzip
from unransom.catalog.formats._iso_boxes import box_at
from unransom.catalog.formats.format import HEAD, Format
from unransom.core.messages import say
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.core.streams import Window
from unransom.recover.carve.board import Board
from unransom.recover.carve.classes import DENSE, OTHER, TEXT
from unransom.recover.carve.found import Found, Proof, proof_of
from unransom.recover.carve.reassembly.anchors import Placed
from unransom.recover.carve.reassembly.borders import by_likelihood
from unransom.recover.carve.reassembly.seams import Cost, spans_of
from unransom.recover.carve.space import Spliced

ALLOWANCE = 96 << 20  # bytes that may be read for one file
MOST_TAILS = 8  # places of what is found that are looked at
LARGEST = 1 << 34  # bytes of a file
LARGEST_HEADER = 1 << 22  # bytes of the header of a 7z archive
BOXES = 16  # on the top of a film
NEAR = 1 << 16  # free clusters to either side of a beginning that are looked at
FIELD = 8  # bytes in front of each other that are compared at every cluster


class Tail(NamedTuple):
    """What was found of a file behind its first piece.

    Attributes:
        first: Offset in the file from which on the border may be.
        offset: Of what was found.
        shift: How far the space is ahead of the file there.
    """

    first: int
    offset: int
    shift: int


class Kind(NamedTuple):
    """A format whose files say where something stands in them.

    Attributes:
        format: The format.
        magic: What its files begin with.
        at: Bytes before that.
        tails: Yields what is found of the file that begins at a place.
        proof: How far a file is proven at whose only border its check holds.
    """

    format: Format
    magic: bytes
    at: int
    tails: Callable[[Board, NDArray[np.int64], int], Iterator[Tail]]
    proof: Callable[[int], Proof]


def _archives(board: Board, free: NDArray[np.int64], head: int) -> Iterator[Tail]:
    """Yield where the header of a 7z archive stands."""
    start, size, crc = sevenzip.header_place(board.space.read_at(head, sevenzip.START))
    if not 0 < size <= LARGEST_HEADER or start > LARGEST:
        return
    for place in _places(board, free, start, (b"\x01", b"\x17")):
        if zlib.crc32(board.space.read_at(place, size)) == crc:
            yield Tail(sevenzip.START, start, place - start)


def _volumes(board: Board, free: NDArray[np.int64], head: int) -> Iterator[Tail]:
    """Yield where the block of a RAR archive may stand that does not follow the others."""
    reader = Window(board.space, head, LARGEST)
    first = last = 0
    for block in rar.blocks(reader):
        if not block.bits:
            break  # of old programs, or noise
        first, last = block.data, block.end
        if block.last:
            return
    if not first or last > LARGEST:
        return
    five = reader.read_at(0, len(rar.MAGIC5)) == rar.MAGIC5
    for place in _places(board, free, last, ()):
        found = rar.block_at(board.space, place, five=five)
        if found is not None and found.bits:
            yield Tail(first, last, place - last)


def _films(board: Board, free: NDArray[np.int64], head: int) -> Iterator[Tail]:
    """Yield where the tables of a film may stand that belong behind its media data."""
    reader = Window(board.space, head, LARGEST)
    at = data = 0
    for _ in range(BOXES):
        box = box_at(reader, at, reader.size)
        if box is None or box.name == b"moov" or box.end <= at:
            return
        at = box.end
        if box.name == b"mdat":
            data = box.start
            break
    if not data or at > LARGEST or reader.read_at(at + 4, 4) == b"moov":
        return
    for place in _places(board, free, at, (b"moov",), 4):
        yield Tail(data, at, place - at)


def _places(
    board: Board, free: NDArray[np.int64], offset: int, begins: tuple[bytes, ...], behind: int = 0
) -> Iterator[int]:
    """Yield places in the space that stand in their clusters as ``offset`` in the file does.

    Args:
        board: The board.
        free: Numbers of clusters.
        offset: In the file.
        begins: What stands at such a place; nothing for anything.
        behind: Bytes behind the place at which it does.
    """
    within = offset % board.cluster
    for numbers, data in board.runs(free):
        padded = np.concatenate([data, np.zeros(FIELD + behind, np.uint8)])
        fields = np.lib.stride_tricks.sliding_window_view(padded, FIELD)[within + behind :: board.cluster]
        fields = fields[: len(numbers)]
        fits = np.full(len(fields), not begins)
        for each in begins:
            fits |= (fields[:, : len(each)] == np.frombuffer(each, np.uint8)).all(1)
        yield from (numbers[: len(fields)][fits] * board.cluster + within).tolist()


KINDS = (
    Kind(sevenzip.FORMAT, sevenzip.MAGIC, 0, _archives, lambda bits: proof_of("sevenzip", bits)),
    Kind(rar.FORMAT, rar.MAGIC4[:6], 0, _volumes, lambda bits: proof_of("rar", bits)),
    Kind(mp4.FORMAT, b"ftyp", 4, _films, lambda _bits: Proof.DECODER),
)


def find(board: Board, part: int, parts: int) -> Iterator[Found]:
    """Yield the files of one share of the beginnings."""
    free = board.free((OTHER, DENSE, TEXT))
    for kind in KINDS:
        for place in map(int, board.free_heads(kind.magic, kind.at)[part::parts]):
            if not kind.format.recognise(board.space.read_at(place, HEAD)):
                continue
            cost = Cost(ALLOWANCE)
            middle = int(np.searchsorted(free, place // board.cluster))
            near = free[max(middle - NEAR, 0) : middle + NEAR]
            tails = islice(kind.tails(board, near, place), MOST_TAILS)
            found = next((each for tail in tails if (each := _joined(board, kind, place, tail, cost))), None)
            if found is not None:
                yield found


def _joined(board: Board, kind: Kind, head: int, tail: Tail, cost: Cost) -> Found | None:
    """Return the file with the likeliest border at which it holds; None where there is none."""
    cluster = board.cluster
    first = -(-(tail.first + 1) // cluster) * cluster
    if tail.shift == head or first > tail.offset:
        return None
    left = _damage(board, kind, head, tail, tail.offset // cluster * cluster, cost)
    right = _damage(board, kind, head, tail, first, cost)
    last = min((each.end for each in left), default=tail.offset)
    begun = max((each.start for each in right), default=first)
    borders = range(max(first, begun // cluster * cluster), min(last, tail.offset) + 1, cluster)
    for border in by_likelihood(board, head, tail.shift, borders) if borders else ():
        found = _judged(board, kind, head, tail, border, cost)
        if found is not None:
            beside = (border - cluster, border + cluster)
            if any(_judged(board, kind, head, tail, each, cost) for each in beside if each in borders):
                found.proof = Proof.HEURISTIC
                found.why = say("everything holds, but no check tells at which cluster a piece ends")
            return found
    return None


def _damage(board: Board, kind: Kind, head: int, tail: Tail, border: int, cost: Cost) -> list[Span]:
    """Return what does not hold of the file before the tail, were it cut at ``border``.

    Where the first piece goes all the way, the cut is not behind the first of it; where the second does, not
    before the last.
    """
    pieces = [Placed(0, head), Placed(border, tail.shift)]
    room = min(LARGEST, board.space.size - tail.shift, 2 * tail.offset + LARGEST_HEADER)
    verdict = kind.format.validate(Spliced(board.space, spans_of(pieces, room)))
    cost.spend(tail.offset)
    return [each for each in verdict.damage if each.start < tail.offset]


def _judged(board: Board, kind: Kind, head: int, tail: Tail, border: int, cost: Cost) -> Found | None:
    """Return the file with its cut at ``border`` where it holds and can be paid for."""
    pieces = [Placed(0, head), Placed(border, tail.shift)]
    room = min(LARGEST, board.space.size - tail.shift)
    content = Spliced(board.space, spans_of(pieces, room))
    length = kind.format.measure(content).length if cost.left > 0 else None
    if not length or length <= tail.offset or not cost.spend(length):
        return None
    spans = spans_of(pieces, length)
    verdict = kind.format.validate(Spliced(board.space, spans))
    if verdict.grade is not Grade.GOOD:
        return None
    return Found(kind.format.name, spans, kind.proof(verdict.bits), verdict.bits, verdict.why)
