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


def seal(
    plain: bytes, keys: tuple[RSA.RsaKey, RSA.RsaKey], seed: str, area: int, gap: int, mode: int
) -> bytes:
    """Return ``plain`` locked under the master's and the session's RSA-2048 keys; ``seed`` draws the rest."""
    master, session = keys
    key, blob = drawn(seed + " key", 16), capi_blob(session)
    parts = [blob[start : start + 245] for start in range(0, len(blob), 245)]
    wrapped = b"".join(pkcs1(master, part, f"{seed} {at}")[::-1] for at, part in enumerate(parts))
    wrapped += pkcs1(session, key, seed)[::-1]
    tail = wrapped + struct.pack("<QIII", len(plain), mode, area, gap)
    return lock(plain, key, area, gap if mode else 0) + tail


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the master's key, or the session's."""
    seed, area, gap = vector["seed"], vector["area"], vector["gap"]
    master, session = key_of("rsa2048"), key_of("rsa2048_session")
    plain, mode = content(seed, vector["size"]), int(vector["mode"] == "intermittent")
    locked = seal(plain, (master, session), seed, area, gap, mode)
    return Made(plain, locked, (session if vector["given"] == "session" else master).export_key())
