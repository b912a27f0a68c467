"""Disks in pieces that build on each other: what is asked of those below stays in proportion."""

from __future__ import annotations

from unransom.core.spans import Span
from unransom.core.streams import BytesReader
from unransom.evidence.containers.mapped import Mapped, Piece

CLUSTER, CLUSTERS = 512, 600


class Layer(Mapped):
    """A snapshot that has nothing of its own but one cluster, and counts what it is asked."""

    def __init__(self, below: Layer | None, own: int) -> None:
        self.size = CLUSTER * CLUSTERS
        self.asked = 0
        self._below = below
        self._own = own

    def piece_at(self, offset: int) -> Piece:
        self.asked += 1
        number, inside = divmod(offset, CLUSTER)
        if number == self._own:
            return Piece(CLUSTER - inside, BytesReader(b"x" * CLUSTER), inside)
        if self._below is None:
            return Piece(CLUSTER - inside)
        return Piece(CLUSTER - inside, self._below, offset)


def test_a_chain_of_snapshots_is_looked_through_once_a_layer() -> None:
    layers = [Layer(None, 100)]
    for number in range(1, 6):
        layers.append(Layer(layers[-1], 100 * number + 3))
    stored = list(layers[-1].extents())
    wanted = sorted([100, *(100 * number + 3 for number in range(1, 6))])
    assert stored == [Span(number * CLUSTER, (number + 1) * CLUSTER) for number in wanted]
    assert max(layer.asked for layer in layers) <= 4 * CLUSTERS


def test_a_hole_ends_where_it_ends_whatever_is_asked() -> None:
    layer = Layer(Layer(None, 5), 9)
    assert layer.hole_at(0) == 5 * CLUSTER
    assert layer.hole_at(100, 200) >= 200
    assert layer.hole_at(6 * CLUSTER + 7) == 3 * CLUSTER - 7
    assert layer.hole_at(5 * CLUSTER) == 0
    assert layer.hole_at(layer.size) == 0


class Whole(Layer):
    """A snapshot without anything of its own, which says so of all its clusters at once."""

    def piece_at(self, offset: int) -> Piece:
        self.asked += 1
        return Piece(self.size - offset, self._below, offset)


def test_a_layer_in_small_pieces_does_not_ask_for_more_than_they_are() -> None:
    base = Layer(None, CLUSTERS - 1)
    top = Layer(Whole(base, -1), -1)
    assert list(top.extents()) == [Span((CLUSTERS - 1) * CLUSTER, CLUSTERS * CLUSTER)]
    assert base.asked <= 4 * CLUSTERS


def test_a_hole_is_looked_through_once_however_often_it_is_asked_for() -> None:
    layer = Layer(None, CLUSTERS - 1)
    for offset in range(0, (CLUSTERS - 1) * CLUSTER, CLUSTER):
        assert layer.hole_at(offset) == (CLUSTERS - 1) * CLUSTER - offset
    assert layer.asked <= 4 * CLUSTERS
