"""Seals with AES-256 over the whole file, as home-made lockers do."""

from Cryptodome.Cipher import AES
from Cryptodome.Util.Padding import pad

from tests.lockers import Made, content, drawn


def seal(plain: bytes, key: bytes, iv: bytes, mode: str, place: str) -> bytes:
    """Return ``plain`` locked in ``mode``, the IV before ("head") or behind it ("tail") or nowhere."""
    if mode == "cbc":
        body = AES.new(key, AES.MODE_CBC, iv).encrypt(pad(plain, 16))
    else:
        counter = int.from_bytes(iv)
        body = AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=counter).encrypt(plain)
    return (iv if place == "head" else b"") + body + (iv if place == "tail" else b"")


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the key, and the IV where that is said."""
    seed, place = vector["seed"], vector["place"]
    plain = bytes.fromhex(vector["begins"]) + content(seed, vector["size"])
    key = drawn(seed + " key", 32)
    iv = bytes(16) if place == "zero" else drawn(seed + " iv", 16)
    locked = seal(plain, key, iv, vector["mode"], place)
    return Made(plain, locked, key + iv if place == "key" else key)
