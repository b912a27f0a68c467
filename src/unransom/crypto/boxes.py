"""Small messages under an authenticated cipher: wrapped keys, and metadata. Answers are remembered."""

from __future__ import annotations

import functools
from typing import Literal

import nacl.bindings
import nacl.exceptions
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from unransom.crypto.ciphers.aes import AesGcm
from unransom.crypto.ciphers.at_once import decrypted

Aead = Literal["chacha20-poly1305", "xchacha20-poly1305", "aes-gcm"]
REMEMBERED = 4096  # answers
TAG = 16  # bytes
SEAL = 48  # bytes of a sealed box besides the message: public key and tag


@functools.lru_cache(maxsize=REMEMBERED)
def opened(cipher: Aead, key: bytes, nonce: bytes, sealed: bytes, tag: bytes | None) -> bytes | None:
    """Return the message in ``sealed``.

    Args:
        cipher: The cipher.
        key: 32 bytes, or as many as AES takes.
        nonce: As many bytes as the cipher takes.
        sealed: The encrypted message.
        tag: Its tag; None where it is lost, and nothing is checked then.

    Returns:
        None where the tag does not hold, or a length is wrong.
    """
    try:
        if tag is None:
            return _unchecked(cipher, key, nonce, sealed)
        return _checked(cipher, key, nonce, sealed + tag)
    except (ValueError, InvalidTag, nacl.exceptions.CryptoError):
        return None


def _checked(cipher: Aead, key: bytes, nonce: bytes, sealed: bytes) -> bytes:
    if cipher == "xchacha20-poly1305":
        return nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, None, nonce, key)
    if cipher == "aes-gcm":
        return AESGCM(key).decrypt(nonce, sealed, None)
    return ChaCha20Poly1305(key).decrypt(nonce, sealed, None)


def _unchecked(cipher: Aead, key: bytes, nonce: bytes, sealed: bytes) -> bytes:
    if cipher == "aes-gcm":
        return decrypted(AesGcm(key, nonce), sealed)
    from unransom.crypto.ciphers.poly1305 import ChaChaPoly  # noqa: PLC0415 numba takes half a second

    return decrypted(ChaChaPoly(key, nonce), sealed)


@functools.lru_cache(maxsize=REMEMBERED)
def unsealed(private: bytes, box: bytes) -> bytes | None:
    """Return the message in a sealed box of libsodium, None where the key is wrong.

    Args:
        private: X25519 scalar, 32 bytes.
        box: Ephemeral public key, tag and encrypted message.
    """
    if len(private) != nacl.bindings.crypto_box_SECRETKEYBYTES or len(box) < SEAL:
        return None
    try:
        public = nacl.bindings.crypto_scalarmult_base(private)
        return nacl.bindings.crypto_box_seal_open(box, public, private)
    except (nacl.exceptions.CryptoError, ValueError):
        return None
