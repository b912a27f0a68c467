"""JPEG images, by decoding them: last, for nothing in them says where a piece belongs.

A wrong cluster makes the decoder stumble, mostly within that cluster; and only the right ones give exactly
as many units as the header says, with the end marker right behind the last. That is no proof.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats import jpeg
from unransom.catalog.formats.format import HEAD
from unransom.core.records import Grade
from unransom.recover.carve.board import Board, in_order
from unransom.recover.carve.classes import DENSE, OTHER
from unransom.recover.carve.found import Found, Proof
from unransom.recover.carve.reassembly.anchors import Placed
from unransom.recover.carve.reassembly.decoding import Decoding
from unransom.recover.carve.reassembly.seams import Cost, Part, Seamstress, spans_of
from unransom.recover.carve.space import Spliced

ALLOWANCE = 3 << 20  # bytes that may be decoded for one image
TRIED = 256  # clusters that are tried behind a cut
BACK = 3  # clusters before a failure in which the cut is looked for
LONGEST = 1 << 28
LEGAL = [0x00, 0xFF, 0xC4, 0xDA, 0xDB, 0xDD, *range(0xD0, 0xD8)]  # what may stand behind 0xFF in coded data


def coded(board: Board) -> NDArray[np.int64]:
    """Return the numbers of the free clusters that may hold coded data of an image."""
    from unransom.recover.carve._coded_kernel import coded as test  # noqa: PLC0415  numba is slow to import

    legal = np.zeros(256, np.bool_)
    legal[LEGAL] = True
    kept = [np.zeros(0, np.int64)]
    for numbers, data in board.runs(board.free((DENSE, OTHER))):
        clusters = np.zeros(len(numbers), np.bool_)
        test(data, board.cluster, legal, clusters)
        kept.append(numbers[clusters])
    return np.concatenate(kept)


def find(board: Board, part: int, parts: int) -> Iterator[Found]:
    """Yield the images of one share of the beginnings."""
    heads = board.free_heads(jpeg.MAGIC)
    free = coded(board) if len(heads) else board.free(())
    for head in map(int, heads[part::parts]):
        if not jpeg.recognise(board.space.read_at(head, HEAD)):
            continue
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
