"""Seals like Maze: ChaCha8 over the whole file, key and nonce under RSA-2048."""

from tests.lockers import Made, content, drawn
from tests.lockers.chacha import chacha
from tests.lockers.rsa import key_of, pkcs1


def make(vector: dict) -> Made:
    """Return the locked file of a vector."""
    seed = vector["seed"]
    rsa = key_of(vector["rsa_key"])
    plain, key, nonce = content(seed, vector["size"]), drawn(seed + " key", 32), drawn(seed + " nonce", 8)
    blob = pkcs1(rsa, key + nonce, seed)[::-1]
    tail = blob + drawn(seed + " unused", 4) + bytes([0x66, 0x11, 0x61, 0x66])
    return Made(plain, chacha(plain, key, nonce, 8) + tail, rsa.export_key())
