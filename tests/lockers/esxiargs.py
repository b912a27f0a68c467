"""Seals like ESXiArgs: Sosemanuk over parts of a file, the key under RSA behind it."""

import io

from Cryptodome.Cipher import PKCS1_OAEP

from tests.lockers import Made, drawn
from tests.lockers.rsa import key_of, pkcs1
from tests.lockers.sosemanuk import Sosemanuk
from tests.lockers.sparse import Sparse, editable, finished


def seal(
    plain: bytes | Sparse, key: bytes, mebibyte: int, step: int, *, anew: bool = False
) -> bytes | Sparse:
    """Return ``plain`` with ``mebibyte`` bytes locked and ``step`` left by turns; 0 for one stream."""
    locked, cipher = editable(plain), Sosemanuk(key)
    for start in range(0, len(plain), mebibyte + step):
        cipher = Sosemanuk(key) if anew and step else cipher
        end = min(start + mebibyte, len(plain))
        locked[start:end] = cipher.encrypt(plain[start:end])
    return finished(locked)


def content(_: str, size: int) -> bytes:
    """Return text, by which areas can be seen to be plain."""
    return (b"10042;two lamps;shipped\n" * size)[:size]


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the private key, or the file's key."""
    seed, private = vector["seed"], key_of(vector.get("private", "rsa2048"))
    plain = content(seed, vector["size"])
    key = drawn(seed + " key", 32)
    if vector.get("oaep"):
        noise = io.BytesIO(drawn(seed + " padding", 1 << 10))
        tail = PKCS1_OAEP.new(private, randfunc=noise.read).encrypt(key)
    else:
        tail = pkcs1(private, key, seed)
    step = vector.get("step", 0) << 20
    locked = seal(plain, key, 1 << 20, step, anew=vector.get("anew", False)) + tail
    return Made(plain, locked, key if vector.get("given") else private.export_key())
