"""Check the entropy-coded data of a JPEG scan piece by piece, with state that can be kept and forked.

Imports numba through the kernel: import this module only where a scan is really decoded.
"""

from __future__ import annotations

import enum
from copy import copy
from functools import lru_cache
from typing import Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats import _jpeg_kernel as kernel
from unransom.catalog.formats import _jpeg_tables
from unransom.catalog.formats import _jpeg_units as units
from unransom.catalog.formats._jpeg_markers import (
    BASELINE,
    EXTENDED,
    PROGRESSIVE,
    Frame,
    Scan,
    Tables,
)

BLOCKS_CAP = 1 << 22  # blocks whose history is kept: 32 MiB, a picture of 89 million pixels
AMPLITUDE = 2048  # twice the greatest coefficient of 8-bit samples: some encoders overshoot
PLAIN = (1,) * 64  # steps of an image that names none
Array = NDArray[Any]


class Outcome(enum.IntEnum):
    """What feeding a piece came to; the numbers are the kernel's."""

    MORE = kernel.MORE
    DONE = kernel.DONE
    BAD_CODE = kernel.BAD_CODE  # no Huffman code
    OVERFLOW = kernel.OVERFLOW  # a coefficient behind the 64th
    RANGE = kernel.RANGE  # a coefficient larger than any image has
    OVERRUN = kernel.OVERRUN  # a marker, or the end of the data, within a unit
    RESTART = kernel.RESTART  # not the restart marker that is due


class Plane(msgspec.Struct, frozen=True):
    """How the blocks of a component lie: stride of a row, and blocks that hold picture."""

    base: int
    stride: int
    across: int
    down: int


