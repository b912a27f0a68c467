"""MD5, SHA-256 and BLAKE3 of one stream in one pass; MD5 in a thread of its own."""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

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
def _threads() -> itertools.cycle[ThreadPoolExecutor]:
    """Return the threads of this process that hash, in turns; they live as long as it does."""
    return itertools.cycle([ThreadPoolExecutor(1, "hash") for _ in range(2)])


class Hasher:
    """Feeds the same bytes to MD5, SHA-256 and BLAKE3.

    Where the processor knows SHA, MD5 takes as long as all else that is done with a stream: reading,
    decrypting, the other hashes, writing. So it has a thread, for hashlib releases the GIL, and the rest
    is done by the caller's. More threads would only get in the way of each other.

    A caller who fills buffers in turn overlaps hashing with reading: one that was given to ``update`` must
    stay as it is until all the others were given, too, or ``wait`` or ``digests`` returns. What cannot change
    may wait for the thread, which then never waits itself. Small pieces are hashed where they stand: handing
    them to a thread would cost more than the hash.
    """

    SMALL = 64 * 1024  # bytes
    AHEAD = 3  # pieces that may wait for the thread

    def __init__(self, buffers: int = 2) -> None:
        """Begin with nothing.

        Args:
            buffers: How many the caller fills in turn, two or more; bytes, which cannot change, do not count.
        """
        self._ahead = min(buffers - 2, self.AHEAD - 1)  # buffers that may still wait when the next is given
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()
        self._blake3 = blake3()
        self._size = 0
        self._thread: ThreadPoolExecutor | None = None
        self._pending: deque[Future[None]] = deque()
        self._changing = False  # the buffer that was given last may change

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Add ``data`` to every hash."""
        self.wait(self._ahead if self._changing else self.AHEAD - 1)
        self._changing = not isinstance(data, bytes)
        self._size += len(data)
        if len(data) <= self.SMALL and not self._pending:
            self._md5.update(data)
        else:
            self._thread = self._thread or next(_threads())
            self._pending.append(self._thread.submit(self._md5.update, data))
        self._sha256.update(data)
        self._blake3.update(data)

    def digests(self) -> Digests:
        """Return the digests of all bytes so far."""
        self.wait()
        return Digests(self._size, self._md5.hexdigest(), self._sha256.hexdigest(), self._blake3.hexdigest())

    def wait(self, left: int = 0) -> None:
        """Wait until all buffers but ``left`` are hashed; with none left all of them may change."""
        while len(self._pending) > left:
            self._pending.popleft().result()


def digest(reader: Reader) -> Digests:
    """Return the digests of everything in ``reader``."""
    hasher = Hasher()
    for piece in chunks(reader):
        hasher.update(piece)
    return hasher.digests()
