"""Seals like Proxima: ChaCha8 or ChaCha12 over blocks with gaps, keys by X25519 and SHA-256."""

import hashlib
import struct

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from tests.lockers import Made, content, drawn
from tests.lockers.chacha import chacha
from tests.lockers.inc import public_of

BLOCK = {"64": 0x100000, "168": 0x100000, "72": 0x40000, "52": 0x20000, "48": 0x20000}


def crc(data: bytes) -> bytes:
    """Return CRC-32/MPEG-2, bit by bit."""
    value = 0xFFFFFFFF
    for byte in data:
        for bit in range(7, -1, -1):
            high = value >> 31 ^ byte >> bit & 1
            value = (value << 1 & 0xFFFFFFFF) ^ (0x04C11DB7 if high else 0)
    return struct.pack("<I", value)


def agreed(private: bytes, public: bytes) -> bytes:
    """Return SHA-256 of the shared secret."""
    point = X25519PublicKey.from_public_bytes(public)
    return hashlib.sha256(X25519PrivateKey.from_private_bytes(private).exchange(point)).digest()


def places(size: int, vector: dict) -> list[tuple[int, int]]:
    """Return start and end of the locked blocks."""
    block = BLOCK[vector["tail"]]
    gap = vector["gap"] if vector["mode"] == 3 else 0
    starts = list(range(0, size, block + gap))
    starts = starts[: 1 if vector["mode"] == 2 else vector.get("blocks")]
    return [(start, min(start + block, size)) for start in starts]


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the session's private key, or the attacker's."""
    seed, size, tail = vector["seed"], vector["size"], vector["tail"]
    plain, session, nonce = content(seed, size), drawn(seed + " session", 32), drawn(seed + " nonce", 8)
    ephemeral = drawn(seed + " file", 32)
    key, public = agreed(ephemeral, public_of(session)), public_of(ephemeral)
    spans = places(size, vector)
    parts = b"".join(plain[start:end] for start, end in spans)
    settings, rounds = b"", 12
    if tail in ("64", "72", "168"):
        settings, rounds = struct.pack("<IIQ", vector["mode"], 0, vector["gap"]), 8
    constants = vector.get("constants", "hardcore blowjob" if settings else "expand 32-byte k").encode()
    stream = chacha(settings + parts, key, nonce, rounds, constants=constants)
    settings, parts = stream[: len(settings)], stream[len(settings) :]
    locked = bytearray(plain)
    for start, end in spans:
        locked[start:end], parts = parts[: end - start], parts[end - start :]
    out = bytes(locked) + (settings or struct.pack("<I", vector["gap"] // BLOCK[tail]))
    out += public + nonce + crc(key) + (crc(public) if tail != "48" else b"")
    out += struct.pack("<Q", len(spans)) if tail == "72" else b""
    master = drawn(seed + " master", 32)
    if tail == "168":
        above = drawn(seed + " above", 32)
        pad = agreed(above, public_of(master))
        wrapped = bytes(left ^ right for left, right in zip(session, pad, strict=True))
        out += wrapped + public_of(session) + public_of(above) + crc(pad) + drawn(seed + " more", 4)
    return Made(plain, out, master if vector.get("master") else session)
