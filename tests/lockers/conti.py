"""Seals like Conti: ChaCha8 over the whole file, its first MiB, or three or five chunks; RSA-4096."""

import struct

from tests.lockers import Made, content, drawn
from tests.lockers.chacha import chacha
from tests.lockers.rsa import key_of, pkcs1

MODES = {"full": 0x24, "partly": 0x25, "header": 0x26}
# By percent: how many chunks, how many hundredths each has.
TABLE = {
    10: (3, 4),
    15: (3, 5),
    20: (3, 7),
    25: (3, 9),
    30: (3, 10),
    35: (3, 12),
    40: (3, 14),
    50: (5, 10),
    60: (3, 20),
    70: (3, 23),
    80: (3, 27),
}


def chunks(mode: str, size: int, percent: int) -> list[tuple[int, int]]:
    """Return start and length of each chunk."""
    if mode == "full":
        return [(0, size)]
    if mode == "header":
        return [(0, min(size, 0x100000))]
    count, hundredths = TABLE[percent]
    length = (size // 100) * hundredths
    space = length if percent == 50 else (size - length * 3) // 2
    found, position = [], 0
    for _ in range(count):
        found.append((position, length))
        position += length + space
    return found


def lock(plain: bytes, areas: list[tuple[int, int]], key: bytes, nonce: bytes) -> bytes:
    """Return ``plain`` with ChaCha8 over each area, one after the other, in the place of what was there."""
    locked, block = bytearray(plain), 0
    for start, length in areas:
        area = chacha(bytes(locked[start : start + length]), key, nonce, 8, block)
        locked[start : start + length] = area
        block += (length + 63) // 64
    return bytes(locked)


def tail(blob: bytes, mode: int, percent: int, size: int) -> bytes:
    """Return the tail; ``blob`` is big-endian."""
    return blob[::-1] + bytes(12) + struct.pack("<BBQ", mode, percent, size)


def make(vector: dict) -> Made:
    """Return the locked file of a vector."""
    seed, size, percent = vector["seed"], vector["size"], vector.get("percent", 0)
    rsa = key_of(vector["rsa_key"])
    plain, key, nonce = content(seed, size), drawn(seed + " key", 32), drawn(seed + " nonce", 8)
    locked = lock(plain, chunks(vector["mode"], size, percent), key, nonce)
    end = tail(pkcs1(rsa, key + nonce, seed), MODES[vector["mode"]], percent, size)
    return Made(plain, locked + end, rsa.export_key())
