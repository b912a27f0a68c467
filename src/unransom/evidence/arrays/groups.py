"""Logical volumes of LVM2 on several disks: one after the other, striped, mirrored or guarded by parity.

Source: lvm2, the text format of its metadata, and what Linux's dm-raid makes of the kinds in it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from unransom.core.streams import Reader
from unransom.evidence.arrays.levels import of_level
from unransom.evidence.containers.mapped import Joined, Mapped, Missing, Part
from unransom.evidence.volumes import lvm, raid
from unransom.evidence.volumes.raid import Member

DEEPEST = 8  # volumes of volumes
PARITY_FIRST = 4  # layout
TWO_COPIES = 0x102  # layout
KINDS = {  # levels and layouts of segments
    "raid0": (raid.STRIPES, 0),
    "raid0_meta": (raid.STRIPES, 0),
    "raid4": (raid.PARITY, PARITY_FIRST),
    "raid5": (raid.PARITY, 2),
    "raid5_la": (raid.PARITY, 0),
    "raid5_ra": (raid.PARITY, 1),
    "raid5_ls": (raid.PARITY, 2),
    "raid5_rs": (raid.PARITY, 3),
    "raid5_n": (raid.PARITY, 5),
    "raid10": (raid.MIRRORED_STRIPES, TWO_COPIES),
    "raid10_near": (raid.MIRRORED_STRIPES, TWO_COPIES),
}
Tree = lvm.Tree


class Place(NamedTuple):
    """A disk of a group: what it says, and where it begins."""

    physical: lvm.Physical
    reader: Reader
    start: int


class Whole(NamedTuple):
    """A logical volume that was put together, and how many of its disks are missing."""

    reader: Mapped
    missing: int


class Groups:
    """The groups that disks belong to."""

    def __init__(self, places: Callable[[], Sequence[Place]]) -> None:
        """Look for the disks with ``places``, once they matter."""
        self._places = places

    def newest(self, own: lvm.Physical) -> lvm.Physical:
        """Return a disk with the newest metadata that name it; disks need not have any themselves."""
        if own.text and all(len(lvm.begins(group)) < 2 for _, group in _groups(own.text)):
            return own
        naming = [own.text, *(each.physical.text for each in self._places() if _names(each, own))]
        return own._replace(text=max(naming, key=_sequence))

    def logical(self, own: lvm.Physical, name: str) -> Whole | None:
        """Return the logical volume ``name`` of a group; None where that cannot be put together."""
        there = {each.physical.identifier: each for each in reversed(self._places())}
        for title, group in _groups(own.text):
            volumes = group.get("logical_volumes")
            prefix, _, key = name.partition("/")
            if title == prefix and isinstance(volumes, dict) and isinstance(volumes.get(key), dict):
                return _Group(group, volumes, there).whole(key)
        return None


class _Group:
    """A group whose volumes are put together."""

    def __init__(self, group: Tree, volumes: Tree, there: Mapping[str, Place]) -> None:
        self._group = group
        self._volumes = volumes
        self._made: dict[str, Mapped | None] = {}
        self._needs: dict[str, set[str]] = {}
        self._extent = lvm.extent_size(group) * lvm.SECTOR
        self._disks = {
            name: (there[identifier], first * lvm.SECTOR)
            for name, (identifier, first) in lvm.begins(group).items()
            if identifier in there
        }

    def whole(self, name: str) -> Whole | None:
        """Put a volume together."""
        needed = self._needed(name)
        reader = self._reader(name, DEEPEST)
        missing = len(needed - set(self._disks))
        return Whole(reader, missing) if reader and reader.size and missing < len(needed) else None

    def _volume(self, name: str) -> Tree:
        found = self._volumes.get(name)
        return found if isinstance(found, dict) else {}

    def _needed(self, name: str) -> set[str]:
        if name not in self._needs:
            self._needs[name] = lvm.disks_of(self._group, self._volume(name))
        return self._needs[name]

    def _reader(self, name: str, depth: int) -> Mapped | None:
        """Return a volume, None where a kind is not known; what is on missing disks cannot be read."""
        if name not in self._made:
            self._made[name] = None  # should it be a part of itself
            self._made[name] = self._joined(name, depth)
        return self._made[name]

    def _joined(self, name: str, depth: int) -> Mapped | None:
        parts: list[Reader] = []
        for segment in lvm.segments_of(self._volume(name)) if depth else ():
            size = lvm.number(segment.get("extent_count")) * self._extent
            part = self._segment(segment, size, depth)
            if part is None:
                return None
            parts.append(Part(part, 0, min(size, part.size)))
        return Joined(parts) if parts else None

    def _segment(self, segment: Tree, size: int, depth: int) -> Reader | None:
        kind = str(segment.get("type"))
        if kind == "striped":
            return self._striped(segment, size, depth)
        legs = [self._leg(name, depth) for name in lvm.legs_of(segment)]
        if kind in lvm.COPIES:
            return next((each for each in legs if each), None)
        if kind not in KINDS or not any(legs):
            return None
        level, layout = KINDS[kind]
        return self._array(Member(level, len(legs), 0, 0, layout=layout), legs, segment)

    def _striped(self, segment: Tree, size: int, depth: int) -> Reader | None:
        stripes = lvm.stripes_of(segment)
        if not stripes or len(stripes) != segment.get("stripe_count"):
            return None
        share = size // len(stripes)
        parts = [self._area(name, first * self._extent, share, depth) for name, first in stripes]
        if len(parts) == 1:
            return parts[0] or Missing(size, f"the disk {stripes[0][0]} of the group is not there")
        return self._array(Member(raid.STRIPES, len(parts), 0, 0), parts, segment)

    def _array(self, member: Member, parts: Sequence[Mapped | None], segment: Tree) -> Mapped | None:
        chunk = lvm.number(segment.get("stripe_size")) * lvm.SECTOR
        sizes = [each.size for each in parts if each]
        if not chunk or not sizes:
            return None
        return of_level(member._replace(chunk=chunk), list(parts), min(sizes))

    def _leg(self, name: str, depth: int) -> Mapped | None:
        """Return a volume that others are made of; None where a disk of it is not there."""
        return None if self._needed(name) - set(self._disks) else self._reader(name, depth - 1)

    def _area(self, name: str, first: int, size: int, depth: int) -> Mapped | None:
        if name in self._disks:
            place, begin = self._disks[name]
            return Part(place.reader, place.start + begin + first, size)
        inner = self._leg(name, depth)
        return Part(inner, first, size) if inner else None


@functools.lru_cache(maxsize=8)
def _groups(text: str) -> list[tuple[str, Tree]]:
    return [(name, group) for name, group in lvm.parse(text).items() if isinstance(group, dict)]


def _names(place: Place, own: lvm.Physical) -> bool:
    found = (disk for _, group in _groups(place.physical.text) for disk, _ in lvm.begins(group).values())
    return own.identifier in found


def _sequence(text: str) -> int:
    return max((lvm.number(group.get("seqno")) for _, group in _groups(text)), default=-1)
