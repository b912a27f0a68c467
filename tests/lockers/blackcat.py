"""Seals like BlackCat's Sphynx: AES-128-CTR by position, a map of areas and the path in the metadata."""

import struct

from Cryptodome.Cipher import AES
from Cryptodome.Util import Counter

from tests.lockers import Made, content, drawn
from tests.lockers.rsa import key_of, pkcs1

MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645


def _right(value: int, count: int, bits: int) -> int:
    text = format(value, f"0{bits}b")
    return int(text[bits - count :] + text[: bits - count], 2)


def marker(data: bytes) -> bytes:
    """Return the marker: Lcg128Xsl64 seeded as Rust's ``seed_from_u64`` does, from a sum of ``data``."""
    state, seed = 1, b""
    for byte in data:
        state += max(byte, 1)
    for _ in range(8):
        state = (state * 6364136223846793005 + 11634580027462260723) % 2**64
        seed += _right((((state >> 18) ^ state) >> 27) % 2**32, state >> 59, 32).to_bytes(4, "little")
    first, step = int.from_bytes(seed[:16], "little"), int.from_bytes(seed[16:], "little") | 1
    state = ((first + step) * MULTIPLIER + step) % 2**128
    out = b""
    for _ in range(32):
        state = (state * MULTIPLIER + step) % 2**128
        out += bytes([_right((state >> 64) ^ (state % 2**64), state >> 122, 64) & 0xFF])
    return out


def crc16(data: bytes) -> int:
    """Return CRC-16/ARC by long division of the reflected message."""
    bits = [byte >> bit & 1 for byte in data for bit in range(8)] + [0] * 16
    register = 0
    for bit in bits:
        register = register << 1 | bit
        if register & 0x10000:
            register ^= 0x18005
    return int(format(register, "016b")[::-1], 2)


def at_place(data: bytes, key: bytes, position: int) -> bytes:
    """Return ``data`` under the keystream of ``position``."""
    counter = Counter.new(128, initial_value=position // 16, little_endian=True)
    cipher = AES.new(key, AES.MODE_CTR, counter=counter)
    return cipher.encrypt(bytes(position % 16) + data)[position % 16 :]


def metadata(vector: dict, size: int) -> bytes:
    """Return the metadata in clear."""
    areas = struct.pack(
        "<LQQQQQQ", 0x100000, vector["end"], vector["first"], vector["area"], vector["gap"], size, size
    )
    body = bytes(12) + areas + (bytes([1]) + bytes(15) if vector["long_number"] else bytes(12))
    path = vector.get("name", "").encode()
    body += bytes([1]) + struct.pack("<Q", len(path)) + path if path else b"\0"
    return bytes(4) + struct.pack("<H", crc16(body)) + body


def make(vector: dict) -> Made:
    """Return the locked file of a vector."""
    seed, size = vector["seed"], vector["size"]
    rsa = key_of(vector["rsa_key"])
    plain, key = content(seed, size), drawn(seed + " key", 16)
    locked = bytearray(plain)
    position, length = 0, vector["first"] or vector["area"]
    while position < vector["end"]:
        stop = min(position + length, vector["end"])
        locked[position:stop] = at_place(plain[position:stop], key, position)
        position += length + vector["gap"]
        length = vector["area"]
    sealed = at_place(metadata(vector, size), key, size + 256)
    blocks = -(-(len(sealed) + 2) // 512)
    tail = pkcs1(rsa, key, seed)
    tail += struct.pack(">H", len(sealed)) + sealed
    tail += drawn(seed + " filling", blocks * 512 - len(sealed) - 2) + struct.pack("<H", blocks)
    tail += marker(b"ENCODER" + rsa.public_key().export_key("DER"))
    return Made(plain, bytes(locked) + tail, rsa.export_key())
