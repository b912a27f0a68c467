"""Seals like Babuk on ESXi: Sosemanuk over the first 512 MiB, its key the hash of the X25519 secret."""

import hashlib

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from tests.lockers import Made, content, drawn
from tests.lockers.inc import public_of
from tests.lockers.sosemanuk import Sosemanuk
from tests.lockers.sparse import editable, finished

LOCKED, PART = 512 << 20, 1 << 20


def make(vector: dict) -> Made:
    """Return the locked file of a vector."""
    seed = vector["seed"]
    private, ephemeral = drawn(seed + " private", 32), drawn(seed + " ephemeral", 32)
    campaign = X25519PublicKey.from_public_bytes(public_of(private))
    secret = X25519PrivateKey.from_private_bytes(ephemeral).exchange(campaign)
    plain = content(seed, vector["size"])
    locked, cipher = editable(plain), Sosemanuk(hashlib.sha256(secret).digest())
    for start in range(0, min(len(plain), LOCKED), PART):
        end = min(start + PART, len(plain))
        locked[start:end] = cipher.encrypt(plain[start:end])
    return Made(plain, finished(locked) + public_of(ephemeral), private)
