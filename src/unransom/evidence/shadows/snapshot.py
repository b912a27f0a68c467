"""A volume as it was when a shadow copy of it was made, as a disk of its own.

Source: J. Metz, Volume Shadow Snapshot (VSS) format.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unransom.core.streams import Reader
from unransom.evidence.containers.mapped import SECTOR, Mapped, Piece, same
from unransom.evidence.shadows.blocks import (
    NOWHERE_ELSE,
    Blocks,
    Numbers,
    Places,
    kept_blocks,
    resolved,
)
from unransom.evidence.shadows.catalog import BITMAP, BLOCK, Chain, ShadowCopy, shadow_copies

LOOKED = 8192  # bytes of a bitmap that are looked at for one piece


class Snapshot(Mapped):
    """A volume as it was.

    Attributes:
        copy: What the catalogue says.
        kept: The blocks that were overwritten before the next newer copy was made.
        size: Bytes.
    """

    def __init__(
        self, volume: Reader, copy: ShadowCopy, kept: Blocks, places: Places, vacant: NDArray[np.uint8]
    ) -> None:
        """Read a shadow copy.

        Args:
            volume: As it is now.
            copy: What the catalogue says.
            kept: Its blocks; its overlays stand over them.
            places: Where blocks lie, those of newer copies included.
            vacant: A bit for each block that had nothing in it; none for the others behind its end.
        """
        self.copy = copy
        self.kept = kept
        self.size = min(copy.size or volume.size, volume.size)
        self._volume = volume
        self._overlaid = np.array(sorted(kept.overlays), np.int64)
        self._vacant = vacant
        self._starts, self._counts, self._places = _runs(places)

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
        number = offset // BLOCK
        end = min(end, -(-self.size // BLOCK))
        run = int(np.searchsorted(self._starts, number, "right")) - 1
        first = int(self._starts[run]) if run >= 0 else 0
        if run >= 0 and number < first + int(self._counts[run]):
            end = min(end, first + int(self._counts[run]))
            return Piece(end * BLOCK - offset, self._volume, int(self._places[run]) + offset - first * BLOCK)
        end = min(end, int(self._starts[run + 1]) if run + 1 < len(self._starts) else end)
        return self._unchanged(offset, end)

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


def snapshots(volume: Reader) -> list[Snapshot]:
    """Return the shadow copies of a volume, the newest first."""
    found: list[Snapshot] = []
    newer = NOWHERE_ELSE
    for copy in reversed(shadow_copies(volume)):
        kept = kept_blocks(volume, copy.descriptors)
        newer = resolved(kept, newer)
        vacant = np.empty(0, np.uint8) if found else _vacant(volume, copy, kept)
        found.append(Snapshot(volume, copy, kept, newer, vacant))
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


def _runs(places: Places) -> tuple[Numbers, Numbers, Numbers]:
    """Return blocks that follow each other here and there as runs: first, count and place of each."""
    if not len(places.origins):
        return (np.empty(0, np.int64),) * 3
    follows = (np.diff(places.origins) == 1) & (np.diff(places.places) == BLOCK)
    begins = np.concatenate([[0], np.flatnonzero(~follows) + 1])
    counts = np.diff(np.append(begins, len(places.origins)))
    return places.origins[begins], counts, places.places[begins]
