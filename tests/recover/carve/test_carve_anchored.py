"""7z, RAR and MP4 in two pieces: by what stands behind the cut; what no check proves is said."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.catalog.formats import film_samples
from tests.catalog.formats.archive_maker import make_7z, make_rar4, make_rar5, text
from tests.recover.carve.boards import CLUSTER, board_of, carved_by, noise
from unransom.recover.carve.found import Proof
from unransom.recover.carve.reassembly import anchored


def texts(count=6, size=40_000):
    return [text(number, size) for number in range(count)]


def film():
    """Return a film with as many pictures as make some clusters, its tables behind them."""
    return film_samples.mp4()


SUMMED = {
    "7z-lzma2": make_7z(texts()),
    "7z-lzma": make_7z(texts(), method="lzma"),
    "7z-copy": make_7z(texts(), method="copy"),
    "rar4": make_rar4(texts()),
    "rar5": make_rar5(texts()),
}


def in_two(data, cut, order, gap):
    """Return an image with ``data`` in two pieces; the second may stand in front."""
    first, second = data[: cut * CLUSTER], data[cut * CLUSTER :]
    second += bytes(-len(second) % CLUSTER)
    parts = (first, gap, second) if order == "gap" else (second, gap, first)
    return noise(1, 3) + b"".join(parts) + noise(2, 3)


@pytest.mark.parametrize("order", ["gap", "swapped"])
@pytest.mark.parametrize("name", SUMMED)
def test_archives_with_sums_come_back_proven(name, order):
    data = SUMMED[name]
    for cut in {1, len(data) // CLUSTER // 2, len(data) // CLUSTER}:
        ((found, content),) = carved_by(anchored.find, in_two(data, cut, order, noise(cut, 5)))
        assert content == data
        assert found.proof is Proof.CHECKSUM


def test_packed_rar_comes_back_where_the_clusters_tell_the_border():
    data = make_rar5([random.Random(number).randbytes(50_000) for number in range(3)], method=3)
    ((found, content),) = carved_by(anchored.find, in_two(data, 17, "gap", bytes(5 * CLUSTER)))
    assert content == data
    assert found.proof is Proof.HEURISTIC


@pytest.mark.parametrize("order", ["gap", "swapped"])
def test_films_come_back_by_their_tables(order):
    data = film()
    for cut in (1, 3, 5):
        ((found, content),) = carved_by(anchored.find, in_two(data, cut, order, bytes(4 * CLUSTER)))
        assert content == data
        assert found.proof in {Proof.DECODER, Proof.HEURISTIC}


def test_what_lies_in_one_piece_is_left_to_others():
    for data in (*SUMMED.values(), film()):
        assert carved_by(anchored.find, noise(1, 2) + data + bytes(-len(data) % CLUSTER) + noise(2, 2)) == []


def test_a_lost_end_costs_little_and_gives_nothing():
    for data in (*SUMMED.values(), film()):
        assert carved_by(anchored.find, noise(1, 2) + data[: 4 * CLUSTER] + noise(2, 60)) == []


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(SUMMED)), st.integers(0, 1 << 30), st.binary(min_size=1, max_size=40))
def test_damage_raises_nothing(name, place, other):
    image = bytearray(in_two(SUMMED[name][: 9 * CLUSTER], 2, "gap", b""))
    place %= len(image)
    image[place : place + len(other)] = other
    list(anchored.find(board_of(bytes(image)), 0, 1))
