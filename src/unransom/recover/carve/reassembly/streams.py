"""gzip files, by the deflated data itself and the CRC-32 and length at its end."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.formats import gzip
from unransom.core.records import Grade
from unransom.recover.carve.board import DENSE, OTHER, Board, in_order
from unransom.recover.carve.found import Found, proof_of
from unransom.recover.carve.reassembly.anchors import Placed
from unransom.recover.carve.reassembly.checks import GZIP, Inflation
from unransom.recover.carve.reassembly.seams import Cost, Part, Seamstress, spans_of
from unransom.recover.carve.space import Spliced

ALLOWANCE = 6 << 20  # bytes that may be read for one file
TRIED = 512  # clusters that are tried behind a cut
BACK = 6  # clusters before a failure in which the cut is looked for
LONGEST = 1 << 32


def find(board: Board, part: int, parts: int) -> Iterator[Found]:
    """Yield the files of one share of the beginnings."""
    free = board.free((DENSE, OTHER))
    for head in board.free_heads(gzip.MAGIC)[part::parts]:
        seams = Seamstress(board.space, board.cluster, Cost(ALLOWANCE), BACK)
        stream = Part(0, min(LONGEST, board.space.size), Inflation(GZIP))
        cuts = seams.onward(stream, head, lambda before: in_order(free, before, TRIED))
        if cuts is None:
            continue
        pieces = [Placed(0, head), *cuts]
        room = min(LONGEST, board.space.size - pieces[-1].shift)
        length = gzip.measure(Spliced(board.space, spans_of(pieces, room))).length or 0
        if length <= pieces[-1].offset:
            continue
        spans = spans_of(pieces, length)
        verdict = gzip.validate(Spliced(board.space, spans))
        if verdict.grade is Grade.GOOD:
            yield Found("gzip", spans, proof_of("gzip", verdict.bits), verdict.bits, verdict.why)
