"""The common ways to lock a file with a key that is at hand: cipher, and where the IV or nonce comes from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from unransom.catalog.schemes.ciphers import WHOLE_BLOCKS, Cipher, Kind
from unransom.catalog.schemes.described import Description
from unransom.catalog.schemes.extents import Whole
from unransom.catalog.schemes.family import FileKey
from unransom.catalog.schemes.layout import Field, Head, Tail
from unransom.catalog.schemes.plans import OneStream
from unransom.catalog.schemes.wraps import RunKey
from unransom.core.records import FileRef
from unransom.crypto.ciphers.at_once import decrypted
from unransom.recover.keys.describing import extensions_of

AES_KEYS = (32, 16, 24)
LONGEST_IV = 16  # bytes


class Way(NamedTuple):
    """A cipher, and where its IV is.

    Attributes:
        kind: Of the cipher.
        iv: ``none``; ``zero``; ``head`` or ``tail`` of the locked file; ``key``, its first bytes; ``beside``,
            the bytes behind the key.
        size: Bytes of the IV.
        keys: Bytes that a key may have.
    """

    kind: Kind
    iv: Literal["none", "zero", "head", "tail", "key", "beside"] = "none"
    size: int = 0
    keys: tuple[int, ...] = AES_KEYS

    @property
    def padded(self) -> bool:
        """Whether the last block may be padded."""
        return self.kind in WHOLE_BLOCKS

    def takes(self, size: int) -> bool:
        """Return whether so many bytes are a key for it."""
        return size - (self.size if self.iv == "beside" else 0) in self.keys

    def head(self, key: bytes, head: bytes, end: bytes) -> bytes:
        """Return what the first bytes of a file open to.

        Args:
            key: It, and the IV behind it where that is ``beside``.
            head: First bytes of the locked file.
            end: Its last ones.
        """
        bare = key[: -self.size] if self.iv == "beside" else key
        iv = {
            "none": b"",
            "zero": bytes(self.size),
            "head": head[: self.size],
            "tail": end[-self.size :] if self.size else b"",
            "key": key[: self.size],
            "beside": key[len(bare) :],
        }[self.iv]
        start = self.size if self.iv == "head" else 0
        data = head[start : start + 48]
        data = data[: len(data) // LONGEST_IV * LONGEST_IV]
        cipher = Cipher(self.kind, fixed_iv=iv.hex()).start(FileKey({"key": bare}))
        return decrypted(cipher, data)

    def described(self, size: int, refs: Iterable[FileRef], *, padded: bool) -> Description:
        """Return the family of files that are locked so.

        Args:
            size: Bytes of the key, with the IV where that is ``beside``.
            refs: Some of the files.
            padded: Whether their last block is padded.
        """
        bare = size - self.size if self.iv == "beside" else size
        parts = {"key": (0, bare)}
        if self.iv == "key":
            parts["iv"] = (0, self.size)
        if self.iv == "beside":
            parts["iv"] = (bare, size)
        fixed = bytes(self.size).hex() if self.iv == "zero" else ""
        words = ["static", self.kind, str(8 * bare), *([self.iv] if self.size else [])]
        return Description(
            name="-".join([*words, *(["padded"] if padded else [])]),
            extensions=extensions_of(refs),
            head=Head((Field("iv", self.size),)) if self.iv == "head" else None,
            tail=Tail((Field("iv", self.size),)) if self.iv == "tail" else None,
            wrap=RunKey(parts, sizes=(size,)),
            plan=OneStream(cipher=Cipher(self.kind, fixed_iv=fixed), extents=Whole(), padded=padded),
        )


WAYS: tuple[Way, ...] = (
    *(Way("aes-cbc", iv, 16) for iv in ("zero", "head", "tail", "key", "beside")),
    *(Way("aes-ctr", iv, 16) for iv in ("zero", "head", "tail", "key", "beside")),
    Way("aes-ecb"),
    *(Way("aes-cfb", iv, 16) for iv in ("zero", "head", "beside")),
    *(Way("chacha", iv, 12, (32,)) for iv in ("zero", "head", "tail", "beside")),
    *(Way("salsa", iv, 8, (32,)) for iv in ("zero", "head", "beside")),
    Way("rc4", keys=(16, 32)),
)
