"""Seals like Play: AES-CBC under CNG key blobs; of large files the ends, and with a second key steps."""

import struct

from Cryptodome.Cipher import AES

from tests.lockers import Made, content, drawn
from tests.lockers.rsa import key_of, pkcs1

P1, P2, P3, P4, P5 = 2654435761, 2246822519, 3266489917, 668265263, 374761393


def xxhash32(data: bytes, seed: int) -> int:
    """Return xxHash32 of ``data``, whose length is a multiple of 16, after the specification."""

    def left(value: int, count: int) -> int:
        value %= 1 << 32
        return (value << count | value >> (32 - count)) % (1 << 32)

    lanes = [seed + P1 + P2, seed + P2, seed, seed - P1]
    for start in range(0, len(data), 16):
        for lane in range(4):
            (word,) = struct.unpack_from("<I", data, start + 4 * lane)
            lanes[lane] = left(lanes[lane] + word * P2, 13) * P1 % (1 << 32)
    value = sum(left(lane, count) for lane, count in zip(lanes, (1, 7, 12, 18), strict=True)) + len(data)
    value %= 1 << 32
    value = (value ^ (value >> 15)) * P2 % (1 << 32)
    value = (value ^ (value >> 13)) * P3 % (1 << 32)
    return value ^ (value >> 16)


def key_object(key: bytes, seed: str) -> bytes:
    """Return CNG's key object of an AES key: 0x230 bytes that begin with their count and a magic."""
    head = struct.pack("<I4s", 0x230, b"KSSM") + drawn(seed + " object", 16) + struct.pack("<I", len(key))
    return (head + key).ljust(0x230, b"\x5a")


def padded(data: bytes) -> bytes:
    """Return ``data`` with one to 16 bytes of padding."""
    count = 16 - len(data) % 16
    return data + bytes([count]) * count


def small(plain: bytes, chain, block: int, most: int | None) -> tuple[bytes, int, int]:
    """Return the locked bytes, how many were added, and the number of blocks: ``most``, or all."""
    padding, blocks = -len(plain) % 16, most or -(-len(plain) // block)
    filled = plain + bytes(padding)
    end = min(blocks * block, len(filled))
    return chain.encrypt(filled[:end]) + filled[end:], padding, blocks


def large(plain: bytes, chain, middle, block: int, step: int) -> tuple[bytes, int, int]:
    """Return the same; ``middle`` encrypts between the first and the last block, if it is there."""
    start = len(plain) + 16 - block  # of the last block
    first, last = chain.encrypt(plain[:block]), None
    last = bytearray(chain.encrypt(padded(plain[start:])))
    between, blocks, position = bytearray(plain[block:start]), 2, 0
    padding = -len(plain) % 16
    saved = bytes(last[:padding])
    while middle and len(between) - position >= step * block:
        at = position + (step - 1) * block
        between[at : at + block] = middle.encrypt(bytes(between[at : at + block]))
        position, blocks = position + step * block, blocks + 1
    rest = len(between) % block
    if middle and rest:
        sealed = middle.encrypt(bytes(between[-rest:]) + bytes(padding))
        between[-rest:] = sealed[:rest]
        last[:padding] = sealed[rest:]
        blocks += 1
    return first + bytes(between) + bytes(last) + saved, padding, blocks


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the RSA key that the vector names."""
    seed, block = vector["seed"], vector["block"]
    plain, key = content(seed, vector["size"]), key_of(vector["rsa_key"])
    keys = [drawn(f"{seed} {index}", 48) for index in (1, 2)]
    blobs = [pkcs1(key, key_object(each[:32], seed) + each[32:], seed) for each in keys]
    chain = AES.new(keys[0][:32], AES.MODE_CBC, keys[0][32:])
    cipher, step, is_large = vector["cipher"], vector.get("step", 0), vector["large"]
    middle = None
    if vector.get("second"):
        gcm = {"nonce": keys[1][32:44]} if cipher == 2 else {"iv": keys[1][32:]}
        middle = AES.new(keys[1][:32], AES.MODE_GCM if cipher == 2 else AES.MODE_CBC, **gcm)
    if is_large:
        body, padding, blocks = large(plain, chain, middle, block, max(step, 1))
    else:
        body, padding, blocks = small(plain, chain, block, vector.get("most"))
    marker = drawn(seed + " marker", 16)
    mark = xxhash32(marker, sum(byte + place for place, byte in enumerate(marker)))
    numbers = struct.pack("<4HIIQ", padding, step, is_large, cipher, block, mark, blocks)
    tail = marker + numbers + b"".join(blobs if middle else blobs[:1])
    return Made(plain, body + tail, key.export_key())