def ceiling(value: int, step: int) -> int:
    """Return how many steps it takes to cover ``value``."""
    return -(-value // step)


def planes(frame: Frame) -> list[Plane]:
    """Return where the blocks of each component of ``frame`` lie in its history."""
    wide = max(each.wide for each in frame.components)
    high = max(each.high for each in frame.components)
    units_across, units_down = ceiling(frame.width, 8 * wide), ceiling(frame.height, 8 * high)
    found, base = [], 0
    for each in frame.components:
        stride = units_across * each.wide
        across = ceiling(ceiling(frame.width * each.wide, wide), 8)
        down = ceiling(ceiling(frame.height * each.high, high), 8)
        found.append(Plane(base, stride, across, down))
        base += stride * units_down * each.high
    return found


class History:
    """Which coefficients of a progressive image earlier scans have set, one bit each.

    Attributes:
        grows: Scans add to it.
        known: By block, the bits.
    """

    def __init__(self, frame: Frame) -> None:
        last = planes(frame)[-1]
        blocks = last.base + last.stride * (last.down + 4)
        self.grows = frame.marker == PROGRESSIVE and blocks <= BLOCKS_CAP
        self.known = np.zeros(blocks if self.grows else 1, np.uint64)

    def serves(self, scan: Scan) -> bool:
        """Return whether there is what a scan needs; only those of AC bands need a history."""
        return self.grows or scan.last == 0 or scan.first == 0

    def copy(self) -> History:
        """Return one that grows by itself."""
        other = copy(self)
        other.known = self.known.copy()
        return other


def _mode(frame: Frame, scan: Scan) -> int:
    if frame.marker != PROGRESSIVE:
        return kernel.SEQUENTIAL
    if scan.first == 0:
        return kernel.DC_REFINE if scan.high_bit else kernel.DC_FIRST
    return kernel.AC_REFINE if scan.high_bit else kernel.AC_FIRST


def _blocks(frame: Frame, scan: Scan) -> tuple[Array, int, int]:
    """Return the blocks of a unit, the units of the scan and the units of a row."""
    layout = planes(frame)
    if len(scan.planes) == 1:
        index, dc, ac = scan.planes[0]
        plane = layout[index]
        rows = [(0, dc, 4 + ac, plane.base, plane.stride)]
        return np.array(rows, np.int64), plane.across * plane.down, plane.across
    rows = [
        (order, dc, 4 + ac, 0, 0)
        for order, (index, dc, ac) in enumerate(scan.planes)
        for _ in range(frame.components[index].wide * frame.components[index].high)
    ]
    first = frame.components[scan.planes[0][0]]
    across = layout[scan.planes[0][0]].stride // first.wide
    high = max(each.high for each in frame.components)
    return np.array(rows, np.int64), across * ceiling(frame.height, 8 * high), across


@lru_cache(maxsize=256)
def _limits(quantiser: tuple[int, ...], low_bit: int, bound: int) -> tuple[int, Array]:
    """Return the greatest DC value, and per index behind a coefficient the most bits that it may have."""
    steps = np.array(quantiser, np.int64) << low_bit
    limits = np.full(65, 16, np.int64)
    limits[1:] = 1 + np.log2(bound // steps + 1).astype(np.int64)
    return bound // int(steps[0]) + 1, limits


class ScanDecoder:
    """Decodes one scan as far as needed to tell valid from invalid.

    Attributes:
        consumed: Bytes of the scan's data used so far; on an error, where it showed.
        done: Units decoded so far.
        units: Units of the whole scan.
        history: What is known behind what was decoded.
    """

    def __init__(self, tables: Tables, scan: Scan, history: History, units: int = 0) -> None:
        """Begin a scan.

        Args:
            tables: What the segments before it have defined.
            scan: Its header.
            history: What is known behind earlier ones.
            units: Decode so many only, without restart markers, as those between two markers; 0 for all.
        """
        frame = tables.frame
        if frame is None:
            raise ValueError("a scan needs a frame header")
        self._tables = _jpeg_tables.rows(tables, frame.marker == PROGRESSIVE)
        self.history = history
        self._blocks, self.units, per_row = _blocks(frame, scan)
        mode = _mode(frame, scan)
        interval = 0 if units else tables.interval
        self.units = units or self.units
        self._scan = np.array([mode, self.units, per_row, interval, max(scan.first, 1), scan.last], np.int64)
        bound = AMPLITUDE << max(frame.precision - 8, 0)
        components = [frame.components[index] for index, _, _ in scan.planes]
        quantisers = [tables.quantisers.get(each.quantiser, PLAIN) for each in components]
        limits = [_limits(each, scan.low_bit, bound) for each in quantisers]
        self._dc_limits = np.array([greatest for greatest, _ in limits], np.int64)
        self._limits = np.array([bits for _, bits in limits])
        self._state = np.zeros(2 * kernel.STATE, np.int64)
        self._tail = b""
        self._shared = False
        self.consumed = 0

    @property
    def done(self) -> int:
        """Units decoded so far."""
        return int(self._state[kernel.UNIT])

    def feed(self, data: bytes, final: bool = False) -> Outcome:
        """Decode what ``data`` adds; ``final`` tells that nothing follows it."""
        data = self._tail + data
        if self._shared:
            self.history, self._shared = self.history.copy(), False
        outcome = units.decode(np.frombuffer(data, np.uint8), final, self._arrays(self._state, self.history))
        used = int(self._state[kernel.POSITION])
        self.consumed += used
        self._tail = data[used:]
        self._state[kernel.POSITION] = 0
        if outcome != kernel.MORE:  # what stands in the bit buffer is not used yet
            self.consumed -= max(0, int(self._state[kernel.COUNT] - self._state[kernel.PADDING])) // 8
        return Outcome(outcome)

    def taste(self, pieces: Array) -> NDArray[np.bool_]:
        """Return for each row of ``pieces``, uint8, whether the scan may go on with it."""
        fits = np.zeros(len(pieces), np.bool_)
        room = np.frombuffer(self._tail + bytes(pieces.shape[1]), np.uint8).copy()
        arrays = self._arrays(self._state.copy(), self.history.copy())
        units.taste(pieces, room, self._state, self.history.known, arrays, fits)
        return fits

    def fork(self) -> Self:
        """Return a copy that goes on by itself."""
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._state = self._state.copy()
        self._shared = other._shared = self.history.grows
        return other

    def _arrays(self, state: Array, history: History) -> tuple[Array, ...]:
        return (
            self._scan,
            self._blocks,
            self._tables,
            self._limits,
            self._dc_limits,
            state,
            history.known,
        )


def decodable(tables: Tables, scan: Scan) -> bool:
    """Return whether the decoder knows the coding of this scan and all tables that it needs are there."""
    frame = tables.frame
    if frame is None or frame.height == 0 or frame.marker not in {BASELINE, EXTENDED, PROGRESSIVE}:
        return False
    mode = _mode(frame, scan)
    needs_dc = mode <= kernel.DC_FIRST
    needs_ac = mode in {kernel.SEQUENTIAL, kernel.AC_FIRST, kernel.AC_REFINE}
    return all(
        (not needs_dc or (0, dc) in tables.huffman) and (not needs_ac or (1, ac) in tables.huffman)
        for _, dc, ac in scan.planes
    )
