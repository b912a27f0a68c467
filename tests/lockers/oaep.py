"""OAEP for the makers, with pycryptodomex and without chance."""

import io
from types import ModuleType

from Cryptodome.Cipher import PKCS1_OAEP
from Cryptodome.PublicKey import RSA

from tests.lockers import drawn


def oaep(key: RSA.RsaKey, message: bytes, seed: str, digest: ModuleType) -> bytes:
    """Return ``message`` under OAEP with a hash of ``Cryptodome.Hash``; ``seed`` draws the padding."""
    noise = io.BytesIO(drawn(seed + " padding", 1 << 14))
    return PKCS1_OAEP.new(key, digest, randfunc=noise.read).encrypt(message)
