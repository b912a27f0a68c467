"""Seals like Thanatos: AES-256-CBC with a zero IV under the SHA-256 of 20 digits."""

from Cryptodome.Cipher import AES
from Cryptodome.Hash import SHA256
from Cryptodome.Util.Padding import pad

from tests.lockers import Made, content


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the digits, or their hash."""
    plain, digits = content(vector["seed"], vector["size"]), vector["digits"].encode()
    key = SHA256.new(digits).digest()
    locked = AES.new(key, AES.MODE_CBC, bytes(16)).encrypt(pad(plain, 16))
    return Made(plain, locked, key if vector.get("hashed") else digits)
