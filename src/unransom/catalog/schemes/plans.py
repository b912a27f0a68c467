"""How an original is put together when the scheme needs no code of its own."""

from __future__ import annotations

import msgspec

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.extents import Extents, pieces
from unransom.catalog.schemes.family import FileKey, Mark, Plan
from unransom.core.streams import Reader


class OneStream(msgspec.Struct, frozen=True):
    """The locked spans, one after the other, are one stream of one cipher."""

    cipher: Cipher
    extents: Extents

    def __call__(self, locked: Reader, mark: Mark, key: FileKey) -> Plan:
        """Return the plan for a file whose original has the mark's ``plain_size``."""
        size = locked.size if mark.plain_size is None else mark.plain_size
        return Plan(size, pieces(size, self.extents.spans(size), self.cipher.start(key)))
