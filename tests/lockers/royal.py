"""Seals like Royal: AES-256-CBC over a percentage of every tenth, or a whole file; RSA-4096."""

import struct

from Cryptodome.Cipher import AES
from Cryptodome.Hash import SHA1

from tests.lockers import Made, content, drawn
from tests.lockers.oaep import oaep
from tests.lockers.rsa import key_of, pkcs1

SMALL = 5_243_000  # bytes up to which a file is locked whole; accounts differ


def areas(size: int, stored: int, vector: dict) -> list[tuple[int, int]]:
    """Return start and end of what is locked."""
    percent = vector["percent"]
    if size <= SMALL or percent == 100:
        return [(0, stored)]
    length = percent * size // 1000 // 16 * 16
    left = (100 - percent) * size // 1000
    step = {
        "tenth": size // 10,
        "blocks": size // 160 * 16,
        "both rounded": length + left // 16 * 16,
        "left": length + left,
    }[vector.get("step", "tenth")]
    return [(index * step, index * step + length) for index in range(10)]


def seal(plain: bytes, key: bytes, iv: bytes, vector: dict) -> bytes:
    """Return ``plain``, filled up with zeros to whole blocks, with its areas locked."""
    locked = bytearray(plain + bytes(-len(plain) % 16))
    cipher = AES.new(key, AES.MODE_CBC, iv)
    for start, end in areas(len(plain), len(locked), vector):
        if vector.get("anew"):
            cipher = AES.new(key, AES.MODE_CBC, iv)
        locked[start:end] = cipher.encrypt(locked[start:end])
    return bytes(locked)


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the private key, or the file's key and IV."""
    seed, private = vector["seed"], key_of("rsa4096")
    plain, secret = content(seed, vector["size"]), drawn(seed + " secret", 48)
    blob = oaep(private, secret, seed, SHA1) if vector.get("oaep") else pkcs1(private, secret, seed)
    tail = blob + struct.pack("<QQ", len(plain), vector["percent"]) + bytes(vector.get("more", 0))
    locked = seal(plain, secret[:32], secret[32:], vector) + tail
    return Made(plain, locked, secret if vector.get("given") else private.export_key())
