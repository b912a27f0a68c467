"""Seals like Akira of 2023: ChaCha8 over the whole file, its first percent, or spots of it; RSA-4096."""

from tests.lockers import Made, content, drawn
from tests.lockers.conti import lock, tail
from tests.lockers.rsa import key_of, pkcs1

MODES = {"full": 0, "part": 1, "spot": 2}


def areas(mode: str, size: int, percent: int) -> list[tuple[int, int]]:
    """Return start and length of each locked area; they may overlap."""
    if mode == "full":
        return [(0, size)]
    wanted = size * percent // 100
    if mode == "part":
        return [(0, wanted)]
    if percent < 50:
        length = wanted // 3
        return [(0, length), ((size - 2 * length) // 3, length)]
    length = wanted // 5
    step = (size - 4 * length) // 5
    return [(0, length), (step, length), (2 * step, length), (3 * step, length)]


def make(vector: dict) -> Made:
    """Return the locked file of a vector."""
    seed, size, percent = vector["seed"], vector["size"], vector["percent"]
    rsa = key_of(vector["rsa_key"])
    plain, key, nonce = content(seed, size), drawn(seed + " key", 32), drawn(seed + " nonce", 8)
    locked = lock(plain, areas(vector["mode"], size, percent), key, nonce)
    end = tail(pkcs1(rsa, key + nonce, seed), MODES[vector["mode"]], percent, size)
    return Made(plain, locked + end, rsa.export_key())
