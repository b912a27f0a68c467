"""Boards over bytes, and what one method puts together on them."""

import random

from unransom.core.spans import Span
from unransom.core.streams import BytesReader
from unransom.recover.carve.board import Board
from unransom.recover.carve.found import Claims
from unransom.recover.carve.scan import scan
from unransom.recover.carve.space import Space, Spliced

CLUSTER = 4096


def board_of(data, cluster=CLUSTER):
    """Return a board on which nothing is taken."""
    space = Space(BytesReader(data))
    seen = scan(space, Span(0, space.size), cluster)
    return Board(space, Claims(space.size, cluster), seen.classes, seen.heads, seen.marks)


def carved_by(method, image, cluster=CLUSTER, parts=2):
    """Return what ``method`` finds, and the bytes of each."""
    board = board_of(image, cluster)
    found = [each for part in range(parts) for each in method(board, part, parts)]
    return [(each, Spliced(board.space, each.spans).read_at(0, each.size)) for each in found]


def noise(seed, clusters):
    """Return random bytes for some clusters."""
    return random.Random(seed).randbytes(clusters * CLUSTER)
