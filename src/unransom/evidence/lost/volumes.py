"""Volumes of a disk whose blocks have no order yet: what belongs to one, and where in it that lies."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from unransom.core.streams import BytesReader
from unransom.evidence.filesystems.ntfs.records import Volume as NtfsVolume
from unransom.evidence.filesystems.ntfs.records import volume as ntfs_volume
from unransom.evidence.filesystems.xfs.inodes import superblock
from unransom.evidence.lost.sightings import RECORD, SECTOR, Sighting
from unransom.evidence.volumes import fat_layout
from unransom.evidence.volumes.rebuilt import size_of

MIRRORED = 4  # records of NTFS that are there twice
NEAR = 64 * 1024  # bytes within which the second boot sector of FAT32 lies


class Mark(NamedTuple):
    """A structure of a volume: byte of the file, byte of the volume."""

    place: int
    offset: int


class Seen(NamedTuple):
    """A volume that was seen: its bytes, 0 where that is not known, and what of it was seen."""

    size: int
    marks: list[Mark]


def seen_volumes(found: Iterable[Sighting]) -> list[Seen]:
    """Return the volumes that sightings are of, in the order of the file."""
    listed = sorted(found, key=lambda each: each.place)
    volumes = [*_ext(listed), *_xfs(listed), *_ntfs(listed), *_fat(listed)]
    return sorted((each for each in volumes if each.marks), key=lambda each: min(each.marks).place)


def _ext(found: list[Sighting]) -> Iterator[Seen]:
    volumes: dict[bytes, dict[int, Sighting]] = {}
    for each in found:
        if each.kind == "ext":
            volumes.setdefault(each.volume, {}).setdefault(
                each.offset, each
            )  # the journal may have more copies
    for copies in volumes.values():
        size = max(size_of(bytes(1024) + each.data, "ext") for each in copies.values())
        yield Seen(size, [Mark(each.place, offset) for offset, each in copies.items() if offset < size])


def _xfs(found: list[Sighting]) -> Iterator[Seen]:
    heads = {each.volume: each.data for each in found if each.kind == "xfs" and each.what == "group"}
    for identifier, head in heads.items():
        layout = superblock(head)
        if layout is None:
            continue
        marks = []
        for each in (each for each in found if each.kind == "xfs" and each.volume == identifier):
            offset = each.offset
            if each.what == "inode":
                block, inside = offset >> layout.inodes_bits, offset & ((1 << layout.inodes_bits) - 1)
                group, rest = block >> layout.group_bits, block & ((1 << layout.group_bits) - 1)
                offset = (group * layout.group + rest) * layout.block + inside * layout.inode
            if offset < layout.blocks * layout.block:
                marks.append(Mark(each.place, offset))
        yield Seen(layout.blocks * layout.block, marks)


def _ntfs(found: list[Sighting]) -> Iterator[Seen]:
    """Yield the volumes with NTFS: the copy of the boot sector stands behind all that is in one."""
    part: list[Sighting] = []
    for each in (each for each in found if each.kind == "ntfs"):
        first = next((other for other in part if other.what == "boot"), None)
        known = first is not None and first.data[72:80] == each.data[72:80]
        if each.what == "boot" and part and not known and first is not None:
            yield from _ntfs_part(part)
            part = []
        part.append(each)
        if each.what == "boot" and len(part) > 1 and (known or first is None):
            yield from _ntfs_part(part)
            part = []
    yield from _ntfs_part(part)


def _ntfs_part(part: list[Sighting]) -> Iterator[Seen]:
    boots = [each for each in part if each.what == "boot"]
    layout = ntfs_volume(BytesReader(boots[0].data), 0) if boots else None
    if layout is None:
        return
    size = struct.unpack_from("<Q", boots[0].data, 40)[0] * SECTOR
    mirror = struct.unpack_from("<Q", boots[0].data, 56)[0] * layout.cluster
    first = part[0] if len(part) > len(boots) else None  # alone it is the copy: records follow the other
    marks = [Mark(each.place, 0 if each is first else size) for each in boots]
    runs = next((each.data for each in part if each.what == "record" and each.data), b"")
    pieces = [struct.unpack_from("<QQ", runs, at) for at in range(0, len(runs), 16)]
    records = {each.place: each.offset for each in part if each.what == "record"}
    for place, number in records.items():
        mirrored = number < MIRRORED and records.get(place + (MIRRORED - number) * RECORD) != MIRRORED
        offset = mirror + number * RECORD if mirrored else _in_runs(layout, pieces, number * RECORD)
        if offset is not None and offset < size:
            marks.append(Mark(place, offset))
    yield Seen(size + SECTOR, marks)


def _in_runs(layout: NtfsVolume, pieces: list[tuple[int, int]], offset: int) -> int | None:
    for cluster, count in pieces:
        if offset < count * layout.cluster:
            return cluster * layout.cluster + offset
        offset -= count * layout.cluster
    return None


def _fat(found: list[Sighting]) -> Iterator[Seen]:
    current: Seen | None = None
    layout: fat_layout.Layout | None = None
    for each in (each for each in found if each.kind in {"fat", "exfat"}):
        if each.what == "boot" and current and each.place - current.marks[0].place < NEAR:
            continue
        if each.what == "boot":
            if current:
                yield current
            current = Seen(size_of(each.data, each.kind), [Mark(each.place, 0)])
            layout = fat_layout.layout(each.data) if each.kind == "fat" else None
        elif current and layout and each.offset >= 2:
            current.marks.append(Mark(each.place, layout.data + (each.offset - 2) * layout.cluster))
    if current:
        yield current
