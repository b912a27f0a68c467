"""Ciphers against other implementations, in whatever pieces they are fed."""

import pytest
from Cryptodome.Cipher import AES, Salsa20
from hypothesis import given
from hypothesis import strategies as st

from tests.lockers import drawn
from unransom.crypto.answers import ANSWERS
from unransom.crypto.ciphers.aes import AesCbc, AesCtr
from unransom.crypto.ciphers.salsa import Salsa

PIECES = st.lists(st.integers(0, 300), max_size=12)


@pytest.mark.parametrize("known", ANSWERS, ids=lambda known: known.name)
def test_published_vectors(known):
    assert known.compute() == known.answer


def in_pieces(cipher, data, sizes):
    """Return ``data`` decrypted in pieces, in place."""
    buffer, position = bytearray(data), 0
    for size in [*sizes, len(data)]:
        piece = memoryview(buffer)[position : position + size]
        cipher.decrypt_into(piece, piece)
        position += size
    return bytes(buffer)


@given(PIECES)
def test_salsa20_goes_on_where_it_stopped(sizes):
    data, key, nonce = drawn("data", 4000), drawn("key", 32), drawn("nonce", 8)
    assert in_pieces(Salsa.from_key(key, nonce), data, sizes) == Salsa20.new(key, nonce=nonce).decrypt(data)


def test_salsa20_counts_over_32_bits():
    state = bytearray(drawn("state", 64))
    state[32:40] = (0xFFFFFFFF).to_bytes(8, "little")
    two = in_pieces(Salsa(bytes(state)), bytes(128), [])
    state[32:40] = (0x100000000).to_bytes(8, "little")
    assert in_pieces(Salsa(bytes(state)), bytes(64), []) == two[64:]


@given(PIECES, st.sampled_from([16, 24, 32]))
def test_aes_ctr_in_pieces(sizes, key_size):
    data, key = drawn("data", 4000), drawn("key", key_size)
    other = AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=2**128 - 3)
    cipher = AesCtr(key, (2**128 - 3).to_bytes(16))
    assert in_pieces(cipher, data, sizes) == other.decrypt(data)


@given(st.lists(st.integers(0, 20), max_size=8))
def test_aes_cbc_in_pieces(blocks):
    data, key, iv = drawn("data", 4000), drawn("key", 32), drawn("iv", 16)
    sizes = [16 * count for count in blocks]
    assert in_pieces(AesCbc(key, iv), data, sizes) == AES.new(key, AES.MODE_CBC, iv).decrypt(data)


def test_aes_cbc_takes_whole_blocks_only():
    with pytest.raises(ValueError, match="whole AES blocks"):
        AesCbc(bytes(32), bytes(16)).decrypt_into(memoryview(bytes(17)), memoryview(bytearray(17)))
