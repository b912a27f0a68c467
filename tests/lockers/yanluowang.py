"""Seals like Yanluowang: Sosemanuk, its key under RSA-1024 behind the file."""

from Cryptodome.Hash import SHA1

from tests.lockers import Made, content, drawn
from tests.lockers.oaep import oaep
from tests.lockers.rsa import key_of, pkcs1
from tests.lockers.sosemanuk import Sosemanuk
from tests.lockers.sparse import Sparse, editable, finished


def seal(
    plain: bytes | Sparse, key: bytes, areas: list[tuple[int, int]], *, anew: bool = False
) -> bytes | Sparse:
    """Return ``plain`` with the areas from start to end locked."""
    locked, cipher = editable(plain), Sosemanuk(key)
    for start, end in areas:
        cipher = Sosemanuk(key) if anew else cipher
        locked[start:end] = cipher.encrypt(plain[start:end])
    return finished(locked)


def areas(vector: dict) -> list[tuple[int, int]]:
    """Return the areas that a vector's megabytes are of, or all of a file."""
    size, step, unit = vector["size"], vector.get("step"), vector.get("megabyte")
    if not step:
        return [(0, size)]
    first = (step - 5) * unit if vector.get("late") else 0
    return [(start, min(start + 5 * unit, size)) for start in range(first, size, step * unit)]


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the private key, or the file's key."""
    seed, private = vector["seed"], key_of("rsa1024")
    plain, key = content(seed, vector["size"]), drawn(seed + " key", 32)
    tail = oaep(private, key, seed, SHA1) if vector.get("oaep") else pkcs1(private, key, seed)
    locked = seal(plain, key, areas(vector), anew=vector.get("anew", False)) + tail
    return Made(plain, locked, key if vector.get("given") else private.export_key())
