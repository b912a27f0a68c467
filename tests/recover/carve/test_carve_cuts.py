"""Cuts in data with a sum over it, and in deflated data: found at the right cluster, and nowhere else."""

import random
import zlib
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from tests.recover.carve.boards import CLUSTER, board_of, noise
from unransom.core.spans import Span
from unransom.recover.carve.reassembly.anchors import CANDIDATES, Placed, by_distance, nearest
from unransom.recover.carve.reassembly.checks import RAW, Inflation
from unransom.recover.carve.reassembly.deflated import NEAR, Deflated, Likeness, may_be_packed
from unransom.recover.carve.reassembly.seams import Cost
from unransom.recover.carve.reassembly.summed import Summed

CLUSTERS = 9


def every(count):
    return lambda _before: range(count)


def laid(data, cuts, gap):
    """Return an image with ``data`` cut at some clusters and junk in the gaps, and the pieces' shifts."""
    image, shifts, start = gap(0), [], 0
    for number, cut in enumerate((*cuts, len(data) // CLUSTER + 1), 1):
        shifts.append(len(image) - start)
        image += data[start : cut * CLUSTER]
        image += bytes(-len(image) % CLUSTER) + gap(number)
        start = cut * CLUSTER
    return image, shifts


def summed_of(cuts, size=CLUSTERS * CLUSTER - 100):
    data = random.Random(3).randbytes(size)
    image, shifts = laid(data, cuts, lambda number: noise(number, 3))
    board = board_of(image)
    part = Span(50, size)
    return Summed(board.space, CLUSTER, Cost(1 << 24), part, shifts[0]), zlib.crc32(data[50:]), shifts, board


def test_a_sum_over_one_piece_holds():
    summed, crc, _, _ = summed_of(())
    assert summed.whole(crc)
    assert not summed.whole(crc ^ 1)


@pytest.mark.parametrize("cut", [1, 4, CLUSTERS - 1])
def test_a_sum_tells_where_the_cut_is(cut):
    summed, crc, (_, right), board = summed_of((cut,))
    assert not summed.whole(crc)
    assert summed.two([right], lambda _right: crc) == Placed(cut * CLUSTER, right)
    assert summed.two([right + CLUSTER], lambda _right: crc) is None
    clusters = board.space.size // CLUSTER
    assert summed.onward(every(clusters), lambda _right: crc) == Placed(cut * CLUSTER, right)


@pytest.mark.parametrize("cuts", [(1, 2), (3, 7), (2, CLUSTERS - 1)])
def test_a_sum_tells_where_both_cuts_are(cuts):
    summed, crc, (_, middle, right), board = summed_of(cuts)
    clusters = board.space.size // CLUSTER
    wanted = [Placed(cuts[0] * CLUSTER, middle), Placed(cuts[1] * CLUSTER, right)]
    assert summed.two([right], lambda _right: crc) is None
    assert summed.three(right, crc, every(clusters)) == wanted
    assert summed.three(right, crc ^ 1, every(clusters)) is None


@cache
def table(rows):
    """Return deflated rows of a table as worksheets have them."""
    draw = random.Random(5)
    cells = "".join(
        f'<row r="{row}"><c r="A{row}"><v>{draw.randrange(10**6)}</v></c>'
        f'<c r="B{row}" t="s"><v>{draw.randrange(900)}</v></c></row>'
        for row in range(rows)
    )
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return cells.encode(), packer.compress(cells.encode()) + packer.flush()


def deflated_of(cuts, gap):
    plain, packed = table(12000)
    image, shifts = laid(packed, cuts, gap)
    board = board_of(image)
    check = Inflation(RAW, zlib.crc32(plain), len(plain))
    part = Span(0, len(packed))
    found = Deflated(board, may_be_packed(board), Cost(1 << 26), part, shifts[0], check)
    return found, shifts, board.space.size // CLUSTER


GAPS = [lambda number: noise(number, 4), lambda _number: bytes(4 * CLUSTER)]


@pytest.mark.parametrize("gap", GAPS, ids=["noise", "zeros"])
def test_deflated_data_tells_where_it_is_cut(gap):
    whole, _, _ = deflated_of((), gap)
    assert whole.whole
    once, (_, right), _ = deflated_of((5,), gap)
    assert not once.whole
    assert once.two(right) == Placed(5 * CLUSTER, right)
    twice, (_, middle, right), clusters = deflated_of((4, 9), gap)
    assert twice.two(right) is None
    assert twice.three(right, every(clusters)) == [Placed(4 * CLUSTER, middle), Placed(9 * CLUSTER, right)]
    assert twice.three(right + CLUSTER, every(clusters)) is None


def test_sums_of_many_places_are_those_of_each():
    data = random.Random(8).randbytes(70 * CLUSTER + 700)

    def at(*numbers):
        return [number * CLUSTER for number in numbers]

    for length in (CLUSTER, 300, 700, 701):
        summed = Summed(board_of(data).space, CLUSTER, Cost(1 << 24), Span(0, 10), 0)
        places = at(-1, 0, 1, 3, 4, 5, 9, *range(68, 73), 90)
        wanted = [data[place : place + length] if place >= 0 else b"" for place in places]
        sums = [zlib.crc32(piece) if len(piece) == length else 0 for piece in wanted]
        assert summed._sums_of(places, length).tolist() == sums
        assert summed._sums_of(at(*range(72)), length)[70] == zlib.crc32(data[70 * CLUSTER :][:length]) * (
            length <= 700
        )


def test_sums_are_of_no_more_places_than_may_be_read():
    data = random.Random(8).randbytes(9 * CLUSTER)
    summed = Summed(board_of(data).space, CLUSTER, Cost(2 * CLUSTER), Span(0, 10), 0)
    places = [number * CLUSTER for number in range(4)]
    pieces = [data[place : place + CLUSTER] for place in places]
    assert summed._sums_of(places, CLUSTER).tolist() == [*map(zlib.crc32, pieces[:2]), 0, 0]


def test_what_is_shown_is_what_a_fork_shows_that_is_fed():
    plain, packed = table(12000)
    draw = random.Random(6)
    seen = set()
    for size in (None, len(plain), 30_000):
        for at in (0, 700, 2 * CLUSTER, len(packed) - 300):
            check = Inflation(RAW, None, size)
            check.feed(packed[:at])
            for piece in (
                packed[at : at + 512],
                packed[at : at + 512] + b"more",
                *map(draw.randbytes, [512] * 40),
            ):
                fork = check.fork()
                expected = fork.shown if fork.feed(piece) else None
                assert check.shown_by(piece) == expected
                seen.add(expected is None)
    assert seen == {True, False}


def test_a_search_in_deflated_data_ends_with_what_may_be_read():
    found, (_, _, right), clusters = deflated_of((4, 9), GAPS[0])
    found._cost.left = 0
    assert found.two(right) is None
    assert found.three(right, every(clusters)) is None


@pytest.mark.parametrize("besides", [0, 700, 40_000, 1 << 24])
def test_trying_what_is_near_first_takes_nothing_from_the_search_of_all(besides):
    found, (_, middle, right), clusters = deflated_of((4, 9), GAPS[0])
    wanted = [Placed(4 * CLUSTER, middle), Placed(9 * CLUSTER, right)]
    alone, _, _ = deflated_of((4, 9), GAPS[0])
    alone._cost._besides = 0
    assert alone.three(right, every(clusters)) == wanted
    needed = (1 << 26) - alone._cost.left
    found._cost.left, found._cost._besides = needed, besides
    assert found.three(right, every(clusters)) == wanted
    assert found._cost.left >= (0 if besides < 1 << 24 else needed)


def test_far_pieces_are_found_where_what_is_near_takes_all_that_may_be_spent_on_it():
    found, (_, middle, right), clusters = deflated_of((4, 9), GAPS[0])
    far = [number for number in range(clusters) if number * CLUSTER != 4 * CLUSTER + middle]
    order = [*far, 4 + middle // CLUSTER]
    near = max(NEAR + 1, len(order))
    order = [order[0]] * (near - len(order)) + order  # the right one is the last of all
    found._cost._besides = 10_000
    wanted = [Placed(4 * CLUSTER, middle), Placed(9 * CLUSTER, right)]
    assert found.three(right, lambda _before: order) == wanted
    assert found._cost._besides == 0


def test_clusters_of_others_hold_no_deflated_data():
    board = board_of(noise(1, 2) + bytes(CLUSTER) + (b"Some lines of text\n" * 216)[:CLUSTER] + noise(2, 1))
    board.claims.add([Span(0, 10)])
    assert np.flatnonzero(may_be_packed(board)).tolist() == [1, 4]


def test_what_is_strange_are_pairs_of_bytes_that_come_up_only_behind_a_border():
    likeness, draw = Likeness(), random.Random(5)
    pieces = [draw.randbytes(3000), bytes(range(256)) * 9, b"", b"a"]
    for border, piece in enumerate(pieces):
        likeness.note(piece, border)
    looked = draw.randbytes(2000) + bytes(range(200))
    for bound in range(len(pieces) + 1):
        known = {pair for piece in pieces[:bound] for pair in pairwise(piece)}
        new = [pair not in known for pair in pairwise(looked)]
        assert likeness.before(bound).strangeness(looked) == sum(new) / len(new)
    assert likeness.strangeness(b"") == likeness.strangeness(b"a") == 0


def test_places_come_by_their_distance_as_if_all_were_sorted_by_it():
    draw = random.Random(3)
    for count in (0, 1, 5, 200):
        places = sorted(draw.sample(range(1000), count))
        for wanted in (-5, 0, 499, 500, 1200):
            expected = sorted(places, key=lambda place: abs(place - wanted))
            assert list(by_distance(np.array(places, np.int64), wanted)) == expected
            assert nearest(places, wanted) == expected[:CANDIDATES]
