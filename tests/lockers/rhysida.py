"""Seals like Rhysida: AES-256-CTR with a little-endian counter; key and counter under RSA-OAEP."""

import io
import struct
from types import ModuleType

from Cryptodome.Cipher import AES, PKCS1_OAEP
from Cryptodome.Hash import SHA1
from Cryptodome.Util import Counter
from Cryptodome.Util.strxor import strxor

from tests.lockers import Made, content, drawn
from tests.lockers.rsa import key_of
from tests.lockers.sparse import editable, finished


class Chc:
    """LibTomCrypt's cipher hash of AES-128, in the shape that pycryptodomex asks of a hash."""

    digest_size = 16

    def __init__(self, data: bytes = b"") -> None:
        """Begin with ``data``."""
        self._data = data

    @classmethod
    def new(cls, data: bytes = b"") -> "Chc":
        """Return a hash of ``data``."""
        return cls(data)

    def update(self, data: bytes) -> None:
        """Go on with ``data``."""
        self._data += data

    def digest(self) -> bytes:
        """Return the hash, block by block: 80, zeros and the number of bits fill the last ones up."""
        left, state = self._data + b"\x80", AES.new(bytes(16), AES.MODE_ECB).encrypt(bytes(16))
        while len(left) % 16 != 8:
            left += b"\0"
        left += struct.pack("<Q", len(self._data) * 8)
        while left:
            block, left = left[:16], left[16:]
            state = strxor(strxor(state, block), AES.new(state, AES.MODE_ECB).encrypt(block))
        return state


def seal(plain: bytes, key: bytes, iv: bytes) -> bytes:
    """Return ``plain`` with up to four areas of 1 MiB locked."""
    counter = Counter.new(128, initial_value=int.from_bytes(iv, "little"), little_endian=True)
    cipher, locked = AES.new(key, AES.MODE_CTR, counter=counter), editable(plain)
    blocks, length = 4, 1 << 20
    stride = len(plain) // blocks
    while 0 < stride < length and blocks:
        blocks -= 1
        stride = len(plain) // blocks if blocks else 0
    if not blocks or not stride:
        blocks, stride, length = 1, len(plain), len(plain)
    for number in range(blocks):
        start = number * stride
        locked[start : start + length] = cipher.encrypt(plain[start : start + length])
    return finished(locked)


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the private key, or key and counter."""
    seed, private = vector["seed"], key_of("rsa4096")
    plain, key, iv = content(seed, vector["size"]), drawn(seed + " key", 32), drawn(seed + " iv", 16)
    kind: ModuleType | type[Chc]
    kind, label = (SHA1, b"") if vector.get("sha1") else (Chc, b"Rhysida-0.1")
    tail = b""
    for secret in (key, iv):
        noise = io.BytesIO(drawn(seed + f" padding {len(secret)}", 1 << 10))
        blob = PKCS1_OAEP.new(private, kind, label=label, randfunc=noise.read).encrypt(secret)
        tail += blob + len(blob).to_bytes(4, "little")
    locked = seal(plain, key, iv) + tail + (1).to_bytes(4, "little")
    return Made(plain, locked, key + iv if vector.get("given") else private.export_key())
