"""MD5, SHA-256 and BLAKE3 of one stream in one pass, each in a thread of its own."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import msgspec
from blake3 import blake3

from unransom.core.streams import Reader, chunks


class Digests(msgspec.Struct, frozen=True):
    """Digests of the same bytes, lower-case hexadecimal."""

    size: int
    md5: str
    sha256: str
    blake3: str


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
        self._pool: ThreadPoolExecutor | None = None
        self._pending: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool:
            self._pool.shutdown()

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Add ``data`` to every hash."""
        self._wait()
        self._size += len(data)
        if len(data) <= self.SMALL:
            for each in self._hashes:
                each.update(data)
            return
        self._pool = self._pool or ThreadPoolExecutor(len(self._hashes), "hash")
        self._pending = [self._pool.submit(each.update, data) for each in self._hashes]

    def digests(self) -> Digests:
        """Return the digests of all bytes so far."""
        self._wait()
        md5, sha256, b3 = (each.hexdigest() for each in self._hashes)
        return Digests(self._size, md5, sha256, b3)

    def _wait(self) -> None:
        for future in self._pending:
            future.result()
        self._pending = []


def digest(reader: Reader) -> Digests:
    """Return the digests of everything in ``reader``."""
    with Hasher() as hasher:
        for piece in chunks(reader):
            hasher.update(piece)
        return hasher.digests()
