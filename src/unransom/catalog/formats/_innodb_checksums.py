"""The checksums of InnoDB pages; every rule is tried on every page, for page 0 may lie or be lost."""

from __future__ import annotations

import zlib
from collections.abc import Callable

NO_CHECKSUM = 0xDEADBEEF
MARIADB_COMPRESSED = 0x8000  # full_crc32: bit of the type; the rest of it is the length by 256


def _crc32c_of() -> Callable[[bytes], int]:
    """Return the fastest CRC-32C at hand."""
    try:
        import google_crc32c  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
    except ImportError:
        from unransom.catalog.formats import _page_checksums  # noqa: PLC0415

        return lambda data: _page_checksums.crc32c(memoryview(data))
    value: Callable[[bytes], int] = google_crc32c.value
    return value


crc32c = _crc32c_of()


def _stored(page: bytes, offset: int) -> int:
    return int.from_bytes(page[offset : offset + 4], "big")


def full_crc32(page: bytes) -> bool:
    """MariaDB from 10.5 on: all of the page but its last four bytes; a compressed page ends earlier."""
    kind = page[24] << 8 | page[25]
    if kind & MARIADB_COMPRESSED:
        end = (kind & 0x7FFF) * 256
        if not 64 <= end <= len(page):
            return False
        page = page[:end]
    return crc32c(page[:-4]) == _stored(page, len(page) - 4)


def crc32(page: bytes) -> bool:
    """MySQL from 5.7 on: without what the disk layer changes later."""
    stored = _stored(page, 0)
    if stored != _stored(page, len(page) - 8):
        return False
    return crc32c(page[4:26]) ^ crc32c(page[38:-8]) == stored


def innodb(page: bytes) -> bool:
    """MySQL up to 5.6: a hash in front, another one behind."""
    from unransom.catalog.formats._page_checksums import fold  # noqa: PLC0415

    view = memoryview(page)
    if fold(view[:26]) != _stored(page, len(page) - 8):
        return False
    return (fold(view[4:26]) + fold(view[38:-8])) & 0xFFFFFFFF == _stored(page, 0)


def none(page: bytes) -> bool:
    """Servers that were told to write no checksums."""
    return _stored(page, 0) == NO_CHECKSUM == _stored(page, len(page) - 8)


def compressed_crc32(page: bytes) -> bool:
    """ROW_FORMAT=COMPRESSED, which has no trailer."""
    return crc32c(page[4:16]) ^ crc32c(page[24:26]) ^ crc32c(page[34:]) == _stored(page, 0)


def compressed_adler(page: bytes) -> bool:
    """ROW_FORMAT=COMPRESSED up to MySQL 5.6."""
    adler = zlib.adler32(page[24:26], zlib.adler32(page[4:16], 0))
    return zlib.adler32(page[34:], adler) == _stored(page, 0)


RULES: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("full_crc32", full_crc32),
    ("crc32", crc32),
    ("compressed crc32", compressed_crc32),
    ("none", none),
    ("compressed adler32", compressed_adler),
    ("innodb", innodb),
)


def rule_of(page: bytes, first: int = 0) -> int:
    """Return the number of the rule that holds for ``page``, -1 for none; ``first`` is tried first."""
    if RULES[first][1](page):
        return first
    for number, (_, holds) in enumerate(RULES):
        if number != first and holds(page):
            return number
    return -1
