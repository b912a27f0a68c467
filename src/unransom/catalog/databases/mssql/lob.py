"""Values that lie outside their row: text trees, row overflow, sparse vectors."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from unransom.catalog.formats.mssql import PAGE

SMALL_ROOT, INTERNAL, DATA, LARGE_ROOT_SHILOH, LARGE_ROOT_YUKON = 0, 2, 3, 4, 5
OVERFLOW, INLINE_ROOT, SPARSE = 2, 4, 5  # first byte of what stands in the row
BLOB_RECORD = 4  # type of record
LONGEST = 256 << 20  # bytes of a value; longer ones count as lost
DEEPEST = 8  # levels of a tree
NODES = 1 << 16  # records of one tree

Link = tuple[int, int, int]  # page, file, slot


class LobReader:
    """Fetches values from the pages of a database."""

    def __init__(self, page: Callable[[int, int], bytes | None]) -> None:
        """Take pages from ``page``, by file and number."""
        self._page = page

    def read(self, pointer: bytes) -> bytes | None:
        """Return the value that ``pointer`` in a row stands for, None where a part of it is lost."""
        if len(pointer) == 16:
            links = [struct.unpack_from("<IHH", pointer, 8)]
            size = None
        elif len(pointer) >= 24 and pointer[0] in (OVERFLOW, INLINE_ROOT):
            links = [struct.unpack_from("<IHH", pointer, at + 4) for at in range(12, len(pointer) - 11, 12)]
            size = max(struct.unpack_from("<I", pointer, at)[0] for at in range(12, len(pointer) - 11, 12))
        else:
            return None
        out = bytearray()
        for part in self._parts(links):
            if part is None or len(out) + len(part) > LONGEST:
                return None
            out += part
        return bytes(out) if size is None or len(out) == size else None

    def _parts(self, links: list[Link]) -> Iterator[bytes | None]:
        """Yield the leaves of trees in order, None for a lost one."""
        stack = [(link, 0) for link in reversed(links)]
        for _ in range(NODES):
            if not stack:
                return
            link, depth = stack.pop()
            record = self._record(link)
            if record is None or depth > DEEPEST:
                yield None
                return
            data, children = _node(record)
            if data is None:
                stack += [(child, depth + 1) for child in reversed(children)]
            else:
                yield data
        yield None

    def _record(self, link: Link) -> bytes | None:
        """Return the LOB record in a slot."""
        number, file, slot = link
        page = self._page(file, number)
        if page is None or len(page) < PAGE or slot >= int.from_bytes(page[22:24], "little"):
            return None
        place = PAGE - 2 * slot - 2
        at = int.from_bytes(page[place : place + 2], "little")
        if at < 96 or at + 14 > place or page[at] >> 1 & 7 != BLOB_RECORD:
            return None
        end = at + int.from_bytes(page[at + 2 : at + 4], "little")
        return page[at:end] if at + 14 <= end <= place else None


def _node(record: bytes) -> tuple[bytes | None, list[Link]]:
    """Return the bytes of a leaf, or None and the children of a node."""
    kind = int.from_bytes(record[12:14], "little")
    if kind == DATA:
        return record[14:], []
    if kind == SMALL_ROOT:
        size = int.from_bytes(record[14:16], "little")
        return record[20 : 20 + size], []
    if kind not in (INTERNAL, LARGE_ROOT_SHILOH, LARGE_ROOT_YUKON):
        return b"", []
    count = int.from_bytes(record[16:18], "little")
    start, step, pointer = (20, 16, 8) if kind == INTERNAL else (24, 12, 4)
    count = min(count, (len(record) - start) // step)
    return None, [struct.unpack_from("<IHH", record, start + step * i + pointer) for i in range(count)]


def sparse_values(raw: bytes) -> dict[int, bytes]:
    """Return the values of a sparse vector by column number."""
    if len(raw) < 4 or int.from_bytes(raw[:2], "little") != SPARSE:
        return {}
    count = int.from_bytes(raw[2:4], "little")
    if 4 + 4 * count > len(raw):
        return {}
    numbers = struct.unpack_from(f"<{count}H", raw, 4)
    ends = struct.unpack_from(f"<{count}H", raw, 4 + 2 * count)
    starts = (4 + 4 * count, *ends)
    return {number: raw[start:end] for number, start, end in zip(numbers, starts, ends, strict=False)}
