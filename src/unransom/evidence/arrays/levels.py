"""Arrays of Linux's software RAID, put together from their members; a missing one is computed from parity.

Source: Linux, drivers/md: raid0.c, raid5.c and raid10.c, for where the chunks of an array are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from unransom.core.errors import UnreadableError
from unransom.core.streams import Reader
from unransom.evidence.containers.mapped import Joined, Mapped, Missing, Part, Piece
from unransom.evidence.volumes import raid
from unransom.evidence.volumes.raid import Member


class Disk(NamedTuple):
    """A member with where it was found."""

    member: Member
    reader: Reader
    start: int

    def data(self) -> Part:
        """Return the member's data."""
        return Part(self.reader, self.start + self.member.start, self.member.size)


def assemble(found: Sequence[Disk]) -> Mapped | None:
    """Return the array that members of it make; None where they are too few, or their layout is not known.

    Of two members with one role, and of members that dropped out of the array, the newer ones count.
    """
    if not found:
        return None
    newest = max(found, key=lambda each: each.member.events).member
    disks: dict[int, Disk] = {}
    for each in sorted(found, key=lambda each: each.member.events):
        current = newest.level == raid.STRIPES or each.member.events + 1 >= newest.events
        if each.member.role >= 0 and each.member.array == newest.array and current:
            disks[each.member.role] = each
    if newest.reshaping or not disks or newest.disks - len(disks) > spare(newest):
        return None
    readers: list[Reader | None] = [
        disks[role].data() if role in disks else None for role in range(newest.disks)
    ]
    smallest = min(each.member.size for each in disks.values())
    return of_level(newest, readers, smallest)


