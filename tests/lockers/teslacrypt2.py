"""Seals like TeslaCrypt 2: head with products of secrets in hexadecimal, AES-256-CBC."""

import struct

from Cryptodome.Cipher import AES

from tests.lockers import Made, content, drawn


def seal(plain: bytes, magic: bytes, secrets: tuple[int, int], iv: bytes, *, block: bool) -> bytes:
    """Return ``plain`` locked.

    Args:
        plain: The original.
        magic: First five bytes of the head.
        secrets: The AES key as a number, and the number that it is multiplied with in the head.
        iv: The IV.
        block: Whether a last block that is full is followed by one of padding.
    """
    key, other = secrets
    texts = [f"{number:X}".encode().ljust(128, b"\0") for number in (other * other, key * other)]
    head = magic + bytes(range(64)) + texts[0] + bytes(67) + texts[1] + bytes(2) + iv
    padded = plain + bytes(-len(plain) % 16 + (16 if block else 0))
    # The locker writes the number without leading zeros and fills its 32 bytes up from behind.
    secret = key.to_bytes((key.bit_length() + 7) // 8).ljust(32, b"\0")
    return head + struct.pack("<I", len(plain)) + AES.new(secret, AES.MODE_CBC, iv).encrypt(padded)


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the AES key as a number of 32 bytes."""
    seed = vector["seed"]
    plain = content(seed, vector["size"])
    drawn_key = bytes(vector["zeros"]) + drawn(seed + " key", 32 - vector["zeros"])
    other = int.from_bytes(drawn(seed + " other", 31))
    magic = bytes.fromhex(vector["magic"])
    secrets = (int.from_bytes(drawn_key), other)
    locked = seal(plain, magic, secrets, drawn(seed + " iv", 16), block=vector["block"])
    return Made(plain, locked, drawn_key)
