"""How the key of a file is wrapped: from the mark's fields and a key to the parts of the file's key."""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from unransom.catalog.schemes.family import FileKey, Mark
from unransom.core.keys import Key, KeyKind

X25519_SIZE = 32  # bytes of a scalar, a point and a shared secret


class X25519(msgspec.Struct, frozen=True):
    """An ephemeral public key in the file, agreed with the private key; parts are cut from a hash of it.

    The wrap proves nothing: every private key gives some file key.

    Attributes:
        public: Field with the ephemeral public key.
        derive: Hash of the shared secret, or ``raw`` for the secret itself.
        parts: Name of each part with its first byte and the byte after its last one in the derived bytes.
    """

    public: str
    derive: Literal["raw", "sha256", "sha512"]
    parts: dict[str, tuple[int, int]]

    def __call__(self, mark: Mark, key: Key) -> FileKey | None:
        """Return the parts that ``key`` gives; None where it is no scalar or the point is of low order."""
        if key.kind is not KeyKind.RAW or len(key.data) != X25519_SIZE:
            return None
        point = X25519PublicKey.from_public_bytes(mark.fields[self.public])
        try:
            secret = X25519PrivateKey.from_private_bytes(key.data).exchange(point)
        except ValueError:
            return None
        derived = secret if self.derive == "raw" else hashlib.new(self.derive, secret).digest()
        return FileKey({name: derived[start:end] for name, (start, end) in self.parts.items()})
