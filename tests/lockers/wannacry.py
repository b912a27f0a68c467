"""Seals like WannaCry: AES-128-CBC with a zero IV, the key under RSA-2048 as CryptoAPI writes it."""

import struct

from Cryptodome.Cipher import AES
from Cryptodome.PublicKey import RSA

from tests.lockers import Made, content, drawn
from tests.lockers.rsa import key_of, pkcs1


def capi(key: RSA.RsaKey) -> bytes:
    """Return a CryptoAPI PRIVATEKEYBLOB, as in the file 00000000.dky."""
    size = key.size_in_bytes()
    numbers = [(key.n, size), (key.p, size // 2), (key.q, size // 2)]
    numbers += [(key.d % (key.p - 1), size // 2), (key.d % (key.q - 1), size // 2)]
    numbers += [(pow(key.q, -1, key.p), size // 2), (key.d, size)]
    head = struct.pack("<BBHI4sII", 7, 2, 0, 0xA400, b"RSA2", 8 * size, key.e)
    return head + b"".join(number.to_bytes(length, "little") for number, length in numbers)


def seal(plain: bytes, key: bytes, public: RSA.RsaKey, seed: str) -> bytes:
    """Return ``plain`` locked with the file's ``key``; ``seed`` draws the padding under RSA."""
    blob = pkcs1(public, key, seed)[::-1]
    body = AES.new(key, AES.MODE_CBC, bytes(16)).encrypt(plain + bytes(-len(plain) % 16))
    return b"WANACRY!" + struct.pack("<I", 256) + blob + struct.pack("<IQ", 4, len(plain)) + body


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the RSA key in the form it names."""
    seed = vector["seed"]
    plain = content(seed, vector["size"])
    rsa = key_of("rsa2048")
    locked = seal(plain, drawn(seed + " key", 16), rsa, seed)
    return Made(plain, locked, capi(rsa) if vector["key_form"] == "dky" else rsa.export_key() + b"\n")
