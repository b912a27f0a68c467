"""JPEG images, by decoding them: last, for nothing in them says where a piece belongs.

A wrong cluster makes the decoder stumble, mostly within that cluster; and only the right ones give exactly
as many units as the header says, with the end marker right behind the last. That is no proof.
"""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.formats import jpeg
from unransom.core.records import Grade
from unransom.recover.carve.board import DENSE, OTHER, Board, in_order
from unransom.recover.carve.found import Found, Proof
from unransom.recover.carve.reassembly.anchors import Placed
from unransom.recover.carve.reassembly.decoding import Decoding
from unransom.recover.carve.reassembly.seams import Cost, Part, Seamstress, spans_of
from unransom.recover.carve.space import Spliced

ALLOWANCE = 24 << 20  # bytes that may be decoded for one image
TRIED = 512  # clusters that are tried behind a cut
BACK = 3  # clusters before a failure in which the cut is looked for
LONGEST = 1 << 28


def find(board: Board, part: int, parts: int) -> Iterator[Found]:
    """Yield the images of one share of the beginnings."""
    free = board.free((DENSE, OTHER))
    for head in board.free_heads(jpeg.MAGIC)[part::parts]:
        seams = Seamstress(board.space, board.cluster, Cost(ALLOWANCE), BACK)
        image = Part(0, min(LONGEST, board.space.size), Decoding())
        cuts = seams.onward(image, head, lambda before: in_order(free, before, TRIED))
        if not cuts:
            continue
        pieces = [Placed(0, head), *cuts]
        room = min(LONGEST, board.space.size - pieces[-1].shift)
        length = jpeg.measure(Spliced(board.space, spans_of(pieces, room))).length or 0
        if length <= pieces[-1].offset:
            continue
        spans = spans_of(pieces, length)
        verdict = jpeg.validate(Spliced(board.space, spans))
        if verdict.grade is Grade.GOOD:
            yield Found("jpeg", spans, Proof.DECODER, verdict.bits, verdict.why)
