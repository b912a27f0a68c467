"""Where a cut lies that a check takes at several borders: by what the clusters on both sides of it hold.

A check that does not see every byte takes some foreign clusters for the file's. Where the file goes on in
another place, it may have left the first one some clusters earlier. Against a cluster speaks that another
file has it or begins there, that it is zeros, or noise among orderly bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from unransom.recover.carve.board import Board
from unransom.recover.carve.classes import DENSE, ZERO
from unransom.recover.carve.reassembly.anchors import Placed
from unransom.recover.carve.reassembly.checks import Check
from unransom.recover.carve.reassembly.seams import Part

LOOKED = 64  # clusters before a cut that are looked at
BEHIND = 4  # clusters behind it that must hold as well
OTHERS = 2.0  # how little a cluster that another file has looks like one of this
TAKEN, EMPTY, NOISE = 64, 2, 1  # what speaks against a cluster, and how much


def settled(board: Board, part: Part, pieces: Sequence[Placed]) -> tuple[list[Placed], bool]:
    """Return the pieces with every cut at its likeliest border, and whether all were certain."""
    kept = [pieces[0]]
    certain = True
    for number, piece in enumerate(pieces[1:], 1):
        end = pieces[number + 1].offset if number + 1 < len(pieces) else part.end
        early = _earliest(board, part, kept, piece, end)
        certain = certain and early == piece.offset
        kept.append(piece._replace(offset=_likeliest(board, kept[-1].shift, piece, early)))
    return kept, certain


def _earliest(board: Board, part: Part, before: Sequence[Placed], piece: Placed, end: int) -> int:
    """Return the first border from which on the file may lie where ``piece`` does."""
    cluster = board.cluster
    first = max(before[-1].offset + cluster, piece.offset - LOOKED * cluster)
    forks = _states(board, part, before, first, piece.offset)
    found = piece.offset
    for at in sorted(forks, reverse=True):
        stop = min(end, piece.offset + BEHIND * cluster)
        data = board.space.read_at(at + piece.shift, stop - at) if at + piece.shift >= 0 else b""
        if len(data) < stop - at or not forks[at].feed(data):
            break
        found = at
    return found


def _states(board: Board, part: Part, before: Sequence[Placed], first: int, last: int) -> dict[int, Check]:
    """Return the state of the check at the borders from ``first`` to before ``last``."""
    check, at = part.check.fork(), part.start
    ends = [*(each.offset for each in before[1:]), last]
    states = {}
    for each, end in zip(before, ends, strict=True):
        while at < end:
            if first <= at < last and at % board.cluster == 0:
                states[at] = check.fork()
            stop = min(end, at - at % board.cluster + board.cluster)
            if not check.feed(board.space.read_at(at + each.shift, stop - at)):
                return states
            at = stop
    return states


def _likeliest(board: Board, left: int, piece: Placed, early: int) -> int:
    """Return the border between ``early`` and the piece's own at which least speaks against the clusters."""
    return by_likelihood(board, left, piece.shift, range(early, piece.offset + 1, board.cluster))[0]


def by_likelihood(board: Board, left: int, right: int, borders: range) -> list[int]:
    """Return borders between shift ``left`` and shift ``right``, the likeliest first, of equals the last."""
    stays = [_against(board, at + left, at + right) for at in borders[:-1]]
    leaves = [_against(board, at + right, at + left) for at in borders[:-1]]
    costs = accumulate((stay - leave for stay, leave in zip(stays, leaves, strict=True)), initial=0)
    return [
        border for _, border in sorted(zip(costs, borders, strict=True), key=lambda each: (each[0], -each[1]))
    ]


def unlikeness(
    board: Board, left: int, right: int, borders: range, unlike: Mapping[int, float]
) -> NDArray[np.float64]:
    """Return for each border how little the clusters look that a file has which goes over there.

    Args:
        board: The board.
        left: Shift before the border.
        right: Shift behind it.
        borders: Offsets in the file.
        unlike: By class, how little a cluster of it looks like the file; others never do.
    """
    table = np.full(256, OTHERS)
    table[list(unlike)] = list(unlike.values())
    before = (np.arange(borders.start, borders.stop, borders.step) + left) // board.cluster - 1
    behind = (np.arange(borders.start, borders.stop, borders.step) + right) // board.cluster
    costs = []
    for numbers in (before, behind):
        there = (numbers >= 0) & (numbers < len(board.classes))
        inside = np.where(there, numbers, 0)
        free = there & ~board.claims.taken[inside]
        costs.append(np.where(free, table[board.classes[inside]], OTHERS))
    return np.cumsum(costs[0]) + np.cumsum(costs[1][::-1])[::-1]


def _against(board: Board, place: int, other: int) -> int:
    """Return how much speaks against the cluster at ``place``, which the one at ``other`` rivals."""
    number, rival = place // board.cluster, other // board.cluster
    if not board.is_free(place) or board.begins(place):
        return TAKEN
    if not max(number, rival) < len(board.classes):
        return 0
    kind = int(board.classes[number])
    if kind == ZERO:
        return EMPTY
    return NOISE if kind == DENSE and board.classes[rival] not in {DENSE, ZERO} else 0
