"""Seals like Hive v1 and v2: two windows of a table of 10 MiB, XORed by the offset in the file."""

import base64

import numpy as np
from Cryptodome.Util.strxor import strxor

from tests.lockers import Made, content, drawn
from tests.lockers.sparse import editable, finished

TABLE = 10 << 20


def ranges(size: int) -> list[tuple[int, int]]:
    """Return offset and length of what is locked, as the paper counts it."""
    if size <= 4096:
        return [(0, size)]
    blocks = size >> 12
    for below, percent in ((0x20000, 100), (0x100000, 30), (0xA00000, 20), (0x6400000, 10), (0x40000000, 5)):
        if size < below:
            count = blocks * percent // 100
            break
    else:
        count = blocks // 100
    if count < 2:
        return [(0, 4096)]
    gap = (size - (count << 12)) // (count - 1)
    return [(index * (4096 + gap), 4096) for index in range(count - 1)] + [(size - 4096, 4096)]


def seal(plain: bytes, table: np.ndarray, numbers: tuple[int, int]) -> bytes:
    """Return ``plain`` locked by the windows that two random numbers choose."""
    first = table[numbers[0] % 0x900000 :][:0x100000]
    second = table[numbers[1] % 0x9FFC00 :][:0x400]
    locked = editable(plain)
    for start, length in ranges(len(plain)):
        places = np.arange(start, start + length)
        stream = first[places % len(first)] ^ second[places % len(second)]
        part = plain[start : start + length]
        locked[start : start + length] = strxor(part, stream.tobytes()) if part else part
    return finished(locked)


def suffix(run: bytes, numbers: tuple[int, int]) -> bytes:
    """Return what is added to a file's name."""
    metadata = run + numbers[0].to_bytes(8, "little") + numbers[1].to_bytes(8, "little")
    return b"." + base64.urlsafe_b64encode(metadata).rstrip(b"=") + b".hive"


def numbers_of(seed: str) -> tuple[int, int]:
    """Return the two random numbers of a file."""
    drawn_bytes = drawn(seed + " numbers", 16)
    return int.from_bytes(drawn_bytes[:8], "little") >> 1, int.from_bytes(drawn_bytes[8:], "little") >> 1


def make(vector: dict) -> Made:
    """Return the locked file of a vector and its name; its key file is the key table."""
    seed = vector["seed"]
    table = drawn("hive1 table", TABLE)
    plain, numbers = content(seed, vector["size"]), numbers_of(seed)
    locked = seal(plain, np.frombuffer(table, np.uint8), numbers)
    return Made(plain, locked, table, b"orders.csv" + suffix(drawn("hive1 run", 16), numbers))
