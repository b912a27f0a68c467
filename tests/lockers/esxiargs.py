"""Seals like ESXiArgs: Sosemanuk in plain Python over parts of a file, the key under RSA behind it."""

import io

from Cryptodome.Cipher import PKCS1_OAEP

from tests.lockers import Made, drawn
from tests.lockers.rsa import key_of, pkcs1
from tests.lockers.sosemanuk import sosemanuk


def seal(plain: bytes, key: bytes, mebibyte: int, step: int, *, anew: bool = False) -> bytes:
    """Return ``plain`` with ``mebibyte`` bytes locked and ``step`` left by turns; all where that is 0."""
    starts = range(0, len(plain), mebibyte + step) if step else [0]
    length = mebibyte if step else len(plain)
    parts = [plain[start : start + length] for start in starts]
    sealed = b"" if anew else sosemanuk(b"".join(parts), key, bytes(16))
    locked, used = bytearray(plain), 0
    for start, part in zip(starts, parts, strict=True):
        data = sosemanuk(part, key, bytes(16)) if anew else sealed[used : used + len(part)]
        locked[start : start + len(part)] = data
        used += len(part)
    return bytes(locked)


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the private key, or the file's key."""
    seed, private = vector["seed"], key_of(vector.get("private", "rsa2048"))
    plain = (b"10042;two lamps;shipped\n" * vector["size"])[: vector["size"]]
    key = drawn(seed + " key", 32)
    if vector.get("oaep"):
        noise = io.BytesIO(drawn(seed + " padding", 1 << 10))
        tail = PKCS1_OAEP.new(private, randfunc=noise.read).encrypt(key)
    else:
        tail = pkcs1(private, key, seed)
    locked = seal(plain, key, 1 << 20, 0) + tail
    return Made(plain, locked, key if vector.get("given") else private.export_key())
