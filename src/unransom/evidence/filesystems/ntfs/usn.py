"""The journal of changes of NTFS (USN journal): each creation, write, renaming and deletion, with its time.

Source: USN_RECORD_V2 and USN_RECORD_V3 in Microsoft's documentation of Windows' volume management. Records
begin at multiples of 8 bytes; none crosses a page of 4 KiB; what was thrown away is a hole at the beginning.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from unransom.core.errors import UnreadableError
from unransom.core.streams import Reader
from unransom.evidence.filesystems.ntfs.folders import Folders, Reference

PAGE = 4096
STEP = 1 << 20  # bytes read at a time, whole pages
HEAD = struct.Struct("<IHH")  # length, major, minor version
LAYOUTS = {  # per major version: where the references of file and folder stand, and the time of the record
    2: (8, 16, 32),
    3: (8, 24, 48),
}
REFERENCE = struct.Struct("<Q")
TIMED = struct.Struct("<QIIIIHH")  # time, reason, source, security, attributes, bytes of name, where it is
EPOCH = 116_444_736_000_000_000  # 1970 in units of 100 ns since 1601
LATEST = 0x7FFF_FFFF_FFFF_FFFF // 100 + EPOCH  # time that fits 64 bits as nanoseconds
FOLDER = 0x10  # of a file's attributes
CREATED, DELETED, RENAMED_FROM, RENAMED_TO = 0x100, 0x200, 0x1000, 0x2000
REASONS = {
    0x1: "data overwritten",
    0x2: "data extended",
    0x4: "data truncated",
    0x10: "stream overwritten",
    0x20: "stream extended",
    0x40: "stream truncated",
    CREATED: "created",
    DELETED: "deleted",
    0x400: "extended attributes changed",
    0x800: "rights changed",
    RENAMED_FROM: "renamed from",
    RENAMED_TO: "renamed to",
    0x8000: "attributes or times changed",
    0x20000: "compression changed",
    0x40000: "encryption changed",
    0x80000: "object identifier changed",
    0x100000: "reparse point changed",
    0x200000: "stream changed",
    0x80000000: "closed",
}
_DATA = re.compile(rb"[^\0]")


class Change(NamedTuple):
    """A record of the journal.

    Attributes:
        time: Nanoseconds since 1970 UTC.
        name: The file's name, UTF-8; what is no character is escaped.
        file, folder: The records of the file and of its folder.
        reason: What was done, in the bits of `REASONS`.
        is_folder: What was changed is a folder.
    """

    time: int
    name: bytes
    file: Reference
    folder: Reference
    reason: int
    is_folder: bool

    @property
    def record(self) -> int:
        """Number of the file's record."""
        return self.file.record

    @property
    def parent(self) -> int:
        """Number of the record of its folder."""
        return self.folder.record

    @property
    def reasons(self) -> tuple[str, ...]:
        """What was done, in the words of `REASONS`."""
        return tuple(word for bit, word in REASONS.items() if self.reason & bit) or (f"{self.reason:#x}",)


def changes(reader: Reader) -> Iterator[Change]:
    """Yield the records of a journal, oldest first; what is damaged or cannot be read is passed over."""
    for offset in range(0, reader.size, STEP):
        try:
            data = reader.read_at(offset, STEP)
        except UnreadableError:
            continue
        for start in range(0, len(data), PAGE):
            yield from changes_in(data[start : start + PAGE])


def changes_in(page: bytes) -> Iterator[Change]:
    """Yield the records of a page."""
    position = 0
    while (found := _DATA.search(page, position)) is not None:
        position = found.start() & ~7
        length = 8
        if position + HEAD.size <= len(page):
            length, major, _ = HEAD.unpack_from(page, position)
            change = _change(page[position : position + length], major)
            if change:
                yield change
            else:
                length = 8
        position += max(8, (length + 7) & ~7)


def _change(data: bytes, major: int) -> Change | None:
    if major not in LAYOUTS:
        return None
    file, folder, timed = LAYOUTS[major]
    if len(data) < timed + TIMED.size:
        return None
    time, reason, _, _, attributes, size, where = TIMED.unpack_from(data, timed)
    fits = where >= timed + TIMED.size and where + size <= len(data) and size and not size & 1
    if not fits or not EPOCH <= time <= LATEST or not reason:
        return None
    name = data[where : where + size].decode("utf-16-le", "surrogatepass").encode("utf-8", "backslashreplace")
    own, parent = (Reference.of(REFERENCE.unpack_from(data, at)[0]) for at in (file, folder))
    return Change((time - EPOCH) * 100, name, own, parent, reason, bool(attributes & FOLDER))


def folders_in(reader: Reader, folders: Folders) -> Folders:
    """Return ``folders`` with those that a journal names: what each was called last."""
    seen = {change.file: (change.name, change.folder) for change in changes(reader) if change.is_folder}
    for folder, (name, parent) in seen.items():
        folders.add(folder, name, parent)
    return folders
