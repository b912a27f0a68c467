"""Seals like DarkBit: AES-128-CBC over parts, each from the same IV; RSA-OAEP with SHA-512."""

import io

from Cryptodome.Cipher import AES, PKCS1_OAEP
from Cryptodome.Hash import SHA512

from tests.lockers import Made, content, drawn
from tests.lockers.rsa import key_of
from tests.lockers.sparse import editable, finished

LIMITS = [
    *[
        (25, 1, -1),
        (1000, 2, 12000),
        (4000, 3, 10000),
        (7000, 2, 20000),
        (11000, 3, 30000),
        (51000, 5, 30000),
    ],
    *[(1000000, 3, 1000000), (5000000, 5, 1000000), (6000000, 20, 10000000)],
]


def seal(plain: bytes, key: bytes, iv: bytes) -> bytes:
    """Return ``plain`` with its parts locked."""
    limit = next(limit for limit in LIMITS if len(plain) < limit[0] << 10)
    length = (len(plain) if limit[2] < 0 else limit[2]) // 16 * 16
    locked = editable(plain)
    for index in range(limit[1]):
        start = index * (len(plain) // limit[1])
        part = plain[start : start + length]
        locked[start : start + length] = AES.new(key, AES.MODE_CBC, iv).encrypt(part)
    return finished(locked)


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the private key."""
    seed, private = vector["seed"], key_of("rsa2048")
    plain, key, iv = content(seed, vector["size"]), drawn(seed + " key", 16), drawn(seed + " iv", 16)
    name = vector["name"].encode()
    sealed_name = AES.new(key, AES.MODE_CBC, iv).encrypt(name + b"|" * (-len(name) % 16))
    noise = io.BytesIO(drawn(seed + " padding", 1 << 10))
    blob = PKCS1_OAEP.new(private, SHA512, randfunc=noise.read).encrypt(key + iv)
    tail = b"DARKBIT_ENCRYPTED_FILES|" + sealed_name + b"DARKBIT" + blob
    return Made(plain, seal(plain, key, iv) + tail, private.export_key())
