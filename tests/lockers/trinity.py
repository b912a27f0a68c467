"""Seals like Trinity: XChaCha20 with a nonce that counts, keys in libsodium's sealed boxes on two levels.

The boxes are made as libsodium describes them, so that nothing in them is left to chance.
"""

import base64
import hashlib

from Cryptodome.Cipher import ChaCha20
from nacl.bindings import crypto_box, crypto_scalarmult_base

from tests.lockers import Made, content, drawn
from tests.lockers.sparse import editable, finished

BLOCK, STEP = 1 << 20, 128 << 20


def box(message: bytes, public: bytes, ephemeral: bytes) -> bytes:
    """Return a sealed box: the nonce is a hash of both public keys."""
    own = crypto_scalarmult_base(ephemeral)
    nonce = hashlib.blake2b(own + public, digest_size=24).digest()
    return own + crypto_box(message, nonce, public, ephemeral)


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the master's or the session's private key."""
    seed, size = vector["seed"], vector["size"]
    master, session = drawn(seed + " master", 32), drawn(seed + " session", 32)
    key, nonce = drawn(seed + " key", 32), drawn(seed + " nonce", 24)
    plain = content(seed, size)
    locked, number = editable(plain), int.from_bytes(nonce, "little")
    for index, start in enumerate(range(0, size, STEP)):
        counted = (number + index).to_bytes(24, "little")
        part = plain[start : start + BLOCK]
        locked[start : start + BLOCK] = ChaCha20.new(key=key, nonce=counted).encrypt(part)
    above = drawn(seed + " above", 56)
    wrapped = ChaCha20.new(key=above[:32], nonce=above[32:]).encrypt(session)
    wrapped += box(above[:32], crypto_scalarmult_base(master), drawn(seed + " outer", 32)) + above[32:]
    public = crypto_scalarmult_base(session)
    text = [b"H48f1wn8", b"13677986024120011616", base64.b64encode(wrapped), base64.b64encode(public)]
    tail = box(key, public, drawn(seed + " inner", 32)) + nonce
    tail += b";".join([*text, str(size).encode(), b""]).ljust(408, b"\0")
    return Made(plain, finished(locked) + tail, session if vector.get("session") else master)
