"""Seals like LokiLocker: AES-256-GCM in one piece or three, their keys and tags under RSA-OAEP."""

from Cryptodome.Cipher import AES
from Cryptodome.Hash import SHA1

from tests.lockers import Made, content, drawn
from tests.lockers.oaep import oaep
from tests.lockers.rsa import key_of

PIECE = 256 * 1024
LARGE = 1_572_864


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the RSA key that the vector names."""
    seed, size = vector["seed"], vector["size"]
    plain, key = content(seed, size), key_of(vector["rsa_key"])
    places = [(0, size)]
    if size >= LARGE:
        places = [(start, PIECE) for start in (0, size // 2 - PIECE // 2, size - PIECE)]
    locked, message = bytearray(plain), b""
    for start, length in places:
        secrets = drawn(f"{seed} {start}", 44)
        cipher = AES.new(secrets[:32], AES.MODE_GCM, nonce=secrets[32:])
        locked[start : start + length], tag = cipher.encrypt_and_digest(plain[start : start + length])
        message += secrets + tag
    return Made(plain, bytes(locked) + oaep(key, message, seed, SHA1), key.export_key())
