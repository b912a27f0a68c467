"""The ways in which home-made lockers use AES: the mode, where the IV is or what it is made of, a tag."""

from __future__ import annotations

import hashlib
from typing import Literal, NamedTuple

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.family import Decryptor, FileKey, Mark
from unransom.crypto.ciphers.aes import BLOCK

# Of the IV. In the file or beside the key, or else made of the key: its first or last bytes, or a digest.
Place = Literal["head", "tail", "none", "key", "key-end", "md5", "sha256"]
Streams = Literal["one", "anew", "by place"]  # how areas share the stream
Length = Literal["little 8", "big 8", "little 4", "digits", "none"]
LENGTHS: dict[Length, int] = {"little 8": 8, "big 8": 8, "little 4": 4, "digits": BLOCK, "none": 0}  # bytes


class Way(NamedTuple):
    """A way to lock: the mode, where the IV is and how long, how the last block is filled, where a tag is.

    Without a padding there are zeros behind a whole file, or only areas of it are locked. A nonce that is
    shorter than a block is followed by a counter, which begins with ``first``. The original's length may
    stand at the beginning of the file, before the IV: then it tells how many bytes fill the last block.
    """

    cipher: Cipher
    place: Place
    padded: bool = False
    iv: int = BLOCK
    tag: Literal["head", "tail", "end", "none"] = "none"  # behind the IV; end: before it
    first: int = 0
    length: Length = "none"

    @property
    def added(self) -> int:
        """Bytes of length, IV and tag in the file."""
        iv = self.iv if self.place in {"head", "tail"} else 0
        return LENGTHS[self.length] + iv + (0 if self.tag == "none" else BLOCK)

    @property
    def start(self) -> int:
        """Offset of the first locked byte."""
        iv = self.iv if self.place == "head" else 0
        return LENGTHS[self.length] + iv + (BLOCK if self.tag == "head" else 0)

    @property
    def streams(self) -> tuple[Streams, ...]:
        """How areas may share the stream."""
        if self.cipher.kind == "aes-ecb":
            return ("one",)
        return ("one", "anew", "by place") if self.cipher.kind == "aes-ctr" else ("one", "anew")

    def size(self, size: int) -> int:
        """Return the locked bytes in a file of ``size`` bytes."""
        return size - self.added

    def decryptor(self, key: bytes, iv: bytes, offset: int = 0) -> Decryptor:
        """Return a decryptor at ``offset`` of the stream."""
        return self.cipher.start(FileKey({"key": key, "iv": iv}), offset)

    def iv_of(self, mark: Mark, key: bytes, given: bytes) -> bytes:
        """Return the IV; ``given`` is what stood behind the key: zeros follow, or are all of it."""
        if self.place in {"head", "tail"}:
            head, end = mark.fields["head"], mark.fields["end"]
            behind = len(end) - (BLOCK if self.tag == "tail" else 0)
            before = LENGTHS[self.length]
            found = (
                head[before : before + self.iv]
                if self.place == "head"
                else end[max(behind - self.iv, 0) : behind]
            )
        else:
            found = _made(self.place, key, given)[: self.iv]
        if self.tag != "none":
            return found
        return found + self.first.to_bytes(BLOCK - self.iv) if len(found) < BLOCK else found

    def filled(self, mark: Mark) -> int | None:
        """Return the bytes behind the original in its last block, None where the length is not the file's."""
        field, stored = mark.fields["head"][: LENGTHS[self.length]], self.size(mark.numbers["size"])
        if self.length == "digits":
            digits = field.strip(b" \0")
            length = int(digits) if digits.isdigit() else -1
        else:
            length = int.from_bytes(field, "big" if self.length == "big 8" else "little")
        return (
            stored - length if length > 0 and not stored % BLOCK and 0 <= stored - length <= BLOCK else None
        )

    def tag_of(self, mark: Mark) -> bytes:
        """Return the tag from where it is, b"" where there is none."""
        head, end = mark.fields["head"], mark.fields["end"]
        if self.tag == "head":
            return head[self.start - BLOCK : self.start]
        return {"tail": end[-BLOCK:], "end": end[: -self.iv][-BLOCK:], "none": b""}[self.tag]


def _made(place: Place, key: bytes, given: bytes) -> bytes:
    """Return the IV that is not in the file."""
    match place:
        case "key":
            return key[:BLOCK]
        case "key-end":
            return key[-BLOCK:]
        case "md5":
            return hashlib.md5(key, usedforsecurity=False).digest()
        case "sha256":
            return hashlib.sha256(key).digest()[:BLOCK]
        case _:
            return given.ljust(BLOCK, b"\0")


CBC, ECB, GCM = Cipher(kind="aes-cbc"), Cipher(kind="aes-ecb"), Cipher(kind="aes-gcm")
CTR, LITTLE, OFB = Cipher(kind="aes-ctr"), Cipher(kind="aes-ctr", order="little"), Cipher(kind="aes-ofb")
CFB, CFB8 = Cipher(kind="aes-cfb"), Cipher(kind="aes-cfb8")
FILES: tuple[Place, ...] = ("head", "tail")
PLACES: tuple[Place, ...] = ("none", *FILES, "key", "key-end", "md5", "sha256")
NONCE, USUAL = 8, 12  # bytes of the counter that libraries leave to the nonce
WAYS = (
    *(Way(CBC, place, padded=True) for place in PLACES),
    *(Way(CBC, "head", length=length) for length in LENGTHS if length != "none"),
    *(Way(cipher, place) for cipher in (CBC, CTR, LITTLE, CFB, OFB, CFB8) for place in PLACES),
    *(Way(CTR, place, iv=NONCE) for place in FILES),
    *(Way(CTR, place, iv=USUAL, first=first) for place in FILES for first in (0, 1)),
    *(Way(ECB, "none", padded=padded) for padded in (True, False)),
    *(Way(GCM, "head", iv=size, tag=tag) for size in (USUAL, BLOCK) for tag in ("tail", "head")),
    *(Way(GCM, "tail", iv=size, tag=tag) for size in (USUAL, BLOCK) for tag in ("tail", "end")),
    *(Way(GCM, "none", iv=size, tag=tag) for size in (USUAL, BLOCK) for tag in ("tail", "head")),
)
