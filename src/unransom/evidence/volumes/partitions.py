"""The volumes of a disk: one that fills it, or those of its MBR or GPT."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from unransom.core.errors import UnreadableError
from unransom.core.spans import Span, gaps, merge
from unransom.core.streams import Reader
from unransom.evidence.sleuthkit import TskImage
from unransom.evidence.volumes import fat_copies, gpt, lvm, mbr, raid, rebuilt, signatures
from unransom.evidence.volumes.mbr import MOST
from unransom.evidence.volumes.rebuilt import Patch, Patched


class Volume(NamedTuple):
    """A part of a disk.

    Attributes:
        start, size: Bytes.
        label: What the table calls it, "" where there is no table.
        filesystem: As ``signatures.filesystem`` names it; "" for none that is known.
        used: Whether its first bytes are anything but zeros.
        patches: What must be put back of its first sectors for it to open.
        rebuilt: Whether its place or its first sectors were lost, and were found by copies.
        retabled: Whether sectors of the first table of FAT were lost, and the second has them.
        spans: Where its bytes are on the disk, for a logical volume.
        disk: What it is on, where that is an array of several disks.
        members: How many disks the array has that it is a part of, or it has itself, where they could not be
            put together.
        array: Identifier of the array that it is on, or a part of; its own where it is on several disks.
    """

    start: int
    size: int
    label: str
    filesystem: str
    used: bool
    patches: tuple[Patch, ...] = ()
    rebuilt: bool = False
    spans: tuple[Span, ...] = ()
    disk: Reader | None = None
    members: int = 0
    array: bytes = b""
    retabled: bool = False


def disk_of(volume: Volume, disk: Reader) -> Reader:
    """Return what a volume of ``disk`` is on, with what is lost of it put back."""
    reader = volume.disk or disk
    if volume.spans:
        reader = lvm.Linear(reader, volume.spans)
    return Patched(reader, volume.patches) if volume.patches else reader


def places_on(disk: Reader, volume: Volume, spans: Iterable[Span]) -> Iterator[Span]:
    """Yield where on ``disk`` lies what is at ``spans`` of what `disk_of` returns."""
    if len(volume.spans) < 2:
        yield from spans
        return
    linear = lvm.Linear(disk, volume.spans)
    for span in spans:
        yield from linear.places(span)


class Beside(Protocol):
    """What other disks there are."""

    def array(self, member: raid.Member) -> tuple[Reader, int] | None:
        """Return the array of a member, and where in it that begins; None where it cannot be put together."""

    def newest(self, own: lvm.Physical) -> lvm.Physical:
        """Return a disk of a group of LVM2 with the newest metadata of that group that a disk has."""

    def logical(self, own: lvm.Physical, logical: lvm.Logical) -> tuple[Reader, int] | None:
        """Return a logical volume that is on several disks, as of `array`."""


class Alone:
    """No other disks."""

    def array(self, member: raid.Member) -> tuple[Reader, int] | None:
        """Return None."""

    def newest(self, own: lvm.Physical) -> lvm.Physical:
        """Return what the disk says itself."""
        return own

    def logical(self, own: lvm.Physical, logical: lvm.Logical) -> tuple[Reader, int] | None:
        """Return None."""


ALONE = Alone()


def volumes(image: TskImage, beside: Beside = ALONE) -> list[Volume]:
    """Return the volumes of ``image`` in the order of their table; none where none can be found.

    Args:
        image: The disk.
        beside: The disks that the disk, or a partition of it, is in an array or a group with.
    """
    return [_retabled(each, image.reader) for each in _volumes(image, beside)]


def _retabled(volume: Volume, disk: Reader) -> Volume:
    """Return a volume with the sectors of FAT's first table put back that only the second has."""
    if volume.filesystem != "fat":
        return volume
    patches = tuple(Patch(*each) for each in fat_copies.from_second(disk_of(volume, disk), volume.start))
    return volume._replace(patches=volume.patches + patches, retabled=True) if patches else volume


def _volumes(image: TskImage, beside: Beside) -> list[Volume]:
    reader = image.reader
    head, size = _head(reader, 0), reader.size
    tabled = bool(signatures.partition_table(head, size))
    member = None if tabled else raid.member(reader, 0, size)
    known = signatures.filesystem(head) or signatures.lvm_label(head) is not None or foreign_at(reader, 0)
    if known or member:
        return _inside(reader, 0, size, "", beside)
    found = table(image) if tabled else []
    if found:
        named = [volume for each in found for volume in _inside(reader, *each, beside)]
        return [*named, *_unnamed(image, found)][:MOST]
    return _rebuilt(reader)


