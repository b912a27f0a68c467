"""Finds the members of an array, or of a group of LVM2: images beside the one that a person named."""

from __future__ import annotations

import contextlib
import os

from unransom.core.errors import UnransomError, UnreadableError
from unransom.core.messages import Message, say
from unransom.core.streams import Reader
from unransom.evidence.arrays.groups import Groups, Place
from unransom.evidence.arrays.levels import Behind, Disk, assemble, spare
from unransom.evidence.containers import Disk as Image
from unransom.evidence.containers import open_disk
from unransom.evidence.containers.opening import Note
from unransom.evidence.sleuthkit import TskImage
from unransom.evidence.volumes import lvm, raid, rebuilt
from unransom.evidence.volumes.partitions import table
from unransom.evidence.volumes.raid import Member

MOST_IMAGES = 256  # beside each other that are looked at
MOST_FILES = 10_000
LEAST = 64 * 1024  # bytes
AT = 1 << 48  # where the first array begins in the places that volumes have; behind every disk


class Arrays:
    """The arrays that an image has members of, and the groups of LVM2 that it has disks of.

    Attributes:
        notes: What a person should know of them.
        refusals: Why arrays were not put together although members enough are there, by identifier.
    """

    def __init__(self, path: bytes, image: TskImage) -> None:
        """Look for the other members beside the image at ``path`` as soon as they are asked for."""
        self.notes: list[Note] = []
        self.refusals: dict[bytes, Message] = {}
        self._path = path
        self._own = image
        self._images: list[Image] = []
        self._found: tuple[list[Disk], list[Place]] | None = None
        self._made: dict[bytes, tuple[Reader, int] | None] = {}
        self._groups = Groups(self._places)

    def array(self, member: Member) -> tuple[Reader, int] | None:
        """Return the array of a member, and where in it that begins; None where it cannot be put together."""
        if member.array not in self._made:
            mine = [each for each in self._looked()[0] if each.member.array == member.array]
            made = assemble(mine)
            missing = member.disks - len({each.member.role for each in mine if each.member.role >= 0})
            if made and missing:
                self._tell(
                    say(
                        "{missing} of {disks} members of the array are not there",
                        missing=missing,
                        disks=member.disks,
                    ),
                    say("what they had is computed from parity, or read from copies"),
                )
            if made is None and missing <= spare(member):
                self.refusals[member.array] = _refusal(member)
            self._keep(member.array, made)
        return self._made[member.array]

    def newest(self, own: lvm.Physical) -> lvm.Physical:
        """Return a disk of a group of LVM2 with the newest metadata of that group that a disk has."""
        return self._groups.newest(own)

    def logical(self, own: lvm.Physical, logical: lvm.Logical) -> tuple[Reader, int] | None:
        """Return a logical volume that is on several disks, as of `array`."""
        if logical.absent:
            self._tell(
                say("the volume {label} is on other disks of its group", label=logical.name),
                say("name the image of one of them, too"),
            )
        elif logical.identifier not in self._made:
            made = self._groups.logical(own, logical.name)
            together = say("put the images of all disks of its group into one folder")
            if made and made.missing:
                self._tell(
                    say(
                        "{missing} of {disks} disks of the volume {label} are not there",
                        missing=made.missing,
                        disks=logical.disks,
                        label=logical.name,
                    ),
                    together,
                )
            if not made:
                self.refusals[logical.identifier] = together
            self._keep(logical.identifier, made.reader if made else None)
        return self._made.get(logical.identifier)

    def close(self) -> None:
        """Close the other images; a second call does nothing."""
        for each in self._images:
            each.close()
        self._images.clear()

    def _keep(self, identifier: bytes, made: Reader | None) -> None:
        start = AT + sum(AT for each in self._made.values() if each)
        self._made[identifier] = (Behind(made, start), start) if made else None

    def _tell(self, what: Message, resolution: Message) -> None:
        self.notes.append(Note(self._path.rpartition(b"/")[2], what, resolution))

    def _looked(self) -> tuple[list[Disk], list[Place]]:
        """Return the members of arrays, and the disks of groups, that are in images."""
        if self._found is None:
            self._found = _in(self._own)
            for path in self._beside():
                with contextlib.suppress(OSError, UnreadableError, UnransomError):
                    image = open_disk(path)
                    disks, places = _in(TskImage(image))
                    self._found[0].extend(disks)
                    self._found[1].extend(places)
                    if disks or places:
                        self._images.append(image)
                    else:
                        image.close()
        return self._found

    def _places(self) -> list[Place]:
        """Return the disks of groups: those in images, and those in arrays."""
        disks, found = self._looked()
        mirrors = [(each.reader, each.start + each.member.start) for each in disks if _is_mirror(each)]
        arrays = {each.member.array: each.member for each in disks if not _is_mirror(each)}
        whole = [each for each in map(self.array, arrays.values()) if each]
        return [*found, *(each for start in (*mirrors, *whole) for each in _place(*start))]

    def _beside(self) -> list[bytes]:
        folder = self._path.rpartition(b"/")[0] or b"/"
        found: list[bytes] = []
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            names = sorted(entry.path for _, entry in zip(range(MOST_FILES), entries, strict=False))
            found = [path for path in names if path != self._path and _may_be(path)]
        return found[:MOST_IMAGES]


def _in(image: TskImage) -> tuple[list[Disk], list[Place]]:
    """Return the members of arrays, and the disks of groups, that an image is or has in partitions."""
    disks: list[Disk] = []
    places: list[Place] = []
    size = image.reader.size
    parts = [(start, length) for start, length, _ in table(image) or rebuilt.partitions(image.reader)]
    for start, length in [(0, size), *parts]:
        found = raid.member(image.reader, start, min(length, size - start))
        if found:
            disks.append(Disk(found, image.reader, start))
        else:  # what begins in a member goes on in the others
            places += _place(image.reader, start)
    return disks, places


def members(image: TskImage) -> list[Disk]:
    """Return the members of arrays that an image is, or has in partitions."""
    return _in(image)[0]


def _place(reader: Reader, start: int) -> list[Place]:
    found = lvm.physical(reader, start)
    return [Place(found, reader, start)] if found else []


def _is_mirror(disk: Disk) -> bool:
    return disk.member.level == raid.MIRROR


def _refusal(member: Member) -> Message:
    if member.reshaping:
        return say("it was being changed to another layout (reshape): let Linux finish that on copies of all")
    if member.level == raid.STRIPES:
        return say("its members are of several sizes: let Linux put copies of them together")
    return say(
        "RAID {level} of layout {layout} is not known: let Linux put copies of its members together",
        level=member.level,
        layout=member.layout,
    )


def _may_be(path: bytes) -> bool:
    try:
        return os.path.isfile(path) and os.path.getsize(path) >= LEAST  # noqa: PTH113, PTH202 bytes
    except OSError:
        return False
