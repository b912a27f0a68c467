"""The pixel data of a PNG image: one zlib stream that must inflate to rows that begin with a filter byte."""

from __future__ import annotations

import enum
import zlib

import msgspec

from unransom.catalog.formats._deflate import ZLIB, Budget, Inflater
from unransom.core.streams import CHUNK

FILTERS = 5
STEP = 1 << 12  # compressed bytes per step
# Of Adam7: first column, first row, column step, row step of each pass.
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


class Shape(msgspec.Struct, frozen=True):
    """Size of a picture in pixels, bits per pixel, and whether it is interlaced."""

    width: int
    height: int
    bits: int
    interlaced: bool

    def passes(self) -> list[tuple[int, int]]:
        """Return rows, and bytes per row with its filter byte, of each pass."""
        if not self.interlaced:
            return [(self.height, 1 + (self.width * self.bits + 7) // 8)]
        found = []
        for left, top, across, down in PASSES:
            columns, rows = -(-(self.width - left) // across), -(-(self.height - top) // down)
            if columns > 0 and rows > 0:
                found.append((rows, 1 + (columns * self.bits + 7) // 8))
        return found


class PixelState(enum.Enum):
    """How far the pixel data holds."""

    GOING = enum.auto()
    WHOLE = enum.auto()  # the stream ended with its Adler-32 right and all rows there
    SHORT = enum.auto()  # the stream ended with its Adler-32 right, but rows are missing
    CAPPED = enum.auto()  # more than the rows need, or than the budget gives: nothing is known of the rest
    BROKEN = enum.auto()  # not a zlib stream
    ABANDONED = enum.auto()  # part of the data is known to be missing or wrong
    FILTER = enum.auto()  # a row begins with what is no filter


class PixelCheck:
    """Inflates the data of one picture piece by piece and checks its rows; keeps none of them.

    Attributes:
        state: How far it holds.
        fault: Once broken, how many bytes of the last piece were taken before that, None if not known.
        begun: Some data came.
    """

    def __init__(self, shape: Shape, budget: Budget) -> None:
        self._passes = shape.passes()
        self._offset = 0  # in the current pass
        self._surplus = 0  # bytes behind the last row
        self._inflater = Inflater(ZLIB)
        self._budget = budget
        self.state = PixelState.GOING
        self.fault: int | None = 0
        self.begun = False

    def abandon(self) -> None:
        """Take no more data."""
        self.state = PixelState.ABANDONED

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        self.begun = True
        for start in range(0, len(data), STEP):
            self._step(data[start : start + STEP])
            if self.state is not PixelState.GOING:
                if self.fault is not None:
                    self.fault += start
                return

    def _step(self, data: bytes) -> None:
        """Take a few bytes of the stream: the fewer, the better a fault is located."""
        while self.state is PixelState.GOING and (data or not self._inflater.needs_input):
            try:
                out = self._inflater.decompress(data, CHUNK)
            except zlib.error as error:
                self.state = PixelState.BROKEN
                # A wrong sum shows at the end and tells nothing about where the damage is.
                self.fault = None if "data check" in str(error) else self._inflater.narrow()
                return
            if not self._rows(out):
                self.state = PixelState.FILTER
            elif self._inflater.eof:
                self.state = PixelState.SHORT if self._passes else PixelState.WHOLE
            elif not self._budget.spend(len(data), len(out)) or self._surplus > CHUNK:
                self.state = PixelState.CAPPED
            data = b""

    def _rows(self, out: bytes) -> bool:
        """Count ``out`` towards the rows; return whether all filter bytes in it are legal."""
        at = 0
        while self._passes and at < len(out):
            rows, stride = self._passes[0]
            taken = min(len(out) - at, rows * stride - self._offset)
            filters = out[at + -self._offset % stride : at + taken : stride]
            if filters and max(filters) >= FILTERS:
                return False
            at += taken
            self._offset += taken
            if self._offset == rows * stride:
                self._passes.pop(0)
                self._offset = 0
        self._surplus += len(out) - at
        return True
