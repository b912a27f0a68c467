"""Seals like Enmity: AES-256-GCM whole or in places, the name behind it, key and nonce under RSA-OAEP."""

from Cryptodome.Cipher import AES
from Cryptodome.Hash import SHA1

from tests.lockers import Made, content, drawn
from tests.lockers.oaep import oaep
from tests.lockers.rsa import key_of

STEP = 10 << 20


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the RSA key that the vector names."""
    seed, size, mode = vector["seed"], vector["size"], vector.get("mode", "")
    plain, key, secrets = content(seed, size), key_of(vector["rsa_key"]), drawn(seed + " secrets", 48)
    cipher = AES.new(secrets[:32], AES.MODE_GCM, nonce=secrets[32:])
    locked, tag = bytearray(plain), b""
    if mode == "LB" or (not mode and size < 1 << 20):
        locked[:], tag = cipher.encrypt_and_digest(plain)
    else:
        length, left = (1 << 20, 20 << 20) if mode == "DB" else (0x19999, 0x19999)
        for start in range(0, size - left + 1, STEP):
            locked[start : start + length] = cipher.encrypt(plain[start : start + length])
    name = vector["prefix"].encode() + vector["name"].encode()
    tail = name + oaep(key, secrets, seed, SHA1) + mode.encode()
    return Made(plain, bytes(locked) + tag + tail, key.export_key())
