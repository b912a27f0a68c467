"""The volumes of a disk: one that fills it, or those of its MBR or GPT."""

from __future__ import annotations

from typing import NamedTuple

import pytsk3

from unransom.core.errors import UnreadableError
from unransom.core.streams import Reader
from unransom.evidence.sleuthkit import TSK_ERRORS, TskImage
from unransom.evidence.volumes import signatures

MOST = 1024  # volumes that are looked at; a damaged table can name any number


class Volume(NamedTuple):
    """A part of a disk.

    Attributes:
        start, size: Bytes.
        label: What the table calls it, "" where there is no table.
        filesystem: As ``signatures.filesystem`` names it; "" for none that is known.
        used: Whether its first bytes are anything but zeros.
    """

    start: int
    size: int
    label: str
    filesystem: str
    used: bool


def volumes(image: TskImage) -> list[Volume]:
    """Return the volumes of ``image`` in the order of their table; none where there is no table."""
    head = _head(image.reader, 0)
    if signatures.filesystem(head):
        return [_volume(image.reader, 0, image.reader.size, "")]
    if not signatures.partition_table(head, image.reader.size):
        return []
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
    return [_volume(image.reader, *each) for each in found]


def _volume(reader: Reader, start: int, size: int, label: str) -> Volume:
    head = _head(reader, start)
    return Volume(start, size, label, signatures.filesystem(head), any(head))


def _head(reader: Reader, start: int) -> bytes:
    try:
        return reader.read_at(start, signatures.HEAD)
    except UnreadableError:
        return b""