def spare(member: Member) -> int:
    """Return how many members of an array may be missing."""
    if member.level == raid.MIRROR:
        return member.disks - 1
    if member.level == raid.MIRRORED_STRIPES:
        copies = copies_of(member)  # of each set of members that share copies, so many may be missing
        return (copies.near * copies.far - 1) * (member.disks // (copies.near * copies.far)) if copies else 0
    return 1 if member.level in {raid.PARITY_LAST, raid.PARITY, raid.PARITY_TWICE} else 0


def of_level(member: Member, readers: list[Reader | None], size: int) -> Mapped | None:
    """Return the array of a kind that ``readers`` make; None where that kind is not known.

    Args:
        member: Its level, layout and chunk.
        readers: Its members by role; None for one that is not there.
        size: Bytes of the smallest.
    """
    there = [each for each in readers if each is not None]
    if member.level == raid.MIRROR:
        return Part(there[0], 0, size)
    if member.level == raid.LINEAR:
        return Joined(there)
    size = size // member.chunk * member.chunk
    if not size:
        return None
    if member.level == raid.STRIPES:  # members of several sizes have more than one zone
        return (
            Striped(readers, member, size)
            if len({each.size // member.chunk for each in there}) == 1
            else None
        )
    if member.level == raid.MIRRORED_STRIPES:
        copies = copies_of(member)
        return Copied(readers, member, size, copies) if copies else None
    parities = 2 if member.level == raid.PARITY_TWICE else 1
    known = member.layout <= (3 if parities == 2 else 5) or member.level == raid.PARITY_LAST
    return Guarded(readers, member, size, parities) if known and member.disks > parities else None


class Striped(Mapped):
    """Chunks on one member after the other (RAID 0)."""

    def __init__(self, readers: list[Reader | None], member: Member, size: int) -> None:
        """Open an array of ``readers``, by role, of which each has ``size`` bytes."""
        self._readers = readers
        self._chunk = member.chunk
        self.size = size * len(readers)

    def piece_at(self, offset: int) -> Piece:
        """Return the chunk that byte ``offset`` is in."""
        number, inside = divmod(offset, self._chunk)
        stripe, disk = divmod(number, len(self._readers))
        return self._on(disk, stripe * self._chunk + inside, self._chunk - inside)

    def _on(self, disk: int, place: int, length: int) -> Piece:
        reader = self._readers[disk]
        if reader is None:
            return Piece(length, Missing(self.size, f"member {disk} of the array is not there"), place)
        return Piece(length, reader, place)


class Copies(NamedTuple):
    """How an array keeps copies of its chunks (RAID 10).

    Attributes:
        near: Copies beside each other.
        far: Copies further down on other members.
        offset: Whether those stand one chunk below, and not in a part of the member of their own.
        apart: How many members share copies with each other.
    """

    near: int
    far: int
    offset: bool
    apart: int


def copies_of(member: Member) -> Copies | None:
    """Return how an array keeps copies; None where that is not known."""
    near, far, kind = member.layout & 0xFF, member.layout >> 8 & 0xFF, member.layout >> 17
    if not near or not far or near * far > member.disks or kind > 2:
        return None
    apart = (member.disks, member.disks // far, near * far)[kind]
    even = member.disks % apart == 0  # else the last members share copies in a way of their own
    return Copies(near, far, bool(member.layout >> 16 & 1), apart) if even else None


class Copied(Striped):
    """Chunks with copies: beside each other, further down, or both (RAID 10)."""

    def __init__(self, readers: list[Reader | None], member: Member, size: int, copies: Copies) -> None:
        """Open an array with such copies of each chunk; see ``Striped``."""
        super().__init__(readers, member, size)
        self._copies = copies
        disks, every = len(readers), copies.near * copies.far
        chunks = size // self._chunk // copies.far * disks // copies.near
        self.size = chunks * self._chunk
        self._stride = 1 if copies.offset else -(-chunks * every // disks) // copies.far

    def piece_at(self, offset: int) -> Piece:
        """Return a copy that is there of the chunk that byte ``offset`` is in."""
        number, inside = divmod(offset, self._chunk)
        places = self._places(number)
        stripe, disk = next((each for each in places if self._readers[each[1]] is not None), places[0])
        return self._on(disk, stripe * self._chunk + inside, self._chunk - inside)

    def _places(self, number: int) -> list[tuple[int, int]]:
        """Return where the copies of a chunk are: its number on a member, and which that is."""
        near, far, offset, apart = self._copies
        found = []
        for copy in range(near):
            stripe, disk = divmod(number * near + copy, len(self._readers))
            stripe *= far if offset else 1
            first = disk // apart * apart
            for further in range(far):
                there = first + (disk - first + further * near) % apart
                found.append((stripe + further * self._stride, there))
        return found


class Guarded(Striped):
    """Chunks in stripes, each with one or two of parity (RAID 4, 5 and 6)."""

    def __init__(self, readers: list[Reader | None], member: Member, size: int, parities: int) -> None:
        """Open an array with so many chunks of parity in a stripe; see ``Striped``."""
        super().__init__(readers, member, size)
        self._layout = 5 if member.level == raid.PARITY_LAST else member.layout
        self._parities = parities
        self._data = len(readers) - parities
        self.size = size * self._data

    def piece_at(self, offset: int) -> Piece:
        """Return the chunk that byte ``offset`` is in, computed where its member is missing."""
        number, inside = divmod(offset, self._chunk)
        stripe, index = divmod(number, self._data)
        disk, second = self._place(stripe, index)
        place, length = stripe * self._chunk + inside, self._chunk - inside
        if self._readers[disk] is not None:
            return self._on(disk, place, length)
        others = [each for role, each in enumerate(self._readers) if role not in {disk, second}]
        return Piece(length, Computed(others, self.size), place)

    def _place(self, stripe: int, index: int) -> tuple[int, int]:
        """Return the member with a chunk of a stripe, and the one with its second parity (-1 for none)."""
        disks = len(self._readers)
        if self._layout >= 4:
            return (index + 1, -1) if self._layout == 4 else (index, -1)
        first = stripe % disks if self._layout & 1 else disks - 1 - stripe % disks
        second = (first + 1) % disks if self._parities == 2 else -1
        if self._layout >= 2:  # data begin behind the parity, and go round
            return (first + self._parities + index) % disks, second
        parities = {first, second}
        return [role for role in range(disks) if role not in parities][index], second


class Computed:
    """The bytes of a missing member: what the others have, combined by exclusive or."""

    def __init__(self, others: list[Reader | None], size: int) -> None:
        self._others = others
        self.size = size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset`` of the member.

        Raises:
            UnreadableError: Another member is missing as well, or cannot be read.
        """
        total = np.zeros(length, np.uint8)
        for each in self._others:
            data = each.read_at(offset, length) if each is not None else b""
            if len(data) < length:
                raise UnreadableError(offset, length, "two members of the array are missing")
            total ^= np.frombuffer(data, np.uint8)
        return total.tobytes()


class Behind:
    """A reader as if it began at a byte of a larger disk: volumes of an array get places of their own."""

    def __init__(self, reader: Reader, start: int) -> None:
        """Stand for ``reader`` from byte ``start`` on; there is nothing in front."""
        self._reader = reader
        self._start = start
        self.size = start + reader.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the reader ends.

        Raises:
            UnreadableError: Some of these bytes cannot be read.
        """
        front = min(max(0, self._start - offset), length)
        rest = self._reader.read_at(offset + front - self._start, length - front) if length > front else b""
        return bytes(front) + rest
