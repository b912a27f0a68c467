"""The blocks of a virtual disk whose table is lost: where they are in the file, and a disk that they make.

Programs that convert or export a disk write its blocks in order and leave out those of zeros. The order is
thus known; what is not known is where the zeros were.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unransom.core.streams import Reader
from unransom.evidence.containers import vhd
from unransom.evidence.containers.mapped import SECTOR, Mapped, Piece

MIB = 1 << 20
CLUSTER = 64 * 1024  # bytes; also of a grain
MOST = 1 << 18  # blocks
LARGEST = 16 << 30  # bytes of a file that is looked through: larger VMDKs keep a table elsewhere
NOWHERE = -1


@dataclass(frozen=True)
class Slots:
    """Where the blocks are, one after the other.

    Attributes:
        reader: The file.
        first: Byte of the first one.
        stride: Bytes from one to the next.
        unit: Bytes of a block.
        count: How many there are.
        size: Bytes of the disk; 0 where that is not known.
    """

    reader: Reader
    first: int
    stride: int
    unit: int
    count: int
    size: int = 0

    def read(self, number: int) -> bytes:
        """Return a block; fewer bytes where the file ends.

        Raises:
            UnreadableError: It cannot be read.
        """
        return self.reader.read_at(self.first + number * self.stride, self.unit)


class Regrained(Mapped):
    """A disk of blocks that were put where they belong."""

    def __init__(self, slots: Slots, places: np.ndarray, size: int) -> None:
        """Open the disk.

        Args:
            slots: The blocks.
            places: For each, its number on the disk; ``NOWHERE`` where that is not known.
            size: Bytes of the disk.
        """
        self.slots = slots
        self.places = places
        self.size = size
        known = np.flatnonzero(places >= 0)
        order = known[np.argsort(places[known], kind="stable")]
        self._places, index = np.unique(places[order], return_index=True)
        self._slots = order[index]

    def piece_at(self, offset: int) -> Piece:
        """Return the block that byte ``offset`` is in, or the hole."""
        unit = self.slots.unit
        number, inside = divmod(offset, unit)
        index = int(np.searchsorted(self._places, number))
        if index < len(self._places) and int(self._places[index]) == number:
            length = min(unit - inside, self.size - offset)
            start = self.slots.first + int(self._slots[index]) * self.slots.stride
            return Piece(length, self.slots.reader, start + inside)
        end = int(self._places[index]) * unit if index < len(self._places) else self.size
        return Piece(min(end, self.size) - offset)


def layout(reader: Reader) -> Slots | None:
    """Return how the blocks of a file without a head lie, as its end tells; None where there are none."""
    if not MIB < reader.size <= LARGEST:
        return None
    footer = vhd.footer_of(reader)
    if footer and footer.kind != vhd.FIXED:
        stride = 2 * MIB + SECTOR  # a bitmap in front of each block
        first = (reader.size - SECTOR) % stride
        count = (reader.size - SECTOR) // stride
        return Slots(reader, first + SECTOR, stride, 2 * MIB, min(count, MOST), footer.size)
    if reader.size % CLUSTER:  # the blocks of a VDI lie behind its table
        return Slots(reader, reader.size % MIB, MIB, MIB, min(reader.size // MIB, MOST))
    # VMDK, QCOW2, and VDI that is aligned
    return Slots(reader, 0, CLUSTER, CLUSTER, min(reader.size // CLUSTER, MOST))
