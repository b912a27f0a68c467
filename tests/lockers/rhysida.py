"""Seals like Rhysida: AES-256-CTR with a little-endian counter; key and counter under RSA-OAEP."""

import io

from Cryptodome.Cipher import AES, PKCS1_OAEP
from Cryptodome.Hash import SHA1, SHA256
from Cryptodome.Util import Counter

from tests.lockers import Made, content, drawn
from tests.lockers.rsa import key_of


def seal(plain: bytes, key: bytes, iv: bytes) -> bytes:
    """Return ``plain`` locked."""
    counter = Counter.new(128, initial_value=int.from_bytes(iv, "little"), little_endian=True)
    return AES.new(key, AES.MODE_CTR, counter=counter).encrypt(plain)


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the private key, or key and counter."""
    seed, private = vector["seed"], key_of("rsa4096")
    plain, key, iv = content(seed, vector["size"]), drawn(seed + " key", 32), drawn(seed + " iv", 16)
    tail = b""
    for secret in (key, iv):
        noise = io.BytesIO(drawn(seed + f" padding {len(secret)}", 1 << 10))
        kind = SHA1 if vector.get("sha1") else SHA256
        blob = PKCS1_OAEP.new(private, kind, randfunc=noise.read).encrypt(secret)
        tail += blob + len(blob).to_bytes(4, "little")
    locked = seal(plain, key, iv) + tail + (2).to_bytes(4, "little")
    return Made(plain, locked, key + iv if vector.get("given") else private.export_key())
