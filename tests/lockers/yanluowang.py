"""Seals like Yanluowang: Sosemanuk in plain Python, its key under RSA-1024 behind the file."""

from Cryptodome.Hash import SHA1

from tests.lockers import Made, content, drawn
from tests.lockers.oaep import oaep
from tests.lockers.rsa import key_of, pkcs1
from tests.lockers.sosemanuk import sosemanuk


def seal(plain: bytes, key: bytes, areas: list[tuple[int, int]], *, anew: bool = False) -> bytes:
    """Return ``plain`` with the areas from start to end locked."""
    parts = [plain[start:end] for start, end in areas]
    stream = b"" if anew else sosemanuk(b"".join(parts), key, bytes(16))
    locked, used = bytearray(plain), 0
    for (start, end), part in zip(areas, parts, strict=True):
        locked[start:end] = sosemanuk(part, key, bytes(16)) if anew else stream[used : used + len(part)]
        used += len(part)
    return bytes(locked)


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the private key, or the file's key."""
    seed, private = vector["seed"], key_of("rsa1024")
    plain, key = content(seed, vector["size"]), drawn(seed + " key", 32)
    tail = oaep(private, key, seed, SHA1) if vector.get("oaep") else pkcs1(private, key, seed)
    locked = seal(plain, key, [(0, len(plain))]) + tail
    return Made(plain, locked, key if vector.get("given") else private.export_key())
