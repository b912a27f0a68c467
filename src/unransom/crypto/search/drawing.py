"""The bytes of keys of many seeds at once: what a recipe's parts draw from rows of outputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unransom.crypto.generators import generator
from unransom.crypto.generators.generator import WORD, Generator, Rows, Seeds
from unransom.crypto.search.kernels import drawing as kernels
from unransom.crypto.search.recipe import Bits, Double, Draw, High, Modulo, Part, Recipe

Bytes = NDArray[np.uint8]
Symbols: TypeAlias = Callable[[Any, int, Bytes], None]
FEW = 12  # symbols that may be dropped where all lanes are squeezed together
RARE = 1e-5  # chance for a lane to run out of outputs, and to be drawn again from more of them
MOST = 64  # times as many outputs as would do without redraws are looked at, and no more


def _symbols(draw: Draw) -> Symbols:
    """Return what fills rows of symbols from rows of outputs, a step of outputs apart."""
    if isinstance(draw, Bits):
        return lambda rows, _, out: kernels.slices(rows, draw.shift, out)
    if isinstance(draw, Modulo):
        mask = (1 << draw.bits) - 1
        if draw.bits > WORD:
            most = np.uint64(mask)
            return lambda rows, _, out: kernels.long_remainders(
                rows, draw.shift, most, draw.range, draw.base, out
            )
        return lambda rows, _, out: kernels.remainders(rows, draw.shift, mask, draw.range, draw.base, out)
    if isinstance(draw, High):
        return lambda rows, _, out: kernels.products(rows, draw.shift, draw.bits, draw.range, draw.base, out)
    if isinstance(draw, Double):
        shifts = (draw.high, draw.low, draw.bits)
        return lambda rows, step, out: kernels.doubles(rows, shifts, draw.range, draw.base, step, out)
    return lambda rows, _, out: kernels.fractions(rows, draw.unit, draw.range, draw.base, out)


class _Part:
    """A part with its tables."""

    def __init__(self, part: Part) -> None:
        letters, kept = part.table()
        self.role = part.role
        self.count = part.count
        self.step = part.draw.outputs
        self.size = part.count * (part.draw.size if isinstance(part.draw, Bits) else 1)  # bytes
        self.outputs = part.count * self.step  # without redraws
        self.redraws = part.redraws()
        self.plain = not part.letters
        self.symbols = _symbols(part.draw)
        self.letters = np.frombuffer(letters, np.uint8)
        self.kept = np.frombuffer(kept, np.uint8)
        choices = getattr(part.draw, "range", 256)
        base = getattr(part.draw, "base", 0)
        self.limit = len(part.letters) or 256
        self.drops = np.array([at for at in range(self.limit) if not kept[at]], np.uint8)
        self.share = sum(kept[base : base + choices]) / choices  # of symbols that are kept
        self.spare = self._spare() if self.share else 0

    def likely(self) -> int:
        """Return how many outputs do for nearly all lanes."""
        return self.step * (self.count + self.spare)

    def _spare(self) -> int:
        """Return how many symbols to look at beyond those that are wanted."""
        spare, drops = 0, 1 - self.share
        short = 1.0 if drops else 0.0  # chance that they do not do
        while short > RARE:
            spare += 1 + spare // 8
            total = self.count + spare
            kept = (
                math.comb(total, few) * self.share**few * drops ** (total - few) for few in range(self.count)
            )
            short = sum(kept)
        return spare

    def fixed(self, rows: Rows, out: Bytes) -> None:
        """Fill ``out`` from as many rows as the part takes without redraws."""
        self.symbols(rows, self.step, out)
        if not self.plain:
            kernels.letters(out, self.letters)

    def drawn(self, rows: Rows, cursors: NDArray[np.int64], out: Bytes) -> None:
        """Fill ``out`` with what each lane draws from its cursor on, and move the cursors.

        A cursor becomes negative where the rows do not do.
        """
        begin = int(cursors[0])
        together = bool((cursors == begin).all()) and begin >= 0
        if together and not self.redraws:
            self.fixed(rows[begin : begin + self.outputs], out)
            cursors += self.outputs
        elif together and self.spare <= FEW and self.count + self.spare < 256:
            self._squeezed(rows[begin : begin + self.likely()], cursors, out)
        else:
            symbols = np.empty((len(rows) - self.step + 1, rows.shape[1]), np.uint8)
            self.symbols(rows, 1, symbols)
            kernels.accepted(symbols, self.letters, self.kept, self.step, cursors, out)

    def _squeezed(self, rows: Rows, cursors: NDArray[np.int64], out: Bytes) -> None:
        symbols, ends = np.empty((len(rows) // self.step, rows.shape[1]), np.uint8), np.empty_like(cursors)
        self.symbols(rows, self.step, symbols)
        kernels.squeezed(symbols, self.limit, self.drops, out, ends)
        cursors[:] = np.where(ends < 0, -1, cursors + self.step * ends)
        if not self.plain:
            kernels.letters(out, self.letters)


class Drawing:
    """What the parts of a recipe draw for a batch of seeds."""

    def __init__(self, recipe: Recipe) -> None:
        """Prepare the tables.

        Raises:
            ValueError: A part asks for what cannot be drawn.
        """
        self._generator: Generator = generator(recipe.generator)
        self._skip = recipe.skip
        self._parts = [_Part(part) for part in recipe.parts if part.count]
        for part in self._parts:
            if not part.share:
                raise ValueError("every symbol would be drawn again")
        walks = [part.redraws for part in self._parts]
        self._walks = any(walks)
        if self._walks and any(part.size != part.count for part in self._parts[walks.index(True) :]):
            raise ValueError("words after symbols that may be drawn again are not supported")
        self._rows: dict[tuple[int, int], tuple[Any, Rows]] = {}

    def drawn(self, seeds: Seeds) -> dict[str, Bytes]:
        """Return the bytes of each role: a row for each, a lane for each seed.

        Lanes that draw again and again without end have any bytes.
        """
        roles = ("key", "iv", "")
        sizes = {role: sum(part.size for part in self._parts if part.role == role) for role in roles}
        found = {role: np.empty((size, len(seeds)), np.uint8) for role, size in sizes.items()}
        if not self._walks:
            self._fixed(seeds, found)
            return found
        lanes, times = np.arange(len(seeds)), 1
        self._walked(seeds, times, found, lanes)
        return found

    def _fixed(self, seeds: Seeds, found: dict[str, Bytes]) -> None:
        rows = self._outputs(seeds, sum(part.outputs for part in self._parts))
        places = dict.fromkeys(found, 0)
        begin = 0
        for part in self._parts:
            end = begin + part.outputs
            out = found[part.role][places[part.role] : places[part.role] + part.size]
            if part.role:
                part.fixed(rows[begin:end], out)
            places[part.role] += part.size
            begin = end

    def _walked(self, seeds: Seeds, times: int, found: dict[str, Bytes], lanes: NDArray[np.intp]) -> None:
        """Fill the ``lanes`` of ``found``; those that run out of outputs get some more."""
        rows = self._outputs(seeds, times * sum(part.likely() for part in self._parts))
        cursors = np.zeros(len(seeds), np.int64)
        places = dict.fromkeys(found, 0)
        for part in self._parts:
            target = found[part.role][places[part.role] : places[part.role] + part.size]
            out = target if times == 1 else np.empty((part.size, len(seeds)), np.uint8)
            part.drawn(rows, cursors, out)
            if out is not target:
                target[:, lanes] = out
            places[part.role] += part.size
        short = np.flatnonzero(cursors < 0)
        if len(short) and times < MOST:
            self._walked(seeds[short], 4 * times, found, lanes[short])

    def _outputs(self, seeds: Seeds, count: int) -> Rows:
        """Return ``count`` outputs of every seed; the rows are used again by the next batch of the size."""
        known = self._rows.get((count, len(seeds)))
        if not known:
            if len(self._rows) > 8:
                self._rows.clear()
            fill = self._generator.rows(self._skip, count)
            known = fill, self._generator.empty(count, len(seeds))
            self._rows[count, len(seeds)] = known
        fill, rows = known
        fill(seeds, rows)
        return rows
