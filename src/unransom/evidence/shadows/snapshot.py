"""A volume as it was when a shadow copy of it was made, as a disk of its own.

Source: J. Metz, Volume Shadow Snapshot (VSS) format.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.core.streams import Reader
from unransom.evidence.containers.mapped import SECTOR, Mapped, Piece, same
from unransom.evidence.shadows.blocks import Blocks, Numbers, kept_blocks, runs_of
from unransom.evidence.shadows.catalog import BITMAP, BLOCK, Chain, ShadowCopy, had_copies, shadow_copies
from unransom.evidence.shadows.stray import StoreFile, stray_copies

LOOKED = 8192  # bytes of a bitmap that are looked at for one piece


class Snapshot(Mapped):
    """A volume as it was.

    Attributes:
        copy: What the catalogue says.
        kept: The blocks that were overwritten before the next newer copy was made.
        size: Bytes.
    """

    def __init__(self, volume: Reader, copy: ShadowCopy, kept: Blocks, newer: Snapshot | None) -> None:
        """Read a shadow copy.

        Args:
            volume: As it is now.
            copy: What the catalogue says.
            kept: Its blocks; its overlays stand over them.
            newer: The next newer one, which has what this one does not keep; None for the volume itself.
        """
        self.copy = copy
        self.kept = kept
        self.size = min(copy.size or volume.size, volume.size)
        self._volume = volume
        self._newer = newer
        self._overlaid = np.array(sorted(kept.overlays), np.int64)
        self._runs = runs_of(kept)
        self._vacant = np.empty(0, np.uint8) if newer else _vacant(volume, copy, kept)

    def piece_at(self, offset: int) -> Piece:
        """Return where byte ``offset`` lies now."""
        number, inside = divmod(offset, BLOCK)
        overlay = self.kept.overlays.get(number)
        if overlay is None:
            return self._beneath(offset, self._before(self._overlaid, number))
        bits = np.unpackbits(
            np.frombuffer(overlay.sectors.to_bytes(4, "little"), np.uint8), bitorder="little"
        )
        sector, rest = divmod(inside, SECTOR)
        length = same(bits, sector) * SECTOR - rest
        if bits[sector]:
            return Piece(length, self._volume, overlay.place + inside)
        piece = self._beneath(offset, number + 1)
        return piece._replace(length=min(piece.length, length))

    def _beneath(self, offset: int, end: int) -> Piece:
        """Return where byte ``offset`` lies but for overlays; the piece ends before the block ``end``."""
        number, inside = divmod(offset, BLOCK)
        block, count = number, min(end, -(-self.size // BLOCK)) - number
        state: Snapshot | None = self
        while state is not None:  # each newer one has what those before do not keep
            run = state._runs.at(block)
            count = min(count, run.length)
            if run.place is not None and not run.moved:
                return Piece(count * BLOCK - inside, self._volume, run.place + inside)
            block = block if run.place is None else run.place // BLOCK
            state = state._newer
        if block == number:
            return self._unchanged(offset, number + count)
        return Piece(count * BLOCK - inside, self._volume, block * BLOCK + inside)

    def _unchanged(self, offset: int, end: int) -> Piece:
        """Return a block that nothing keeps: as it is now, or zeros where it had nothing in it."""
        first, bit = divmod(offset // BLOCK, 8)
        bits = np.unpackbits(self._vacant[first : first + LOOKED], bitorder="little")
        if not len(bits):
            return Piece(end * BLOCK - offset, self._volume, offset)
        end = min(end, offset // BLOCK + same(bits, bit))
        return Piece(end * BLOCK - offset, None if bits[bit] else self._volume, 0 if bits[bit] else offset)

    @staticmethod
    def _before(numbers: Numbers, number: int) -> int:
        """Return the first of ``numbers`` behind a number."""
        at = int(np.searchsorted(numbers, number))
        return int(numbers[at]) if at < len(numbers) else 1 << 62


class Hints(NamedTuple):
    """What the file system knows of the shadow copies of its volume.

    Attributes:
        catalog: Tells where the catalogue begins; 0 for none.
        stores: Tells which files the copies are kept in.
    """

    catalog: Callable[[], int] = lambda: 0
    stores: Callable[[], list[StoreFile]] = list


NO_HINTS = Hints()


def snapshots(volume: Reader, hints: Hints = NO_HINTS) -> list[Snapshot]:
    """Return the shadow copies of a volume, the newest first; without a catalogue, by their own lists."""
    found: list[Snapshot] = []
    seen: set[int] = set()
    copies = shadow_copies(volume, hints.catalog)
    if not copies:
        files = hints.stores()
        copies = stray_copies(volume, files) if files or had_copies(volume) or hints.catalog() else []
    for copy in reversed(copies):
        kept = kept_blocks(volume, copy.descriptors, seen)
        found.append(Snapshot(volume, copy, kept, found[-1] if found else None))
    return found


def _vacant(volume: Reader, copy: ShadowCopy, kept: Blocks) -> NDArray[np.uint8]:
    """Return the bits of the blocks that nothing was in when the newest copy was made."""
    bits = _bitmap(volume, copy.bitmap)
    if copy.previous:
        before = _bitmap(volume, copy.previous)
        size = min(len(bits), len(before))
        bits = bits[:size] & before[:size]
    else:
        bits = bits.copy()
    for number in kept.targets:
        if number // 8 < len(bits):
            bits[number // 8] &= ~np.uint8(1 << number % 8)
    return bits


def _bitmap(volume: Reader, place: int) -> NDArray[np.uint8]:
    most = volume.size // BLOCK // 8 + 1
    data = bytearray()
    for body in Chain(volume, place, BITMAP):
        data += body
        if len(data) >= most:
            break
    return np.frombuffer(bytes(data[:most]), np.uint8)
