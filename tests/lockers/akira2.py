"""Seals like Akira of 2024: regions of 65,535-byte blocks under KCipher-2 and ChaCha8, in plain Python."""

import struct

from Cryptodome.Util.strxor import strxor

from tests.lockers import Made, content, drawn
from tests.lockers.chacha import chacha
from tests.lockers.kcipher2 import kcipher2_stream
from tests.lockers.rsa import key_of, pkcs1

BLOCK = 0xFFFF


def places(vector: dict) -> list[tuple[int, int]]:
    """Return offset and length of each region."""
    size, percent = vector["size"], vector.get("percent", 50)
    if vector["mode"] != "spots":
        return [(0, size if vector["mode"] == "full" else size // 2)]
    parts = 5 if percent > 49 else 3
    length = size * percent // 100 // parts
    step = (size - length * (parts - 1)) // parts
    return [(step * index, length) for index in range(parts - 1)]


def seal(plain: bytes, regions: list[tuple[int, int]], secrets: tuple[bytes, ...]) -> bytes:
    """Return ``plain`` locked with KCipher-2's key and IV, and ChaCha's key and nonce."""
    key, iv, chacha_key, nonce = secrets
    stream = kcipher2_stream(key, iv, 2 * BLOCK * len(regions))
    locked, used, block = bytearray(plain), 0, 0
    for start, length in regions:
        for offset in range(0, length, BLOCK):
            end = min(offset + BLOCK, length)
            data = plain[start + offset : start + end]
            if offset and end < length:
                made = chacha(data, chacha_key * 2, nonce, 8, block, b"expand 16-byte k")
                block += -(-len(data) // 64)
            else:
                made = strxor(data, stream[used : used + len(data)])
                used += len(data)
            locked[start + offset : start + end] = made
    return bytes(locked)


def mixed(first: bytes, second: bytes, every: int) -> bytes:
    """Return the words of two keys, each turned round, every so manieth of them of the second."""
    one, two = ([*struct.unpack(f"<{len(data) // 4}I", data)] for data in (first, second))
    words = [two.pop(0) if index % every == every - 1 else one.pop(0) for index in range(len(one + two))]
    return struct.pack(f">{len(words)}I", *words)


def blob(secrets: tuple[bytes, ...], seed: str) -> bytes:
    """Return the tail that a Linux build writes."""
    message = mixed(secrets[2].ljust(32, b"\x55"), secrets[3].ljust(16, b"\x66"), 3)
    message += mixed(secrets[0], secrets[1], 2)
    wrapped = pkcs1(key_of("rsa4096"), drawn(seed + " unknown", 11) + message, seed)
    return struct.pack("<128I", *struct.unpack(">128I", wrapped))


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the private key or the file's own keys."""
    seed, size = vector["seed"], vector["size"]
    plain = (f"{seed}: order 10042, two lamps; " * (size // 20 + 1)).encode()[:size]
    plain = content(seed, size) if vector.get("noise") else plain
    secrets = tuple(drawn(f"{seed} {what}", 16) for what in ("key", "iv", "chacha", "nonce"))
    secrets = (*secrets[:3], secrets[3][:8])
    locked = seal(plain, places(vector), secrets) + blob(secrets, seed)
    key_file = b"".join(secrets[: vector.get("given", 4)])
    if vector.get("linux"):
        key_file = secrets[0] + secrets[1] + secrets[2] + drawn(seed, 16) + secrets[3] + drawn(seed, 8)
    key_file += bytes([vector["percent"]]) if vector.get("say_percent") else b""
    if vector.get("wrapped"):
        key_file = key_of("rsa4096").export_key()
    return Made(plain, locked, key_file, vector.get("called", "").encode())
