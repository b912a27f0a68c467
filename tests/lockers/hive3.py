"""Seals like Hive v3 and v4: two windows of a key table, XORed over blocks; places and hash in the name."""

import base64

from Cryptodome.Hash import SHA512
from Cryptodome.Util.strxor import strxor

from tests.lockers import Made, content, drawn

VERSIONS = {3: (0x100000, 25, 0x19000), 4: (0x300000, 256, 0x100000)}
BLOCK = 4096


def starts(size: int, most: int) -> list[int]:
    """Return where the locked blocks begin."""
    count = 1 if size <= BLOCK else min(max(30 * (size // BLOCK) // 100, 2), most)
    gap = (size - count * BLOCK) // (count - 1) if count > 1 else 0
    found = [index * (BLOCK + gap) for index in range(count)]
    if count > 1:
        found[-1] = max(size - BLOCK, found[-2] + BLOCK)
    return found if size else []


def seal(plain: bytes, table: bytes, places: tuple[int, int], version: int) -> bytes:
    """Return ``plain`` locked with the windows of ``table`` that begin at ``places``."""
    size, most, first = VERSIONS[version]
    one = table[places[0] % (size - first) :][:first]
    two = table[places[1] % (size - 0xC00) :][:0xC00]
    stream = strxor(one, (two * (first // 0xC00 + 1))[:first])
    locked, used = bytearray(plain), 0
    for start in starts(len(plain), most):
        block = plain[start : start + BLOCK]
        locked[start : start + BLOCK] = strxor(block, stream[used : used + len(block)])
        used += len(block)
    return bytes(locked)


def make(vector: dict) -> Made:
    """Return the locked file of a vector and its name; its key file is the key table."""
    seed, version = vector["seed"], vector["version"]
    table = drawn(seed + " table", VERSIONS[version][0])
    plain = content(seed, vector["size"])
    places = drawn(seed + " places", 8)
    numbers = int.from_bytes(places[:4], "little"), int.from_bytes(places[4:], "little")
    metadata = SHA512.new(table, truncate="256").digest() + b"\xff" + places + b"\x34"
    name = b"orders.csv." + base64.urlsafe_b64encode(metadata) + b".p5rwm"
    return Made(plain, seal(plain, table, numbers, version), table, name)
