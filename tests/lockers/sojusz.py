"""Seals like Sojusz: Salsa20/8 over a whole file or its first 100 KiB, the run's key under RSA-2048."""

import numpy as np

from tests.lockers import Made, content, drawn
from tests.lockers.rsa import key_of, pkcs1

FIRST = 102_400
CONSTANTS = b"expand 32-byte k"
QUARTERS = (
    *((0, 4, 8, 12), (5, 9, 13, 1), (10, 14, 2, 6), (15, 3, 7, 11)),
    *((0, 1, 2, 3), (5, 6, 7, 4), (10, 11, 8, 9), (15, 12, 13, 14)),
)


def salsa(data: bytes, key: bytes, nonce: bytes, rounds: int) -> bytes:
    """Return ``data`` under Salsa20, written after the specification with numpy, all blocks at once."""
    count = (len(data) + 63) // 64
    fixed = CONSTANTS[:4] + key[:16] + CONSTANTS[4:8] + nonce + bytes(8)
    fixed += CONSTANTS[8:12] + key[16:] + CONSTANTS[12:]
    start = [np.full(count, word, np.uint32) for word in np.frombuffer(fixed, "<u4")]
    start[8] = np.arange(count, dtype=np.uint32)
    x = list(start)
    for _ in range(rounds // 2):
        for a, b, c, d in QUARTERS:
            for target, left, right, turn in ((b, a, d, 7), (c, b, a, 9), (d, c, b, 13), (a, d, c, 18)):
                added = x[left] + x[right]
                x[target] = x[target] ^ (added << np.uint32(turn) | added >> np.uint32(32 - turn))
    stream = np.stack([a + b for a, b in zip(x, start, strict=True)], axis=1).astype("<u4").tobytes()
    return (np.frombuffer(data, np.uint8) ^ np.frombuffer(stream, np.uint8)[: len(data)]).tobytes()


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is what ``opens``: ``rsa``, ``run`` or ``file``."""
    seed, size = vector["seed"], vector["size"]
    plain, rsa_key = content(seed, size), key_of(vector["rsa_key"])
    key, nonce = drawn(seed + " key", 32), drawn(seed + " nonce", 8)
    end = size if vector["whole"] else min(size, FIRST)
    locked = salsa(plain[:end], key, nonce, 8) + plain[end:]
    digits = pkcs1(rsa_key, key, seed)[::-1].hex().encode()
    key_file = {"rsa": rsa_key.export_key(), "run": key, "file": key.hex().encode() + digits}
    return Made(plain, locked + nonce + digits, key_file[vector["opens"]])
