"""Seals like Mammon: AES-256-GCM whole, at the beginning, and in places; key and nonce under RSA-OAEP."""

from Cryptodome.Cipher import AES
from Cryptodome.Cipher._mode_gcm import GcmMode
from Cryptodome.Hash import SHA1

from tests.lockers import Made, content, drawn
from tests.lockers.oaep import oaep
from tests.lockers.rsa import key_of

MIB = 1 << 20


def cipher_of(seed: str) -> GcmMode:
    """Return AES-GCM with the key and the nonce that ``seed`` draws."""
    secrets = drawn(seed + " secrets", 48)
    return AES.new(secrets[:32], AES.MODE_GCM, nonce=secrets[32:])


def blob(seed: str) -> bytes:
    """Return that key and nonce under the session's key."""
    return oaep(key_of("rsa4096"), drawn(seed + " secrets", 48), seed, SHA1)


def seal(plain: bytes, seed: str) -> bytes:
    """Return ``plain`` locked once, or twice where it is above 50 MiB."""
    if len(plain) < MIB:
        locked, tag = cipher_of(seed).encrypt_and_digest(plain)
        return locked + tag + b"K:" + blob(seed)
    once = cipher_of(seed).encrypt(plain[:0x32000]) + plain[0x32000:] + blob(seed)
    return again(once, seed + " again") if len(plain) > 50 * MIB else once


def again(once: bytes, seed: str) -> bytes:
    """Return ``once`` locked the second time."""
    locked, cipher, position = bytearray(once), cipher_of(seed), 0
    while position < len(once) - 0x640000:
        locked[position : position + 0x10000] = cipher.encrypt(once[position : position + 0x10000])
        position += 0x10000 + 0x640000
    return bytes(locked) + blob(seed)


def make(vector: dict) -> Made:
    """Return the locked file of a vector, or with ``again`` what the second time makes of its first."""
    seed, private = vector["seed"], key_of("rsa4096").export_key()
    plain = content(seed, vector["size"])
    if vector.get("again"):  # the layer above, whose original is what the first time left
        once = seal(plain, seed)
        return Made(once, again(once, seed + " again"), private)
    return Made(plain, seal(plain, seed), private)
