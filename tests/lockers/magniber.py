"""Seals like Magniber: AES-256-CBC, and RSA-2048 around the key, which the IV is half of."""

from Cryptodome.Cipher import AES
from Cryptodome.Util.Padding import pad

from tests.lockers import Made, content, drawn
from tests.lockers.rsa import key_of, pkcs1


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the private key."""
    seed, private = vector["seed"], key_of("rsa2048")
    plain, key = content(seed, vector["size"]), drawn(seed + " key", 32)
    iv = bytes(key[2 * index] for index in range(16))
    body = AES.new(key, AES.MODE_CBC, iv).encrypt(pad(plain, 16))
    return Made(plain, body + pkcs1(private, key, seed)[::-1], private.export_key())
