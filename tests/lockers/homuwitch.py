"""Seals like HomuWitch: deflate, then AES-256-CBC under PBKDF2 of a password, the salt in front."""

import zlib

from Cryptodome.Cipher import AES
from Cryptodome.Hash import SHA1
from Cryptodome.Protocol.KDF import PBKDF2
from Cryptodome.Util.Padding import pad

from tests.lockers import Made, content, drawn


def stored(plain: bytes) -> bytes:
    """Return ``plain`` as deflate holds it uncompressed, in blocks of at most 60,000 bytes."""
    out = b""
    for start in range(0, len(plain) or 1, 60_000):
        part = plain[start : start + 60_000]
        last = start + 60_000 >= len(plain)
        out += (
            bytes([last])
            + len(part).to_bytes(2, "little")
            + (len(part) ^ 0xFFFF).to_bytes(2, "little")
            + part
        )
    return out


def seal(packed: bytes, password: str, salt: bytes) -> bytes:
    """Return packed bytes locked."""
    derived = PBKDF2(password, salt, 48, 10_000, hmac_hash_module=SHA1)
    return salt + AES.new(derived[:32], AES.MODE_CBC, derived[32:]).encrypt(pad(packed, 16))


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the password."""
    plain = content(vector["seed"], vector["size"])
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = stored(plain) if vector.get("stored") else packer.compress(plain) + packer.flush()
    salt = drawn(vector["seed"] + " salt", 16)
    return Made(plain, seal(packed, vector["password"], salt), vector["password"].encode())
