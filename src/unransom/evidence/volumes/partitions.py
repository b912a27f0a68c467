"""The volumes of a disk: one that fills it, or those of its MBR or GPT."""

from __future__ import annotations

from typing import NamedTuple

import pytsk3

from unransom.core.errors import UnreadableError
from unransom.core.streams import Reader
from unransom.evidence.sleuthkit import TSK_ERRORS, TskImage
from unransom.evidence.volumes import rebuilt, signatures
from unransom.evidence.volumes.rebuilt import Patch

MOST = 1024  # volumes that are looked at; a damaged table can name any number


class Volume(NamedTuple):
    """A part of a disk.

    Attributes:
        start, size: Bytes.
        label: What the table calls it, "" where there is no table.
        filesystem: As ``signatures.filesystem`` names it; "" for none that is known.
        used: Whether its first bytes are anything but zeros.
        patches: What must be put back of its first sectors for it to open.
        rebuilt: Whether its place or its first sectors were lost, and were found by copies.
    """

    start: int
    size: int
    label: str
    filesystem: str
    used: bool
    patches: tuple[Patch, ...] = ()
    rebuilt: bool = False


def volumes(image: TskImage) -> list[Volume]:
    """Return the volumes of ``image`` in the order of their table; none where none can be found."""
    head = _head(image.reader, 0)
    if signatures.filesystem(head):
        return [_volume(image.reader, 0, image.reader.size, "")]
    found = _table(image) if signatures.partition_table(head, image.reader.size) else []
    if found:
        return [_volume(image.reader, *each) for each in found]
    return _rebuilt(image.reader)


def _table(image: TskImage) -> list[tuple[int, int, str]]:
    """Return start, size and label of the partitions that the disk's own table names."""
    found: list[tuple[int, int, str]] = []
    with image.lock:
        try:
            table = pytsk3.Volume_Info(image)
            sector = int(table.info.block_size)
            for part in table:
                if int(part.flags) == int(pytsk3.TSK_VS_PART_FLAG_ALLOC) and len(found) < MOST:
                    label = bytes(part.desc).decode("utf-8", "replace")
                    found.append((part.start * sector, part.len * sector, label))
        except TSK_ERRORS:
            return []
    return found


def _rebuilt(reader: Reader) -> list[Volume]:
    """Return the volumes of a disk whose table is lost."""
    named = [_volume(reader, *each) for each in rebuilt.partitions(reader)[:MOST]]
    if named:
        return [each._replace(rebuilt=True) for each in named]
    return [
        Volume(found.start, found.size, "", found.filesystem, used=True, patches=found.patches, rebuilt=True)
        for found in rebuilt.sweep(reader)[:MOST]
    ]


def _volume(reader: Reader, start: int, size: int, label: str) -> Volume:
    head = _head(reader, start)
    kind = signatures.filesystem(head)
    found = None if kind or not any(head) else rebuilt.repaired(reader, start, size)
    if found:
        return Volume(start, size, label, found.filesystem, used=True, patches=found.patches, rebuilt=True)
    return Volume(start, size, label, kind, any(head))


def _head(reader: Reader, start: int) -> bytes:
    try:
        return reader.read_at(start, signatures.HEAD)
    except UnreadableError:
        return b""
