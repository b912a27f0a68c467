"""Seals like Shinra: AES-256-CTR in places, metadata and session key in ChaCha20-Poly1305 boxes."""

import struct

from Cryptodome.Cipher import AES, ChaCha20_Poly1305

from tests.lockers import Made, content, drawn
from tests.lockers.inc import public_of
from tests.lockers.proton import agreed
from tests.lockers.sparse import editable, finished

BLOCK = 0x15000


def box(message: bytes, ephemeral: bytes, public: bytes, nonce: bytes) -> bytes:
    """Return ``message`` for the owner of ``public``: sealed, tag, nonce, public key of ``ephemeral``."""
    own = public_of(ephemeral)
    cipher = ChaCha20_Poly1305.new(key=agreed(ephemeral, public, (public, own)), nonce=nonce)
    sealed, tag = cipher.encrypt_and_digest(message)
    return sealed + tag + nonce + own


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the master's or the session's private key."""
    seed, size, multiple = vector["seed"], vector["size"], vector["multiple"]
    plain = content(seed, size)
    master, session = drawn(seed + " master", 32), drawn(seed + " session", 32)
    secrets = drawn(seed + " secrets", 48)
    cipher = AES.new(secrets[:32], AES.MODE_CTR, nonce=b"", initial_value=int.from_bytes(secrets[32:]))
    locked = editable(plain) + drawn(seed + " fill", -size % multiple)
    if size <= 0x70000:
        locked[:size] = cipher.encrypt(plain)
    else:
        step = size // vector["places"]
        step += -step % multiple
        for start in range(0, step * vector["places"], step):
            locked[start : start + BLOCK] = cipher.encrypt(bytes(locked[start : start + BLOCK]))
    name = vector["name"].encode("utf-16-le").ljust(524, b"\0")
    metadata = secrets + struct.pack("<QI", size, multiple) + name
    nonces = drawn(seed + " nonces", 24)
    tail = box(metadata, drawn(seed + " file", 32), public_of(session), nonces[:12])
    tail += box(session + public_of(session), drawn(seed + " above", 32), public_of(master), nonces[12:])
    return Made(plain, finished(locked) + tail, session if vector.get("session") else master)
