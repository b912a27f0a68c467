"""Pages that MariaDB encrypted, read as they were before, where the key is at hand; and those of MySQL.

Of MariaDB each tablespace has a key of its own: its initial vector, which page 0 holds, encrypted by the
server's key.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from unransom.catalog.databases.engine import Source
from unransom.catalog.databases.innodb import mysql_encryption, pages
from unransom.catalog.databases.innodb.unpack import PACKED, is_packed, unpack
from unransom.catalog.formats._innodb_checksums import MARIADB_COMPRESSED, crc32c, full_crc32
from unransom.core.streams import Reader

MAGIC = b"s\x0e\x0cREt"
SCHEME, BLOCK = 1, 16
FULL_CRC32 = 0x10  # space flag
FIL_DATA, FULL_DATA = 38, 26  # where the encrypted part begins: before full_crc32, and with it
PACKED_ENCRYPTED = (37401).to_bytes(2, "big")  # type of a page that was packed before full_crc32
SAMPLE, MOST_LOOKED_AT = 16, 1 << 16  # pages that a key is tried on, and that are looked at to find them
KEY_SIZES = (16, 24, 32)
INFIMUM, SUPREMUM = (99, b"infimum\0"), (112, b"supremum")  # what every compact page of an index holds
OLD_INFIMUM, OLD_SUPREMUM = (101, b"infimum\0"), (116, b"supremum\0")


class Sealed(NamedTuple):
    """What page 0 says of a tablespace that is encrypted.

    Attributes:
        size: Bytes of a page.
        space: Its id.
        full: Its checksums are full_crc32.
        vector: The initial vector.
        key: Number of the server's key.
    """

    size: int
    space: int
    full: bool
    vector: bytes
    key: int


def sealed(reader: Reader) -> Sealed | None:
    """Return what page 0 says of the encryption, None where it says nothing."""
    first = pages.first_page(reader)
    if first is None:
        return None
    flags, page = first
    at = page.find(MAGIC, FIL_DATA)
    if at < 0 or at + 33 > len(page) or page[at + 6 : at + 8] != bytes([SCHEME, BLOCK]):
        return None
    key = int.from_bytes(page[at + 28 : at + 32], "big")
    space = int.from_bytes(page[34:38], "big")
    return Sealed(pages.page_size(flags), space, bool(flags & FULL_CRC32), page[at + 8 : at + 24], key)


def all_opened(sources: Sequence[Source], keys: Mapping[str, bytes]) -> list[Source]:
    """Return the sources as they were before they were encrypted.

    A file that has lost its page 0 is opened by that of another file with its name.
    """
    found = {source.name: each for source in sources if (each := sealed(source.reader))}
    told = ((source.name, mysql_encryption.sealed(source.reader)) for source in sources)
    mysql = {name: each for name, each in told if each}
    return [
        _opened(_opened_mysql(source, keys, mysql.get(source.name)), keys, found.get(source.name))
        for source in sources
    ]


def _opened_mysql(source: Source, keys: Mapping[str, bytes], found: mysql_encryption.Sealed | None) -> Source:
    reader = mysql_encryption.opened(source.reader, found, keys) if found else None
    return source._replace(reader=reader) if reader else source


def _opened(source: Source, keys: Mapping[str, bytes], found: Sealed | None) -> Source:
    """Return ``source`` as it was before it was encrypted, itself where it is not or no key is proven.

    A key is proven by the two fixed records of a page of an index, 128 bits.
    """
    key = keys.get(str(found.key)) if found else None
    if found is None or key is None or len(key) not in KEY_SIZES:
        return source
    reader = Decrypted(source.reader, found, key)
    return source._replace(reader=reader) if _is_proven(reader, found) else source


def needs_key(reader: Reader) -> bool:
    """Return whether ``reader`` has pages that its server encrypted, and that are still so."""
    if isinstance(reader, Decrypted | mysql_encryption.Decrypted):
        return False
    if mysql_encryption.sealed(reader):
        return True
    found = sealed(reader)
    if found is None:
        return False
    at = 0 if found.full else FULL_DATA
    last = min(reader.size // found.size, SAMPLE)
    return any(any(reader.read_at(number * found.size + at, 4)) for number in range(1, last))


def _is_proven(reader: Decrypted, found: Sealed) -> bool:
    tried = 0
    for number in range(1, min(reader.size // found.size, MOST_LOOKED_AT)):
        page = reader.read_at(number * found.size, found.size)
        kind = page[24] << 8 | page[25]
        if is_packed(kind):
            page = unpack(page, found.size) or b""
        elif kind not in pages.INDEXES:
            continue
        tried += 1
        for marks in ((INFIMUM, SUPREMUM), (OLD_INFIMUM, OLD_SUPREMUM)):
            if all(page[at : at + len(mark)] == mark for at, mark in marks):
                return True
        if tried == SAMPLE:
            break
    return False


class Decrypted:
    """A tablespace whose pages are decrypted when they are read.

    A page whose checksum held gets one that holds again; of a damaged one what is around the damage is read.
    """

    def __init__(self, reader: Reader, found: Sealed, key: bytes) -> None:
        """Read ``reader`` with the server's ``key``."""
        self.size = reader.size
        self._reader, self._sealed = reader, found
        self._own = _ecb(key, found.vector)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the file ends."""
        size = self._sealed.size
        first = offset // size * size
        data = self._reader.read_at(first, -(-(offset + length) // size) * size - first)
        plain = b"".join(
            self._page(data[at : at + size], (first + at) // size) for at in range(0, len(data), size)
        )
        return plain[offset - first : offset - first + length]

    def _page(self, page: bytes, number: int) -> bytes:
        at = 0 if self._sealed.full else FULL_DATA
        if number == 0 or len(page) < self._sealed.size or not any(page[at : at + 4]):
            return page
        return self._full(page, number) if self._sealed.full else self._plain(page, number)

    def _full(self, page: bytes, number: int) -> bytes:
        kind = page[24] << 8 | page[25]
        end = (kind & ~MARIADB_COMPRESSED) * 256 if kind & MARIADB_COMPRESSED else len(page)
        if not FULL_DATA + BLOCK < end <= len(page):
            return page
        sound = full_crc32(page)
        body = self._body(page[FULL_DATA : end - 4], page, number)
        plain = bytes(4) + page[4:FULL_DATA] + body
        check = crc32c(plain).to_bytes(4, "big") if sound else page[end - 4 : end]
        return (plain + check).ljust(len(page), b"\0")

    def _plain(self, page: bytes, number: int) -> bytes:
        """Return a page whose checksum is of what it was before; a packed one states its length."""
        front = page[:FULL_DATA] + bytes(8) + page[34:FIL_DATA]
        if page[24:26] != PACKED_ENCRYPTED:
            return front + self._body(page[FIL_DATA:-8], page, number) + page[-8:]
        length = int.from_bytes(page[FIL_DATA : FIL_DATA + 2], "big")
        body = self._body(page[FIL_DATA + 4 : FIL_DATA + 4 + length], page, number)
        front = front[:24] + PACKED.to_bytes(2, "big") + front[26:] + page[FIL_DATA : FIL_DATA + 2]
        return (front + body).ljust(len(page), b"\0")[: len(page)]

    def _body(self, data: bytes, page: bytes, number: int) -> bytes:
        lsn = int.from_bytes(page[16:24], "big")
        vector = struct.pack("<IIQ", self._sealed.space, number, lsn)
        whole = len(data) // BLOCK * BLOCK
        stream = Cipher(algorithms.AES(self._own), modes.CBC(vector)).decryptor()
        # What is left behind the last block is masked with the encrypted vector.
        mask = _ecb(self._own, vector)
        rest = bytes(one ^ other for one, other in zip(data[whole:], mask, strict=False))
        return stream.update(data[:whole]) + stream.finalize() + rest


def _ecb(key: bytes, block: bytes) -> bytes:
    stream = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305  one block: how the server does it
    return stream.update(block) + stream.finalize()
