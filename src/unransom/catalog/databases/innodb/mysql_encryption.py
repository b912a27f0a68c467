"""Pages that MySQL encrypted, read as they were before, where the keyring is at hand.

Page 0 holds a key and an initial vector of the tablespace's own, encrypted by a master key of the keyring.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from unransom.catalog.databases.innodb import pages
from unransom.catalog.formats._innodb_checksums import crc32c
from unransom.core.streams import Reader

MAGICS = (b"lCC", b"lCB")  # of 5.7.12 and later
INFO = struct.Struct(">3sI36s64sI")  # magic, number of the master key, server, key and vector, their checksum
FIRST_PLACE = 150  # in page 0, at the earliest
FIL_DATA, BLOCK, KEY = 38, 16, 32
TYPE, OLD_TYPE, PACKED_SIZE = 24, 28, 32  # places of a page's type, what it was before, bytes if compressed
ENCRYPTED, PACKED_ENCRYPTED, ENCRYPTED_RTREE = 15, 16, 17  # types of encrypted pages
PACKED, RTREE = (14).to_bytes(2, "big"), (17854).to_bytes(2, "big")  # what the last two were before


class Sealed(NamedTuple):
    """What page 0 says of a tablespace that MySQL encrypted.

    Attributes:
        size: Bytes of a page.
        master: Name of the master key in the keyring.
        wrapped: Key and initial vector, encrypted.
        check: Checksum of both.
    """

    size: int
    master: str
    wrapped: bytes
    check: int


def sealed(reader: Reader) -> Sealed | None:
    """Return what page 0 says of the encryption, None where it says nothing."""
    first = pages.first_page(reader)
    if first is None:
        return None
    flags, page = first
    for magic in MAGICS:
        at = page.find(magic, FIRST_PLACE)
        if 0 <= at <= len(page) - INFO.size:
            _, number, server, wrapped, check = INFO.unpack_from(page, at)
            return Sealed(
                pages.page_size(flags), f"INNODBKey-{server.decode('latin-1')}-{number}", wrapped, check
            )
    return None


def opened(reader: Reader, found: Sealed, keys: Mapping[str, bytes]) -> Decrypted | None:
    """Return ``reader`` with its pages decrypted, None where no key of ``keys`` is proven.

    The checksum of what the master key opens is proof of 32 bits, and the checksums of the pages of more.
    """
    master = keys.get(found.master)
    if master is None or len(master) != KEY:
        return None
    own = _plain(algorithms.AES(master), modes.ECB(), found.wrapped)  # noqa: S305  how the server does it
    if crc32c(own) != found.check:
        return None
    return Decrypted(reader, found.size, own[:KEY], own[KEY : KEY + BLOCK])


class Decrypted:
    """A tablespace whose pages are decrypted when they are read; their checksums are of the plain pages."""

    def __init__(self, reader: Reader, size: int, key: bytes, vector: bytes) -> None:
        """Read ``reader``, whose pages have ``size`` bytes."""
        self.size = reader.size
        self._reader, self._page_size = reader, size
        self._key, self._vector = key, vector

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the file ends."""
        size = self._page_size
        first = offset // size * size
        data = self._reader.read_at(first, -(-(offset + length) // size) * size - first)
        plain = b"".join(self._page(data[at : at + size]) for at in range(0, len(data), size))
        return plain[offset - first : offset - first + length]

    def _page(self, page: bytes) -> bytes:
        kind = page[TYPE] << 8 | page[TYPE + 1] if len(page) == self._page_size else 0
        head, body = page[:TYPE], page[FIL_DATA:]
        if kind == PACKED_ENCRYPTED:  # of which the rest of the header says how it was compressed
            size = page[PACKED_SIZE] << 8 | page[PACKED_SIZE + 1]
            plain = head + PACKED + page[TYPE + 2 : FIL_DATA] + self._body(body[:size])
            return plain.ljust(len(page), b"\0")[: len(page)]
        if kind not in {ENCRYPTED, ENCRYPTED_RTREE}:
            return page
        before = page[OLD_TYPE : OLD_TYPE + 2] if kind == ENCRYPTED else RTREE
        front = head + before + page[TYPE + 2 : OLD_TYPE] + bytes(2) + page[OLD_TYPE + 2 : FIL_DATA]
        return front + self._body(body)

    def _body(self, data: bytes) -> bytes:
        whole = len(data) // BLOCK * BLOCK
        if 2 * BLOCK <= whole < len(data):  # the last two blocks were encrypted again, with what is left over
            data = data[: -2 * BLOCK] + self._blocks(data[-2 * BLOCK :])
        return self._blocks(data[:whole]) + data[whole:]

    def _blocks(self, data: bytes) -> bytes:
        return _plain(algorithms.AES(self._key), modes.CBC(self._vector), data)


def _plain(cipher: algorithms.AES, mode: modes.ECB | modes.CBC, data: bytes) -> bytes:
    stream = Cipher(cipher, mode).decryptor()
    return stream.update(data) + stream.finalize()
