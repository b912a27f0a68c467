"""Seals like Prometheus: Salsa20 with a fixed nonce over the whole file; a record behind it stays plain."""

import base64

from Cryptodome.Cipher import Salsa20

from tests.lockers import Made, content, drawn

CHARACTERS = bytes(code for code in range(33, 127) if chr(code) not in '"\\')


def seal(plain: bytes, key: bytes) -> bytes:
    """Return ``plain`` locked."""
    return Salsa20.new(key=key, nonce=bytes(range(1, 9))).encrypt(plain)


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the key, 32 characters."""
    plain = content(vector["seed"], vector["size"])
    key = bytes(CHARACTERS[byte % len(CHARACTERS)] for byte in drawn(vector["seed"] + " key", 32))
    return Made(plain, seal(plain, key), key)


def record(seed: str) -> bytes:
    """Return what stands behind most locked files: the wrapped key, and a word."""
    return base64.b64encode(drawn(seed + " wrapped", 512)) + b"GotAllDone"
