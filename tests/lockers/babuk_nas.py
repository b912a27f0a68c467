"""Seals like Babuk for NAS: ChaCha20 over the first 4 MiB, or over one MiB of every whole ten."""

import hashlib

from Cryptodome.Cipher import ChaCha20
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from tests.lockers import Made, content, drawn
from tests.lockers.inc import public_of

MEGABYTE = 0x100000


def make(vector: dict) -> Made:
    """Return the locked file of a vector."""
    seed, size = vector["seed"], vector["size"]
    private, ephemeral = drawn(seed + " private", 32), drawn(seed + " ephemeral", 32)
    campaign = X25519PublicKey.from_public_bytes(public_of(private))
    secret = X25519PrivateKey.from_private_bytes(ephemeral).exchange(campaign)
    key = hashlib.sha256(secret).digest()
    cipher = ChaCha20.new(key=key, nonce=hashlib.sha256(key).digest()[10:22])
    plain = content(seed, size)
    locked = bytearray(plain)
    if size > 0x1400000:
        for index in range(size // (10 * MEGABYTE)):
            start = index * 10 * MEGABYTE
            locked[start : start + MEGABYTE] = cipher.encrypt(plain[start : start + MEGABYTE])
    else:
        locked[: 4 * MEGABYTE] = cipher.encrypt(plain[: 4 * MEGABYTE])
    tail = public_of(ephemeral) + bytes.fromhex("ABBCCDDEEFF0")
    return Made(plain, bytes(locked) + tail, private)
