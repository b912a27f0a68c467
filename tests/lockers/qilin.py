"""Seals like Qilin: ChaCha20 or AES-256-CTR, area by area, numbers and key under RSA-4096 with OAEP."""

import struct

from Cryptodome.Cipher import AES, ChaCha20
from Cryptodome.Util import Counter

from tests.lockers import Made, content, drawn
from tests.lockers.rsa import key_of, oaep_sha256

ALL_ONES = 0xFFFFFFFFFFFFFFFF


def make(vector: dict) -> Made:
    """Return the locked file of a vector; ``gap = -1`` stands for one area only."""
    seed, size, area, gap = vector["seed"], vector["size"], vector["area"], vector["gap"]
    plain, key, nonce = content(seed, size), drawn(seed + " key", 32), drawn(seed + " nonce", 16)
    if vector["cipher"] == "aes":
        nonce = bytes.fromhex(vector.get("nonce", nonce.hex()))
        first = int.from_bytes(nonce, "little")
        counter = Counter.new(128, initial_value=first, little_endian=True, allow_wraparound=True)
        cipher = AES.new(key, AES.MODE_CTR, counter=counter)
    else:
        cipher = ChaCha20.new(key=key, nonce=nonce[:12])
    locked = bytearray(plain)
    for start in range(0, size, area + gap) if gap >= 0 else (0,):
        locked[start : start + area] = cipher.encrypt(plain[start : start + area])
    numbers = struct.pack("<QQB", area, gap if gap >= 0 else ALL_ONES, vector["cipher"] == "aes")
    rsa = key_of(vector["rsa_key"])
    blob = oaep_sha256(rsa, key + nonce + numbers, seed)
    tail = blob + bytes([255]) * 8 + b"-----END CIPHERTEXT BLOCK-----"
    return Made(plain, bytes(locked) + tail, rsa.export_key())
