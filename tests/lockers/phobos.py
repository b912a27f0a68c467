"""Seals like Phobos: whole with AES-256-CBC, or three pieces moved into an encrypted block at the end."""

import io
import struct
import zlib

from Cryptodome.Cipher import AES, PKCS1_v1_5
from Cryptodome.PublicKey import RSA

from tests.lockers import Made, content, drawn

ATTACKER = bytes.fromhex("ba0babc0ffee")
PIECE = 256 * 1024


def wrap(key: bytes, public: RSA.RsaKey, seed: str) -> bytes:
    """Return the run's AES key and the attacker's id, wrapped with RSA-1024; ``seed`` draws the padding."""
    noise = io.BytesIO(drawn(seed + " padding", 4096))
    return PKCS1_v1_5.new(public, randfunc=noise.read).encrypt(key + ATTACKER)


def seal(plain: bytes, name: str, key: bytes, iv: bytes, blob: bytes, *, large: bool) -> bytes:
    """Return ``plain`` locked: whole, or as Phobos does with ``large`` files."""
    body, padding, block = _moved(plain) if large else _whole(plain, key, iv)
    offset = len(block)
    block += name.encode("utf-16-le") + b"\0\0"
    block = block[:0x18] + struct.pack("<I", offset) + block[0x1C:]
    block += bytes(-len(block) % 16)
    end = AES.new(key, AES.MODE_CBC, iv).encrypt(block)
    return (
        body
        + end
        + bytes(20)
        + iv
        + struct.pack("<I", padding)
        + blob
        + struct.pack("<I", len(end) + 178)
        + ATTACKER
    )


def _whole(plain: bytes, key: bytes, iv: bytes) -> tuple[bytes, int, bytes]:
    padding = -len(plain) % 16
    body = AES.new(key, AES.MODE_CBC, iv).encrypt(plain + bytes(padding))
    return body, padding, struct.pack("<8I", 0, 2, 0xF0A75E12, 0, 0, 0, 0, 0)


def _moved(plain: bytes) -> tuple[bytes, int, bytes]:
    offsets = [0, len(plain) // 2 - PIECE // 2, len(plain) - PIECE]
    data = b"".join(plain[at : at + PIECE] for at in offsets)
    body = bytearray(plain)
    for at in offsets:
        body[at : at + PIECE] = bytes(PIECE)
    head = struct.pack("<8I", 0, 1, 0xAF77BC0F, len(offsets), PIECE, zlib.crc32(data), 0, 0)
    return bytes(body), 0, head + struct.pack("<3Q", *offsets) + data


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the AES key, or the RSA key where it says so."""
    seed = vector["seed"]
    plain = content(seed, vector["size"])
    key, iv = drawn(seed + " key", 32), drawn(seed + " iv", 16)
    rsa = RSA.import_key(vector["rsa_key"]) if "rsa_key" in vector else None
    blob = wrap(key, rsa, seed) if rsa else drawn(seed + " blob", 128)
    locked = seal(plain, vector["name"], key, iv, blob, large=vector["large"])
    return Made(plain, locked, rsa.export_key() if rsa else key)
