"""Windows event logs in fragments: by the numbers of their events, also where a log went round."""

import random
import struct
import zlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.catalog.formats.program_samples import evtx_chunk
from tests.recover.carve.boards import CLUSTER, board_of, carved_by, noise
from unransom.recover.carve.found import Proof
from unransom.recover.carve.reassembly import events

PER_CHUNK = 200


def chunk(first):
    """Return a chunk with the numbers of its events in its head."""
    made = bytearray(evtx_chunk(first))
    struct.pack_into("<QQQQ", made, 8, *(first, first + PER_CHUNK - 1) * 2)
    struct.pack_into("<I", made, 124, zlib.crc32(made[128:512], zlib.crc32(made[:120])))
    return bytes(made)


def log(count, *, first=1, newest=None):
    """Return a log of ``count`` chunks of which ``newest`` was written last."""
    newest = count - 1 if newest is None else newest
    slots = [(slot - newest - 1) % count for slot in range(count)]  # 0 is the oldest
    head = bytearray(b"ElfFile\0".ljust(4096, b"\0"))
    struct.pack_into("<QQQ", head, 8, slots.index(0), newest, first + count * PER_CHUNK)
    struct.pack_into("<IHHHH", head, 32, 128, 1, 3, 4096, count)
    struct.pack_into("<I", head, 124, zlib.crc32(head[:120]))
    return bytes(head) + b"".join(chunk(first + PER_CHUNK * rank) for rank in slots)


def scattered(data, pieces, seed):
    """Return an image with ``data`` in shuffled pieces."""
    draw = random.Random(seed)
    total = len(data) // CLUSTER
    cuts = [0, *sorted(draw.sample(range(1, total), pieces - 1)), total]
    parts = [data[start * CLUSTER : end * CLUSTER] for start, end in pairwise(cuts)]
    draw.shuffle(parts)
    return noise(seed, 2) + b"".join(part + noise(len(part), draw.randrange(1, 4)) for part in parts)


@pytest.mark.parametrize("newest", [None, 2])
@pytest.mark.parametrize("pieces", [2, 4])
def test_logs_in_pieces_come_back_proven(pieces, newest):
    data = log(8, newest=newest, first=5001)
    whole = 0
    for seed in range(6):
        found = carved_by(events.find, scattered(data, pieces, seed))
        assert [content for _, content in found] == [data] * len(found)
        assert {each.proof for each, _ in found} <= {Proof.CHECKSUM}
        whole += len(found)
    assert whole >= 4  # where the last chunk is cut, nothing stands behind it


def test_two_logs_with_other_numbers_come_back():
    one, other = log(3), log(4, first=9001)
    parts = one[: 20 * CLUSTER], other[: 33 * CLUSTER], one[20 * CLUSTER :], other[33 * CLUSTER :]
    found = carved_by(events.find, noise(1, 2) + b"".join(parts) + noise(2, 2))
    assert {content for _, content in found} == {one, other}


def test_logs_with_the_same_numbers_are_not_called_proven():
    one, other = log(3), log(3)
    parts = one[: 17 * CLUSTER], other[: 33 * CLUSTER], one[17 * CLUSTER :], other[33 * CLUSTER :]
    found = carved_by(events.find, noise(1, 2) + b"".join(parts) + noise(2, 2))
    assert {each.proof for each, _ in found} <= {Proof.HEURISTIC}


def test_a_lost_chunk_gives_nothing():
    data = log(6)
    assert (
        carved_by(events.find, noise(1, 1) + data[: 20 * CLUSTER] + noise(2, 2) + data[40 * CLUSTER :]) == []
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1 << 30), st.binary(min_size=1, max_size=40))
def test_damage_raises_nothing(place, other):
    image = bytearray(scattered(log(3), 2, 1))
    place %= len(image)
    image[place : place + len(other)] = other
    list(events.find(board_of(bytes(image)), 0, 1))
