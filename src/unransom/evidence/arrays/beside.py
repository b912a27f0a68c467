"""Finds the members of an array: images that lie beside the one that a person named."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from unransom.core.errors import UnransomError, UnreadableError
from unransom.core.messages import Message, say
from unransom.core.streams import Reader
from unransom.evidence.arrays.levels import Behind, Disk, assemble, spare
from unransom.evidence.containers import Disk as Image
from unransom.evidence.containers import open_disk
from unransom.evidence.containers.opening import Note
from unransom.evidence.sleuthkit import TskImage
from unransom.evidence.volumes import raid
from unransom.evidence.volumes.partitions import table
from unransom.evidence.volumes.raid import Member

MOST_IMAGES = 256  # beside each other that are looked at
MOST_FILES = 10_000
LEAST = 64 * 1024  # bytes
AT = 1 << 48  # where the first array begins in the places that volumes have; behind every disk


class Arrays:
    """The arrays that an image has members of.

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
        self._disks: list[Disk] | None = None
        self._made: dict[bytes, tuple[Reader, int] | None] = {}

    def array(self, member: Member) -> tuple[Reader, int] | None:
        """Return the array of a member, and where in it that begins; None where it cannot be put together."""
        if member.array not in self._made:
            if self._disks is None:
                self._disks = [*members(self._own), *self._beside()]
            mine = [each for each in self._disks if each.member.array == member.array]
            made = assemble(mine)
            missing = member.disks - len({each.member.role for each in mine if each.member.role >= 0})
            if made and missing:
                self._tell(member, missing)
            if made is None and missing <= spare(member):
                self.refusals[member.array] = _refusal(member)
            start = AT + sum(AT for each in self._made.values() if each)
            self._made[member.array] = (Behind(made, start), start) if made else None
        return self._made[member.array]

    def close(self) -> None:
        """Close the other images; a second call does nothing."""
        for each in self._images:
            each.close()
        self._images.clear()

    def _tell(self, member: Member, missing: int) -> None:
        note = Note(
            self._path.rpartition(b"/")[2],
            say(
                "{missing} of {disks} members of the array are not there", missing=missing, disks=member.disks
            ),
            say("what they had is computed from parity, or read from copies"),
        )
        self.notes.append(note)

    def _beside(self) -> Iterator[Disk]:
        folder = self._path.rpartition(b"/")[0] or b"/"
        looked = 0
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            names = sorted(entry.path for _, entry in zip(range(MOST_FILES), entries, strict=False))
            for path in names:
                if path == self._path or looked >= MOST_IMAGES or not _may_be(path):
                    continue
                looked += 1
                yield from self._in(path)

    def _in(self, path: bytes) -> list[Disk]:
        try:
            image = open_disk(path)
        except (OSError, UnreadableError, UnransomError):
            return []
        found = list(members(TskImage(image)))
        if found:
            self._images.append(image)
        else:
            image.close()
        return found


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


def members(image: TskImage) -> Iterator[Disk]:
    """Yield the members of arrays that an image is, or has in partitions."""
    size = image.reader.size
    for start, length in [(0, size), *((start, length) for start, length, _ in table(image))]:
        found = raid.member(image.reader, start, min(length, size - start))
        if found:
            yield Disk(found, image.reader, start)
