"""Seals bytes as INC does, so that the demo has something to recover.

Only bytes in memory are sealed, only those that the demo has just made, and nothing here knows a path.
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

ON, STEP = 1_000_000, 3_000_000  # bytes locked of every so many
EXTENSION = ".INC"
MAGIC = b"INC"
NOTE_NAME = "INC-README.txt"
NOTE = b"""\
This note belongs to `unransom demo`. A real one would threaten and name a price.
Nothing was attacked: the company is made up, and its key lies beside the case.
"""


def seal(plain: bytes, campaign: X25519PublicKey) -> bytes:
    """Return ``plain`` locked for the campaign's public key."""
    ephemeral = X25519PrivateKey.generate()
    derived = hashlib.sha512(ephemeral.exchange(campaign)).digest()
    cipher = Cipher(algorithms.AES(derived[:16]), modes.CTR(derived[16:32])).encryptor()
    locked = bytearray(plain)
    for start in range(0, len(plain), STEP):  # one stream that goes on from area to area
        locked[start : start + ON] = cipher.update(plain[start : start + ON])
    return bytes(locked) + ephemeral.public_key().public_bytes_raw() + MAGIC
