"""How an original is put together when the scheme needs no code of its own."""

from __future__ import annotations

import msgspec

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.extents import Extents, pieces
from unransom.catalog.schemes.family import FileKey, Mark, Plan, Unlock
from unransom.core.streams import Reader
from unransom.crypto.ciphers.aes import BLOCK


class OneStream(msgspec.Struct, frozen=True):
    """The locked spans, one after the other, are one stream of one cipher."""

    cipher: Cipher
    extents: Extents

    def __call__(self, locked: Reader, mark: Mark, key: FileKey) -> Plan:
        """Return the plan for a file whose original has the mark's ``plain_size``."""
        size = locked.size if mark.plain_size is None else mark.plain_size
        return Plan(size, pieces(size, self.extents.spans(size), self.cipher.start(key)))


class Behind(msgspec.Struct, frozen=True):
    """The whole original, padded to blocks of 16 bytes, is one stream behind a head of ``start`` bytes."""

    cipher: Cipher
    start: int

    def __call__(self, locked: Reader, mark: Mark, key: FileKey) -> Plan:
        """Return the plan for a file whose original has the mark's ``plain_size``."""
        del locked
        size = mark.plain_size or 0
        padded = size + -size % BLOCK
        return Plan(size, iter([Unlock(self.start, padded, self.cipher.start(key))]))
