"""RSA for the makers, with pycryptodomex: keys that the vectors share, and paddings without chance."""

import io
from pathlib import Path

from Cryptodome.Cipher import PKCS1_OAEP, PKCS1_v1_5
from Cryptodome.Hash import SHA256
from Cryptodome.PublicKey import RSA

from tests.lockers import drawn

KEYS = Path(__file__).parents[1] / "vectors" / "keys"


def key_of(name: str) -> RSA.RsaKey:
    """Return the private key in ``tests/vectors/keys/<name>.pem``."""
    return RSA.import_key((KEYS / f"{name}.pem").read_bytes())


def pkcs1(key: RSA.RsaKey, message: bytes, seed: str) -> bytes:
    """Return ``message`` under PKCS #1 v1.5, big-endian; ``seed`` draws the padding."""
    noise = io.BytesIO(drawn(seed + " padding", 1 << 14))
    return PKCS1_v1_5.new(key, randfunc=noise.read).encrypt(message)


def oaep_sha256(key: RSA.RsaKey, message: bytes, seed: str) -> bytes:
    """Return ``message`` under OAEP with SHA-256; ``seed`` draws the padding."""
    noise = io.BytesIO(drawn(seed + " padding", 1 << 14))
    return PKCS1_OAEP.new(key, SHA256, randfunc=noise.read).encrypt(message)
