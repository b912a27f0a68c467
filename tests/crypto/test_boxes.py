"""Boxes against libsodium and pycryptodomex, and with hostile content."""

import nacl.bindings
import pytest
from Cryptodome.Cipher import AES, ChaCha20_Poly1305
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey, SealedBox

from tests.lockers import drawn
from unransom.crypto import boxes

KEY = drawn("key", 32)
NONCES = {"chacha20-poly1305": 12, "xchacha20-poly1305": 24, "aes-gcm": 16}


def seal(cipher, message):
    """Return nonce, sealed message and tag."""
    nonce = drawn(cipher, NONCES[cipher])
    if cipher == "aes-gcm":
        return nonce, *AES.new(KEY, AES.MODE_GCM, nonce).encrypt_and_digest(message)
    return nonce, *ChaCha20_Poly1305.new(key=KEY, nonce=nonce).encrypt_and_digest(message)


@pytest.mark.parametrize("cipher", NONCES)
@pytest.mark.parametrize("size", [0, 1, 64, 1000])
def test_boxes_open_with_and_without_their_tag(cipher, size):
    message = drawn("message", size)
    nonce, sealed, tag = seal(cipher, message)
    assert boxes.opened(cipher, KEY, nonce, sealed, tag) == message
    assert boxes.opened(cipher, KEY, nonce, sealed, None) == message
    assert boxes.opened(cipher, KEY, nonce, sealed, bytes(16)) is None
    assert boxes.opened(cipher, bytes(32), nonce, sealed, tag) is None


@pytest.mark.parametrize("cipher", NONCES)
@given(
    st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=60), st.none() | st.binary(max_size=20)
)
def test_wrong_lengths_open_nothing(cipher, key, nonce, sealed, tag):
    found = boxes.opened(cipher, key, nonce, sealed, tag)
    assert found is None or tag is None


def test_sealed_boxes_are_those_of_libsodium():
    private = PrivateKey(KEY)
    box = SealedBox(private.public_key).encrypt(b"the key of a file")
    assert boxes.unsealed(KEY, box) == b"the key of a file"
    assert boxes.unsealed(bytes(31) + b"\1", box) is None


@given(st.binary(max_size=40), st.binary(max_size=100))
def test_hostile_sealed_boxes_open_nothing(private, box):
    assert boxes.unsealed(private, box) is None
    assert boxes.unsealed(nacl.bindings.randombytes(32), box) is None
