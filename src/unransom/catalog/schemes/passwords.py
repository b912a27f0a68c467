"""Keys that come from a password by many rounds of hashing."""

from __future__ import annotations

import functools
import hashlib
from typing import Annotated, Literal

from msgspec import Meta

from unransom.catalog.schemes.data import FieldName, Hex
from unransom.catalog.schemes.family import FileKey, Mark
from unransom.catalog.schemes.wraps import Cuts, CutWrap, cut
from unransom.core.keys import Key, KeyKind


class Password(CutWrap, frozen=True, tag="password"):
    """A password, of which PBKDF2 makes the files' key; the wrap proves nothing.

    Attributes:
        parts: What is cut from the derived bytes.
        rounds: How many rounds.
        hash: The hash function of its HMAC.
        salt: The salt where it is the same in all files.
        salt_field: Name of the field with the salt, instead of ``salt``.
    """

    parts: Cuts
    rounds: Annotated[int, Meta(ge=1, le=10_000_000)]
    hash: Literal["md5", "sha1", "sha256", "sha512"] = "sha256"
    salt: Hex = ""
    salt_field: FieldName = ""

    def __call__(self, mark: Mark, key: Key) -> FileKey | None:
        """Return the parts; None where ``key`` is none that could be a password."""
        if key.kind is not KeyKind.RAW or not self.parts:
            return None
        salt = mark.fields[self.salt_field] if self.salt_field else bytes.fromhex(self.salt)
        length = max(end for _, end in self.parts.values())
        parts = cut(_stretched(self.hash, key.data, salt, self.rounds, length), self.parts)
        return FileKey(parts) if parts else None


@functools.lru_cache(maxsize=4096)
def _stretched(name: str, password: bytes, salt: bytes, rounds: int, length: int) -> bytes:
    return hashlib.pbkdf2_hmac(name, password, salt, rounds, length)
