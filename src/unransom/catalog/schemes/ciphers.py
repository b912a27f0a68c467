"""Which cipher a family uses, as data: a name, and the names of the parts of the file's key it takes."""

from __future__ import annotations

from typing import Literal

import msgspec

from unransom.catalog.schemes.family import Decryptor, FileKey
from unransom.crypto.ciphers.aes import AesCbc, AesCtr


class Cipher(msgspec.Struct, frozen=True):
    """A cipher and where its inputs come from.

    Attributes:
        kind: What it is called.
        key, iv: Names of parts of the file's key; ``iv`` is the counter or nonce where there is one.
    """

    kind: Literal["aes-ctr", "aes-cbc"]
    key: str = "key"
    iv: str = "iv"

    def start(self, file_key: FileKey) -> Decryptor:
        """Return a decryptor at the beginning of the stream."""
        key, iv = file_key.parts[self.key], file_key.parts[self.iv]
        match self.kind:
            case "aes-ctr":
                return AesCtr(key, iv)
            case "aes-cbc":
                return AesCbc(key, iv)
