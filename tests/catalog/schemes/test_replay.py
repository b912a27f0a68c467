"""An original is read anywhere, however large, by following its plan."""

import random

import pytest
from Cryptodome.Cipher import AES

from unransom.catalog.schemes.family import Keep, Lost, Plan, Unlock
from unransom.catalog.schemes.replay import KEPT, Replay, TooLongError
from unransom.core.streams import CHUNK, BytesReader, Salvage
from unransom.crypto.ciphers.aes import AesCbc

SIZE = (KEPT + 3) * CHUNK + 777
KEY, IV = bytes(range(32)), bytes(16)
PLAIN = random.Random(6).randbytes(SIZE)
LOCKED = 5 * CHUNK + 32
SEALED = (
    PLAIN[:100] + AES.new(KEY, AES.MODE_CBC, IV).encrypt(PLAIN[100 : 100 + LOCKED]) + PLAIN[100 + LOCKED :]
)


def make():
    rest = Keep(100 + LOCKED, SIZE - LOCKED - 100)
    return Plan(SIZE, iter([Keep(0, 100), Unlock(100, LOCKED, AesCbc(KEY, IV)), rest]))


def test_what_is_read_is_the_original_wherever_it_is():
    replay = Replay(Salvage(BytesReader(SEALED)), make, 100 * SIZE)
    assert replay.size == SIZE
    for start, length in ((SIZE - 1000, 5000), (0, 16), (CHUNK - 8, 16), (3 * CHUNK, 3 * CHUNK), (SIZE, 1)):
        assert replay.read_at(start, length) == PLAIN[start : start + length], start
    assert not replay.lost


def test_what_is_kept_in_memory_and_what_is_followed_is_bounded():
    replay = Replay(Salvage(BytesReader(SEALED)), make, 2 * SIZE)
    replay.read_at(SIZE - 10, 10)
    replay.read_at(SIZE - KEPT * CHUNK // 2, 10)
    assert SIZE <= replay.followed < SIZE + CHUNK
    assert len(replay._kept) == KEPT
    replay.read_at(0, 10)
    assert replay.followed < SIZE + 2 * CHUNK
    with pytest.raises(TooLongError):
        replay.read_at(0, SIZE)


def test_what_cannot_be_read_is_told():
    whole = Replay(Salvage(BytesReader(SEALED)), lambda: Plan(100, iter([Keep(0, 50), Lost(50)])), SIZE)
    assert whole.read_at(0, 200) == PLAIN[:50] + bytes(50)
    assert whole.lost
