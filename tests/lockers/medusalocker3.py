"""Seals like MedusaLocker 3: AES-ECB area by area, a session's RSA key under the master's."""

import struct

from Cryptodome.Cipher import AES
from Cryptodome.PublicKey import RSA

from tests.lockers import Made, content, drawn
from tests.lockers.rsa import key_of, pkcs1


def capi_blob(key: RSA.RsaKey) -> bytes:
    """Return CryptoAPI's PRIVATEKEYBLOB of an RSA-2048 key."""
    numbers = [(key.n, 256), (key.p, 128), (key.q, 128), (key.d % (key.p - 1), 128)]
    numbers += [(key.d % (key.q - 1), 128), (pow(key.q, -1, key.p), 128), (key.d, 256)]
    head = struct.pack("<BBHI4sII", 7, 2, 0, 0xA400, b"RSA2", 2048, key.e)
    return head + b"".join(number.to_bytes(size, "little") for number, size in numbers)


def lock(plain: bytes, key: bytes, area: int, gap: int) -> bytes:
    """Return ``plain`` with the whole AES blocks of each area encrypted."""
    cipher, locked, position = AES.new(key, AES.MODE_ECB), bytearray(plain), 0
    while position < len(plain):
        length = min(area, len(plain) - position)
        end = position + length - length % 16
        locked[position:end] = cipher.encrypt(plain[position:end])
        position += length + gap
    return bytes(locked)


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the master's key, or the session's."""
    seed, size, area, gap = vector["seed"], vector["size"], vector["area"], vector["gap"]
    master, session = key_of("rsa2048"), key_of("rsa2048_session")
    plain, key = content(seed, size), drawn(seed + " key", 16)
    blob = capi_blob(session)
    parts = [blob[start : start + 245] for start in range(0, len(blob), 245)]
    wrapped = b"".join(pkcs1(master, part, f"{seed} {at}")[::-1] for at, part in enumerate(parts))
    wrapped += pkcs1(session, key, seed)[::-1]
    mode = int(vector["mode"] == "intermittent")
    tail = wrapped + struct.pack("<QIII", size, mode, area, gap)
    locked = lock(plain, key, area, gap if mode else 0)
    return Made(plain, locked + tail, (session if vector["given"] == "session" else master).export_key())
