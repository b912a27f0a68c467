"""Seals like Money Message: a key agreed on sect571k1, and one ChaCha20 keystream for every 8 KiB."""

import struct
import zlib

from Cryptodome.Cipher import ChaCha20
from Cryptodome.Hash import SHA3_256

from tests.lockers import Made, content, drawn
from tests.lockers.sect571k1 import SIZE, Point, multiple

PERIOD = 0x2000


def _bytes(point: Point) -> bytes:
    return b"".join(coordinate.to_bytes(SIZE, "little") for coordinate in point)


def seal(plain: bytes, public: Point, ephemeral: int, nonce: bytes, counter: int) -> bytes:
    """Return ``plain`` locked for the campaign's ``public`` key with a file's ``ephemeral`` scalar."""
    key = SHA3_256.new(_bytes(multiple(ephemeral, public))).digest()
    locked = b""
    for start in range(0, len(plain), PERIOD):
        cipher = ChaCha20.new(key=key, nonce=nonce)
        cipher.seek(64 * counter)
        locked += cipher.encrypt(plain[start : start + PERIOD])
    own = _bytes(multiple(ephemeral))
    tail = struct.pack("<I", len(own)) + own + struct.pack("<I", counter) + nonce
    return locked + tail + struct.pack("<I", zlib.crc32(tail))


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the scalar, or the file's key or keystream.

    The scalars are short, which makes the points quick to compute and nothing else.
    """
    seed = vector["seed"]
    plain = content(seed, vector["size"])
    private, ephemeral = (int.from_bytes(drawn(seed + name, 20)) for name in (" private", " ephemeral"))
    public = multiple(private)
    locked = seal(plain, public, ephemeral, drawn(seed + " nonce", 12), vector["counter"])
    if vector.get("keystream"):
        stream = bytes(left ^ right for left, right in zip(plain[:PERIOD], locked[:PERIOD], strict=True))
        return Made(plain, locked, stream)
    if vector.get("file_key"):
        return Made(plain, locked, SHA3_256.new(_bytes(multiple(ephemeral, public))).digest())
    return Made(plain, locked, private.to_bytes(SIZE, "little"))
