"""What lockers make of a shared secret or a password before they cut keys from it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Literal

from blake3 import blake3

Derivation = Literal[
    "raw", "md5", "sha1", "sha256", "sha512", "sha256-twice", "sha3-256", "sha3-512", "blake2b", "blake3"
]

DERIVATIONS: dict[str, Callable[[bytes], bytes]] = {
    "raw": bytes,
    "md5": lambda secret: hashlib.md5(secret, usedforsecurity=False).digest(),
    "sha1": lambda secret: hashlib.sha1(secret, usedforsecurity=False).digest(),
    "sha256": lambda secret: hashlib.sha256(secret).digest(),
    "sha512": lambda secret: hashlib.sha512(secret).digest(),
    "sha256-twice": lambda secret: _twice(hashlib.sha256(secret).digest()),
    "sha3-256": lambda secret: hashlib.sha3_256(secret).digest(),
    "sha3-512": lambda secret: hashlib.sha3_512(secret).digest(),
    "blake2b": lambda secret: hashlib.blake2b(secret).digest(),
    "blake3": lambda secret: blake3(secret).digest(),
}


def derived_size(derivation: Derivation) -> int:
    """Return the bytes that a derivation gives, 0 where that depends on what it is given."""
    return 0 if derivation == "raw" else len(DERIVATIONS[derivation](b""))


def _twice(digest: bytes) -> bytes:
    """Return ``digest``, and behind it its own SHA-256."""
    return digest + hashlib.sha256(digest).digest()
