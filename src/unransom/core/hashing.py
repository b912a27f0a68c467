"""MD5, SHA-256 and BLAKE3 of one stream in one pass, each in a thread of its own."""

from __future__ import annotations

import functools
import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import msgspec
from blake3 import blake3

from unransom.core.streams import Reader, chunks


class Digests(msgspec.Struct, frozen=True):
    """Digests of the same bytes, lower-case hexadecimal."""

    size: int
    md5: str
    sha256: str
    blake3: str


@functools.cache
def _threads() -> ThreadPoolExecutor:
    """Return the threads of this process that hash; they live as long as it does."""
    return ThreadPoolExecutor(3, "hash")


class Hasher:
    """Feeds the same bytes to MD5, SHA-256 and BLAKE3; hashlib and blake3 release the GIL.

    A buffer given to ``update`` must stay as it is until the next ``update`` or ``digests`` returns,
    so that a caller with two buffers in turn overlaps hashing with reading. Small pieces are hashed
    where they stand: handing them to threads would cost more than the hash.
    """

    SMALL = 64 * 1024  # bytes

    def __init__(self) -> None:
        self._hashes: tuple[Any, ...] = (
            hashlib.md5(usedforsecurity=False),
            hashlib.sha256(),
            blake3(),
        )
        self._size = 0
        self._pending: list[Future[None]] = []

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Add ``data`` to every hash."""
        self.wait()
        self._size += len(data)
        if len(data) <= self.SMALL:
            for each in self._hashes:
                each.update(data)
        else:
            self._pending = [_threads().submit(each.update, data) for each in self._hashes]

    def digests(self) -> Digests:
        """Return the digests of all bytes so far."""
        self.wait()
        md5, sha256, b3 = (each.hexdigest() for each in self._hashes)
        return Digests(self._size, md5, sha256, b3)

    def wait(self) -> None:
        """Wait until the last buffer is hashed, and may change."""
        for future in self._pending:
            future.result()
        self._pending = []


def digest(reader: Reader) -> Digests:
    """Return the digests of everything in ``reader``."""
    hasher = Hasher()
    for piece in chunks(reader):
        hasher.update(piece)
    return hasher.digests()
