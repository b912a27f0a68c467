"""Records of the journal of changes of NTFS, as Windows writes them."""

from __future__ import annotations

import struct

EPOCH = 116_444_736_000_000_000  # 1970 in units of 100 ns since 1601


def record(
    name: str,
    time: int,
    reason: int,
    *,
    file: int = 64,
    parent: int = 5,
    version: int = 2,
    usn: int = 0,
    turn: int = 1,
    turn_of_parent: int = 5,
    attributes: int = 0x20,
) -> bytes:
    """Return a record, padded to a multiple of 8 bytes; ``time`` is in nanoseconds since 1970.

    ``turn`` says how often the file's record had been given out by then, ``turn_of_parent`` its folder's.
    """
    raw = name.encode("utf-16-le", "surrogatepass")
    references = (
        struct.pack("<QQ", file | turn << 48, parent | turn_of_parent << 48)
        if version == 2
        else struct.pack("<QQQQ", file, 0, parent, 0)
    )
    where = 8 + len(references) + 36
    length = -(-(where + len(raw)) // 8) * 8
    timed = struct.pack("<qQIIIIHH", usn, time // 100 + EPOCH, reason, 0, 0, attributes, len(raw), where)
    return (struct.pack("<IHH", length, version, 0) + references + timed + raw).ljust(length, b"\0")


def journal(records: list[bytes], hole: int = 64 * 1024) -> bytes:
    """Return a journal: a hole, then records of which none crosses a page."""
    pages, page = [], b""
    for each in records:
        if len(page) + len(each) > 4096:
            pages.append(page.ljust(4096, b"\0"))
            page = b""
        page += each
    return bytes(hole) + b"".join(pages) + page
