"""Seals like Zeppelin: blocks gathered into one AES-256-CBC stream, metadata hidden with RC4."""

import struct

from Cryptodome.Cipher import AES, ARC4

from tests.lockers import Made, content, drawn
from tests.lockers.rsa import key_of

BOX = "┌────────┐\r\n│ZEPPELIN│\r\n└────────┘\r\n".encode("cp437")


def hidden(data: bytes, seed: str) -> bytes:
    """Return ``data`` under RC4, its key before it, and the length before that."""
    key = drawn(seed, 32)
    return struct.pack("<I", 32 + len(data)) + key + ARC4.new(key).encrypt(data)


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the RSA key that the vector names."""
    seed, size, block = vector["seed"], vector["size"], vector["block"]
    offsets, rsa_key = vector["offsets"], key_of(vector["rsa_key"])
    plain, secrets = content(seed, size), drawn(seed + " secrets", 48)
    gathered = b"666" + b"".join(plain[at : at + block] for at in offsets)
    padded = gathered + bytes(-len(gathered) % 16)
    stream = struct.pack("<QQ", len(padded), len(gathered))
    stream = BOX + stream + AES.new(secrets[:32], AES.MODE_CBC, secrets[32:]).encrypt(padded)
    locked = bytearray(plain)
    for at in offsets:
        length = min(block, size - at)
        locked[at : at + length], stream = stream[:length], stream[length:]
    number = str(pow(int.from_bytes(secrets), rsa_key.e, rsa_key.n)).encode()
    metadata = hidden(struct.pack(f"<{len(offsets)}Q", *offsets), seed + " offsets")
    metadata += hidden(number, seed + " number") + hidden(drawn(seed + " session", 600), seed + " wrapped")
    metadata += struct.pack("<IQ", block, size)
    metadata += struct.pack("<I", len(metadata) + 4)
    return Made(plain, bytes(locked) + stream + metadata, rsa_key.export_key())
