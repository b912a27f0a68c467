"""Three digests in one pass."""

import hashlib
import random

from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from unransom.core.hashing import Hasher, digest
from unransom.core.streams import BytesReader


@given(st.lists(st.binary(max_size=300)))
def test_pieces_give_the_digests_of_the_whole(pieces):
    data = b"".join(pieces)
    hasher = Hasher()
    for piece in pieces:
        hasher.update(piece)
    found = hasher.digests()
    assert (found.size, found.md5) == (len(data), hashlib.md5(data).hexdigest())
    assert (found.sha256, found.blake3) == (hashlib.sha256(data).hexdigest(), blake3(data).hexdigest())


def test_large_pieces_are_hashed_in_threads_and_in_order():
    data = bytes(range(256)) * 20000
    assert digest(BytesReader(data)).sha256 == hashlib.sha256(data).hexdigest()


def test_large_and_small_pieces_stay_in_order_and_buffers_may_be_used_again():
    sizes = (200_000, 10, 100_000, 70_000, 65_536, 90_000, 3) * 6
    chance = random.Random(7)
    pieces = [chance.randbytes(size) for size in sizes]
    buffers = [bytearray(max(sizes)) for _ in range(2)]
    hasher = Hasher()
    for number, piece in enumerate(pieces):
        if number % 5 < 3:
            hasher.update(piece)
            continue
        buffers.reverse()
        buffers[0][: len(piece)] = piece
        hasher.update(memoryview(buffers[0])[: len(piece)])
    data = b"".join(pieces)
    found = hasher.digests()
    assert (found.size, found.md5) == (len(data), hashlib.md5(data).hexdigest())
    assert (found.sha256, found.blake3) == (hashlib.sha256(data).hexdigest(), blake3(data).hexdigest())


def test_as_many_buffers_as_were_named_may_be_filled_in_turn():
    chance = random.Random(8)
    pieces = [chance.randbytes(3 << 20) for _ in range(12)]  # the caller fills faster than MD5 reads
    for count in (2, 3, 4, 9):
        buffers = [bytearray(3 << 20) for _ in range(count)]
        hasher = Hasher(count)
        for number, piece in enumerate(pieces):
            buffer = memoryview(buffers[number % count])
            buffer[:] = piece
            hasher.update(buffer)
        assert hasher.digests().md5 == hashlib.md5(b"".join(pieces)).hexdigest()
