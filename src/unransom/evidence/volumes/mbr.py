"""MBR: the table of a disk, with the extended partitions that it links to.

It counts in sectors and does not say of how many bytes: 512, or 4,096 on disks of that kind ("4Kn") and on
virtual disks with logical sectors of 4,096 bytes. Of these the one counts by which volumes are where it says.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import pytsk3

from unransom.core.errors import UnreadableError
from unransom.core.streams import Reader
from unransom.evidence.sleuthkit import TSK_ERRORS, TskImage
from unransom.evidence.volumes import raid, signatures

EXTENDED = re.compile(r"\(0x(?:05|0f|85)\)", re.IGNORECASE)
MOST = 1024  # volumes that are looked at; a damaged table can name any number
LARGE = 4096  # bytes of a sector
FACTOR = LARGE // signatures.SECTOR


class Part(NamedTuple):
    """A line of the table of a disk, in bytes; ``extended`` is one that has others in it."""

    extended: bool
    start: int
    size: int
    label: str


def parts(image: TskImage) -> list[Part]:
    """Return what the table names, in its order; nothing where it makes no sense."""
    small = _parts(image)
    if not _hold(image.reader, small):
        found = _parts(TskImage(_Heads(image.reader)))
        large = [each._replace(start=each.start * FACTOR, size=each.size * FACTOR) for each in found]
        if _hold(image.reader, large):
            return large
    return small


class _Heads:
    """The first 512 bytes of each large sector: all that tables of partitions use of theirs."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.size = reader.size // FACTOR

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the disk ends.

        Raises:
            UnreadableError: Some of these bytes cannot be read.
        """
        first, inside = divmod(offset, signatures.SECTOR)
        last = -(-min(offset + length, self.size) // signatures.SECTOR)
        heads = (self._reader.read_at(each * LARGE, signatures.SECTOR) for each in range(first, last))
        return b"".join(heads)[inside : inside + length]


def _parts(image: TskImage) -> list[Part]:
    found: list[Part] = []
    with image.lock:
        try:
            table = pytsk3.Volume_Info(image, pytsk3.TSK_VS_TYPE_DOS)
            sector = int(table.info.block_size)
            for part in table:
                label = bytes(part.desc).decode("utf-8", "replace")
                extended = bool(EXTENDED.search(label))
                if extended or int(part.flags) == int(pytsk3.TSK_VS_PART_FLAG_ALLOC):
                    found.append(Part(extended, part.start * sector, part.len * sector, label))
                if len(found) >= MOST:
                    break
        except TSK_ERRORS:
            return []
    return found


def _hold(reader: Reader, found: list[Part]) -> bool:
    """Return whether one of the volumes is where the table says."""
    return any(_begins(reader, each) for each in found if not each.extended)


def _begins(reader: Reader, part: Part) -> bool:
    try:
        head = reader.read_at(part.start, signatures.HEAD)
        known = signatures.filesystem(head) or signatures.lvm_label(head) is not None
        size = min(part.size, reader.size - part.start)
        return bool(known or signatures.foreign(reader, part.start) or raid.member(reader, part.start, size))
    except UnreadableError:
        return False
