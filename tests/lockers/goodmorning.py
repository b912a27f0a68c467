"""Seals like GoodMorning: size in digits, IV, AES-256-CBC under the SHA-256 of a password."""

from Cryptodome.Cipher import AES
from Cryptodome.Hash import SHA256

from tests.lockers import Made, content, drawn


def seal(plain: bytes, password: str, iv: bytes) -> bytes:
    """Return ``plain`` locked with ``password``; the last block is filled with spaces."""
    cipher = AES.new(SHA256.new(password.encode()).digest(), AES.MODE_CBC, iv)
    return str(len(plain)).zfill(16).encode() + iv + cipher.encrypt(plain + b" " * (-len(plain) % 16))


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the password, or its hash where it says so."""
    plain = content(vector["seed"], vector["size"])
    password = vector["password"]
    locked = seal(plain, password, drawn(vector["seed"] + " iv", 16))
    hashed = SHA256.new(password.encode()).digest()
    return Made(plain, locked, hashed if vector.get("hashed") else password.encode())
