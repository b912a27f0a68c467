"""Seals like INC: X25519 and SHA-512 for the key, AES-128-CTR over one million bytes of every three."""

import hashlib

from Cryptodome.Cipher import AES
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from tests.lockers import Made, content, drawn


def public_of(private: bytes) -> bytes:
    """Return the public key of a campaign's private key."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def seal(plain: bytes, public: bytes, ephemeral: bytes) -> bytes:
    """Return ``plain`` locked for the campaign's ``public`` key with a file's ``ephemeral`` private key."""
    own = X25519PrivateKey.from_private_bytes(ephemeral)
    derived = hashlib.sha512(own.exchange(X25519PublicKey.from_public_bytes(public))).digest()
    counter = int.from_bytes(derived[16:32])
    cipher = AES.new(derived[:16], AES.MODE_CTR, nonce=b"", initial_value=counter)
    locked = bytearray(plain)
    for start in range(0, len(plain), 3_000_000):
        locked[start : start + 1_000_000] = cipher.encrypt(plain[start : start + 1_000_000])
    return bytes(locked) + own.public_key().public_bytes_raw() + b"INC"


def make(vector: dict) -> Made:
    """Return the locked file of a vector."""
    private = drawn(vector["seed"] + " private", 32)
    plain = content(vector["seed"], vector["size"])
    locked = seal(plain, public_of(private), drawn(vector["seed"] + " ephemeral", 32))
    return Made(plain, locked, private)