def _inside(reader: Reader, start: int, size: int, label: str, beside: Beside) -> list[Volume]:
    """Return the volumes in a part of a disk: itself, or what LVM2 or an array makes of it."""
    member = raid.member(reader, start, min(size, reader.size - start))
    if member is None:
        return _plain(reader, start, size, label, beside)
    label = f"{label} RAID {member.level}".strip()
    if member.level == raid.MIRROR:
        found = _plain(reader, start + member.start, min(member.size, size), label, beside)
        return [each._replace(array=each.array or member.array) for each in found]
    array = beside.array(member)
    if array is None:
        part = Volume(start, size, f"{label}: 1 / {member.disks}", "", used=True)
        return [part._replace(members=member.disks, array=member.array)]
    whole, first = array
    found = _plain(whole, first, whole.size - first, label, beside)
    return [_on(each, whole, member.array) for each in found]


def _on(volume: Volume, disk: Reader, array: bytes) -> Volume:
    """Return a volume as one that is on ``disk``, but for one that is on several already."""
    return volume if volume.disk else volume._replace(disk=disk, array=volume.array or array)


def _plain(reader: Reader, start: int, size: int, label: str, beside: Beside) -> list[Volume]:
    own = lvm.physical(reader, start)
    own = beside.newest(own) if own else None
    logical = lvm.in_groups(own, start) if own else []
    if own is None or not logical:
        return [_volume(reader, start, size, label)]
    found = [_logical(reader, start, each, own, beside) for each in logical]
    return [each for each in found if each]


def _logical(
    reader: Reader, start: int, logical: lvm.Logical, own: lvm.Physical, beside: Beside
) -> Volume | None:
    """Return a logical volume; None for one that is on other disks only, which have it themselves."""
    if logical.spans:
        begin, size = logical.spans[0].start, sum(map(len, logical.spans))
        found = _volume(lvm.Linear(reader, logical.spans), begin, size, logical.name)
        return found._replace(spans=logical.spans)
    array = beside.logical(own, logical)
    if logical.absent:
        return None
    if array is None:
        lost = Volume(start, 0, logical.name, "", used=True)
        return lost._replace(members=logical.disks, array=logical.identifier)
    whole, first = array
    found = _volume(whole, first, whole.size - first, logical.name)
    return found._replace(disk=whole, array=logical.identifier)


def table(image: TskImage) -> list[tuple[int, int, str]]:
    """Return start, size and label of the partitions that the disk's own table names.

    A GPT whose head is damaged names none: there is a copy of it, see `rebuilt.partitions`.
    """
    reader = image.reader
    if signatures.partition_table(_head(reader, 0), reader.size) == "gpt":
        found = gpt.table(reader)
        return found.partitions[:MOST] if found and not found.copy else []
    return list(dict.fromkeys(part[1:] for part in mbr.parts(image) if not part.extended))[:MOST]


def _unnamed(image: TskImage, named: Sequence[tuple[int, int, str]]) -> list[Volume]:
    """Return volumes in extended partitions that no link of their chain names: one of them is damaged."""
    reader = image.reader
    if signatures.partition_table(_head(reader, 0), reader.size) != "mbr":
        return []
    outer = [Span(part.start, part.start + part.size) for part in mbr.parts(image) if part.extended]
    size = min(reader.size, rebuilt.SWEPT)
    taken = [Span(start, start + length) for start, length, _ in named]
    left = gaps(merge([*taken, *gaps(merge(outer), size)]), size)
    return [_found(each) for part in left for each in rebuilt.swept(reader, part)]


def _found(found: rebuilt.Found) -> Volume:
    start, size, filesystem, patches = found
    return Volume(start, size, "", filesystem, used=True, patches=patches, rebuilt=True)


def _rebuilt(reader: Reader) -> list[Volume]:
    """Return the volumes of a disk whose table is lost."""
    named = [_volume(reader, *each) for each in rebuilt.partitions(reader)[:MOST]]
    if named:
        return [each._replace(rebuilt=True) for each in named]
    return [_found(each) for each in rebuilt.sweep(reader)[:MOST]]


def _volume(reader: Reader, start: int, size: int, label: str) -> Volume:
    head = _head(reader, start)
    kind = signatures.filesystem(head)
    found = None if kind else rebuilt.repaired(reader, start, size)
    if found:
        return Volume(start, size, label, found.filesystem, used=True, patches=found.patches, rebuilt=True)
    patches = rebuilt.readable(head, start) if kind == "ntfs" else ()
    used = any(head) or bool(foreign_at(reader, start))  # Btrfs leaves its first sectors empty
    return Volume(start, size, label, kind, used, patches=patches)


def foreign_at(reader: Reader, start: int) -> str:
    """Return what a volume has that is not read here; see `signatures.foreign`."""
    try:
        return signatures.foreign(reader, start)
    except UnreadableError:
        return ""


def _head(reader: Reader, start: int) -> bytes:
    try:
        return reader.read_at(start, signatures.HEAD)
    except UnreadableError:
        return b""
