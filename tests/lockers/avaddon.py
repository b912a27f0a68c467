"""Seals like Avaddon: AES-256-CBC over the first MiB, the victim's 512 bytes and the size behind it."""

import struct

from Cryptodome.Cipher import AES

from tests.lockers import Made, content, drawn

LOCKED = 1 << 20


def seal(plain: bytes, key: bytes, victim: bytes, unit: int) -> bytes:
    """Return ``plain`` locked, filled up with zeros to a multiple of ``unit`` bytes before.

    ``victim`` is the 512 bytes that identify the victim and the 16 that stand behind the size.
    """
    stored = plain + bytes(-len(plain) % unit)
    first = AES.new(key, AES.MODE_CBC, bytes(16)).encrypt(stored[:LOCKED])
    return first + stored[LOCKED:] + victim[:512] + struct.pack("<Q", len(plain)) + victim[512:]


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the AES key of the run."""
    seed = vector["seed"]
    plain = content(seed, vector["size"])
    key = drawn(seed + " key", 32)
    return Made(plain, seal(plain, key, drawn(seed + " victim", 528), vector["unit"]), key)
