"""The hash that LibTomCrypt makes of a block cipher (CHC), here of AES-128: 16 bytes."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

BLOCK = 16  # bytes of a block, of the key and of the hash
LENGTH = 8  # bytes of the length that ends the last block


def chc(data: bytes) -> bytes:
    """Return the hash of ``data``: a few bytes, since every block of it takes a key schedule."""
    padded = data + b"\x80"
    padded += bytes(-(len(padded) + LENGTH) % BLOCK) + (8 * len(data)).to_bytes(LENGTH, "little")
    state = _encrypted(bytes(BLOCK), bytes(BLOCK))
    for start in range(0, len(padded), BLOCK):
        block = padded[start : start + BLOCK]
        parts = (state, block, _encrypted(state, block))
        state = bytes(one ^ two ^ three for one, two, three in zip(*parts, strict=True))
    return state


def _encrypted(key: bytes, block: bytes) -> bytes:
    return Cipher(AES(key), ECB()).encryptor().update(block)  # noqa: S305 a single block
