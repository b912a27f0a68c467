"""Seals like Babuk on ESXi: Sosemanuk over the first 512 MiB, its key the hash of the X25519 secret."""

import hashlib

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from tests.lockers import Made, content, drawn
from tests.lockers.inc import public_of
from tests.lockers.sosemanuk import sosemanuk


def make(vector: dict) -> Made:
    """Return the locked file of a vector, which is shorter than 512 MiB."""
    seed = vector["seed"]
    private, ephemeral = drawn(seed + " private", 32), drawn(seed + " ephemeral", 32)
    campaign = X25519PublicKey.from_public_bytes(public_of(private))
    secret = X25519PrivateKey.from_private_bytes(ephemeral).exchange(campaign)
    plain = content(seed, vector["size"])
    locked = sosemanuk(plain, hashlib.sha256(secret).digest(), bytes(16))
    return Made(plain, locked + public_of(ephemeral), private)
