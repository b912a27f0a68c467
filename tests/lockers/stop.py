"""Seals like STOP/Djvu: Salsa20 from byte 5 to 153,605, keyed with a UUID under RSA-2048."""

import uuid

from Cryptodome.Cipher import Salsa20
from Cryptodome.Hash import SHA1
from Cryptodome.PublicKey import RSA

from tests.lockers import Made, content, drawn
from tests.lockers.oaep import oaep
from tests.lockers.rsa import key_of

END = 153_605
GUID = b"{36A698B9-D67C-4E07-BE82-0EC5B14B4DF5}"


def seal(plain: bytes, name: str, public: RSA.RsaKey, victim: bytes, seed: str) -> bytes:
    """Return ``plain`` locked with the file's UUID ``name``; ``seed`` draws the padding under RSA."""
    text = name.encode()
    locked = Salsa20.new(key=text[:32], nonce=text[:8]).encrypt(plain[5:END])
    return plain[:5] + locked + plain[END:] + oaep(public, text, seed, SHA1) + victim + GUID


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the RSA key."""
    seed = vector["seed"]
    plain = content(seed, vector["size"])
    rsa = key_of("rsa2048")
    name = str(uuid.UUID(bytes=drawn(seed + " uuid", 16)))
    victim = drawn(seed + " victim", 20).hex().encode()
    return Made(plain, seal(plain, name, rsa, victim, seed), rsa.export_key() + b"\n")
