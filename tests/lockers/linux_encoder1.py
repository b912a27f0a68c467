"""Seals like Linux.Encoder.1: file mode, RSA blob and IV in the head, AES-128-CBC."""

import struct

from Cryptodome.Cipher import AES

from tests.lockers import Made, content, drawn

LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789,.-#'?!"


def seal(plain: bytes, mode: int, blob: bytes, key: bytes, iv: bytes) -> bytes:
    """Return ``plain`` locked; the lower half of the IV's last byte tells the bytes in the last block."""
    iv = iv[:15] + bytes([iv[15] & 0xF0 | len(plain) % 16])
    body = AES.new(key, AES.MODE_CBC, iv).encrypt(plain + bytes(-len(plain) % 16))
    return struct.pack("<II", mode, len(blob)) + blob + iv + body


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the AES key of the file, 16 characters."""
    seed = vector["seed"]
    plain = content(seed, vector["size"])
    key = bytes(LETTERS[byte % len(LETTERS)] for byte in drawn(seed + " key", 16))
    blob = drawn(seed + " blob", vector["blob"])
    return Made(plain, seal(plain, vector["mode"], blob, key, drawn(seed + " iv", 16)), key)
