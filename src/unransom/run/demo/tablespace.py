"""A tablespace as MariaDB writes it: InnoDB pages of 16 KiB, each with its number, space id and CRC-32C."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from unransom.run.demo.documents import Row

PAGE = 16384  # bytes
BODY = PAGE - 38 - 8  # between header and trailer
FULL_CRC32 = 0x15  # flags: the format of MariaDB since 10.5, pages of 16 KiB
SPACE_HEADER, INDEX = 8, 17855  # types of page
NONE = 0xFFFFFFFF  # neighbour of a page that has none


def tablespace(space: int, rows: Iterable[Row]) -> bytes:
    """Return a tablespace with id ``space`` whose index pages are filled with ``rows``."""
    packed = b"".join(b"\0".join(str(value).encode() for value in row) + b"\n" for row in rows)
    bodies = [packed[at : at + BODY] for at in range(0, len(packed), BODY)]
    header = struct.pack(">IIIII", space, 0, len(bodies) + 1, len(bodies) + 1, FULL_CRC32)
    pages = [_page(space, 0, SPACE_HEADER, header)]
    pages += [_page(space, number, INDEX, body) for number, body in enumerate(bodies, 1)]
    return b"".join(pages)


def _page(space: int, number: int, kind: int, body: bytes) -> bytes:
    # Compiled, and slow to import.
    from unransom.catalog.formats._page_checksums import crc32c  # noqa: PLC0415

    written = 1_000_000 + number * 512  # log sequence number; its low half stands at the end again
    head = struct.pack(">IIIIQHQI", 0, number, NONE, NONE, written, kind, 0, space)
    page = head + body.ljust(BODY, b"\0") + struct.pack(">I", written & 0xFFFFFFFF)
    return page + struct.pack(">I", crc32c(memoryview(page)))
