"""The rows of a sheet behind a hole in its stream: what was copied from lost bytes is found by its place.

Behind a hole a stream still says which bytes are copies of which lost ones. Sound rows of the same workbook
tell what rows look like. The likeliest way to lay the one over the other gives each lost byte the letter that
its places call for; rows are then counted, and what is a copy of a digit of a row's number is known as well.
What is left unknown makes its cell a lost one.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats.repair import _skeleton as skeletons
from unransom.catalog.formats.repair._holes import MARKUP, UNKNOWN, WINDOW, Symbols
from unransom.catalog.formats.repair._sheets import is_cell
from unransom.catalog.formats.repair._skeleton import CONST, FREE, ROW_NUMBER, Learned, Skeleton

ROUNDS = 5
WITHOUT_WINDOW = 2  # rounds in which the lost bytes themselves are not laid over rows
MOST = 1 << 22  # symbols of one stretch that are looked at
MEMORY = 1 << 28  # bytes of the kernel's choices
PROBE = 1 << 16  # symbols from which the digits of a row's number are counted
FEWEST = 20  # sound rows that must be there
SOFT = 0.02  # how likely a place is wrong
SURE = 0.99
LEAST = 3  # places that must call for a digit
AGREE = 0.98  # share of the places of a lost digit that must call for the same one
CLEAR = 0.95  # share of the known digits of rows that must speak for one number
ENOUGH = 10  # known digits that must speak for a number
UNEVEN = 1.6  # how many times as many rows a hole may have, or as few, as what is behind it
SPARE = 16  # rows, and so many more
SHIFTS = tuple(range(-16, 49))  # rows that may be left out, or be laid wrongly, in all
CHANGE = 4.0  # wrong digits for which a row is rather thought to be left out


class Cell(NamedTuple):
    """A cell behind a hole: its column and row, and its element; b"" where some of it is lost."""

    column: str
    row: int
    element: bytes


class Place(NamedTuple):
    """Where in a sheet rows behind a hole may be.

    Attributes:
        after: The row behind the last one in front of the hole.
        most: The last row of the sheet, 0 where that is not known.
        hole: How many times as long as the rows the hole is, both compressed; 0 where that is not known.
        doubted: They may be another sheet's, so that the rows in the hole must be about as many.
    """

    after: int
    most: int
    hole: float = 0.0
    doubted: bool = False

    def firsts(self, rows: int) -> tuple[int, int]:
        """Return the least and the greatest number that the first of so many rows may have."""
        gap = self.hole * rows
        low = self.after + (max(int(gap / UNEVEN) - SPARE, 0) if self.hole else 0)
        high = self.after + int(gap * UNEVEN) + SPARE if self.hole else 1 << 20
        return low, min(high, self.most - rows if self.most else high)


class Rows(NamedTuple):
    """Rows behind a hole.

    Attributes:
        tags: The opening tags by row.
        cells: In order.
    """

    tags: dict[int, bytes]
    cells: list[Cell]


def rows_behind(symbols: Symbols, known: Learned, place: Place) -> Rows | None:
    """Return the rows in what was inflated behind a hole, None where it cannot be laid over rows.

    Args:
        symbols: As the kernel of inflating gives them.
        known: What rows of the workbook are made of.
        place: Where in the sheet they may be.
    """
    if known.shapes.total() < FEWEST or not len(symbols):
        return None
    symbols = symbols[:MOST]
    layers = _layers(symbols, known, place.after, place.most)
    laid = _Laid(symbols, skeletons.skeleton(known, layers))
    return laid.rows(place) if laid.fit(ROUNDS) else None


def _layers(symbols: Symbols, known: Learned, after: int, most: int) -> range:
    """Return how many digits row numbers may have."""
    if after and most > after:
        return range(len(str(after + 1)), len(str(most)) + 1)
    every = range(1, skeletons.DIGITS)
    probe = _Laid(symbols[-PROBE:], skeletons.skeleton(known, every))
    probe.fit(WITHOUT_WINDOW)
    used = probe.skeleton.following[probe.path[probe.is_number()]]
    digits = int(np.bincount(used + 1, minlength=2).argmax()) if len(used) else 1
    highest = int(used.max()) + 1 if len(used) else digits
    return range(max(len(str(after + 1)), highest - 1), highest + 1)


@cache
def _likelihoods() -> NDArray[np.float64]:
    return skeletons.likelihoods()


class _Laid:
    """Symbols that are laid over a skeleton.

    Attributes:
        symbols: The lost bytes in front, each once, and the stretch.
        path: The state of each.
        letters: What each lost byte is, -1 where that is not sure.
        digits: What it is as a digit.
        calls: How many places call for the letter.
    """

    def __init__(self, symbols: Symbols, skeleton: Skeleton) -> None:
        self.skeleton = skeleton
        window = np.arange(UNKNOWN, UNKNOWN + WINDOW, dtype=np.int64)
        self.symbols = np.concatenate((window, symbols.astype(np.int64)))
        self.path = np.zeros(len(self.symbols), np.int64)
        self.letters = np.full(WINDOW, -1, np.int64)
        self.digits = np.full(WINDOW, -1, np.int64)
        self.calls = np.zeros(WINDOW, np.int64)

    def is_number(self) -> NDArray[np.bool_]:
        """Return which symbols are digits of row numbers."""
        return self.skeleton.roles[self.path] == ROW_NUMBER

    def fit(self, rounds: int) -> bool:
        """Lay the symbols over the skeleton; return whether most of them fit."""
        used, classes = np.unique(self.skeleton.classes, return_inverse=True)
        table = _likelihoods()[used]
        # Bytes that no state tells apart are looked at together.
        table, letter, kind, alike = np.unique(
            table, axis=1, return_index=True, return_inverse=True, return_counts=True
        )
        from unransom.catalog.formats.repair import _rows_kernel as kernel  # noqa: PLC0415  numba is slow

        with np.errstate(divide="ignore"):
            sure = np.maximum(np.log(table * 256), kernel.NEVER).T[kind.ravel()]
        scores = np.zeros((WINDOW, len(used)))
        automaton = (classes, *self.skeleton.automaton[1:])
        fits = table * (1 - SOFT) + SOFT / 256
        fits[used == skeletons.ANYTHING] = 1
        fits = np.log(fits)
        lost = self.symbols >= UNKNOWN
        before = -np.inf
        for number in range(rounds):
            start = WINDOW if number < WITHOUT_WINDOW else 0
            score = self._lay(kernel, start, (sure, scores, automaton))
            called = (self.symbols[lost] - UNKNOWN) * len(used) + classes[self.path[lost]]
            votes = np.bincount(called, minlength=WINDOW * len(used)).reshape(WINDOW, -1)
            logs = votes @ fits
            belief = np.exp(logs - logs.max(axis=1, keepdims=True))
            belief /= (belief @ alike)[:, np.newaxis]
            best = belief.argmax(axis=1)
            self.letters = np.where(belief[np.arange(WINDOW), best] > SURE, letter[best], -1)
            self.calls = np.where(used < skeletons.NUMBER, votes, 0).max(axis=1)
            scores = np.log(np.maximum(belief * alike @ table.T * 256, 1e-4))
            if start == 0 and score - before < 1:
                break
            before = score if start == 0 else before
        return bool(np.count_nonzero(self.path[WINDOW:] == 0) * 2 < len(self.path) - WINDOW)

    def _lay(self, kernel, start: int, measures) -> float:  # type: ignore[no-untyped-def]
        """Find the likeliest path for the symbols from ``start`` on, a part that fits memory at a time."""
        self.path[:start] = 0
        branches = max(self.skeleton.branches, 1)
        step = max(MEMORY // (2 * branches), 4 * PROBE)
        total = 0.0
        for low in range(start, len(self.symbols), step):
            part = slice(low, min(low + step, len(self.symbols)))
            total += kernel.likeliest(
                self.symbols[part],
                UNKNOWN,
                *measures,
                branches,
                self.path[part],
            )
        return total

    def rows(self, place: Place) -> Rows | None:
        """Count the rows and take their cells; None where the numbers do not hold."""
        skeleton = self.skeleton
        shapes = skeleton.shape_of[self.path]
        firsts = skeleton.firsts[self.path]
        columns = np.array([shape.column for shape in skeleton.shapes])
        index = np.cumsum(firsts & (columns[shapes] == 0) & (shapes >= 0))
        before, count = int(index[WINDOW]), int(index[-1] - index[WINDOW])
        low, high = place.firsts(count)
        base = self._base(index, range(low - before, high - before + 1))
        if base is None or (place.doubted and not low <= base + before <= high):
            return None
        numbers, sure = self._numbers(index, base)
        sure &= (numbers >= max(place.after, 1)) & (numbers <= (place.most or 1 << 20))
        self._keep_numbers(index, numbers, sure)
        return self._taken(np.flatnonzero(firsts), numbers[index], sure[index])

    def _digits_of_rows(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return where the digits of row numbers are, how many digits follow each, and their values."""
        places = np.flatnonzero(self.is_number())
        return places, self.skeleton.following[self.path[places]], self._values(self.symbols[places])

    def _base(self, index: NDArray[np.int64], likely: range) -> int | None:
        """Return the number of row 0, found digit by digit; the digits of lost bytes are kept.

        Args:
            index: The rows of the symbols, counted from 0.
            likely: One of these where too few digits are known.
        """
        base = 0
        for digit in range(skeletons.DIGITS):
            places, power, values = self._digits_of_rows()
            here = (power == digit) & (places >= WINDOW)  # the window itself need not be laid well
            if not here.any():
                break
            known = here & (values >= 0)
            stated = known & (self.symbols[places] < UNKNOWN)
            if stated.sum() > ENOUGH:
                known = stated  # what was concluded from other digits may be wrong
            rows = index[places[known]]
            tries = [base + 10**digit * each for each in range(10)]
            right = [((each + rows) // 10**digit % 10 == values[known]).sum() for each in tries]
            best = int(np.argmax(right))
            shifted = min(SHIFTS[-1] / 10**digit, 1)  # share of rows whose digit others left out may change
            if right[best] <= max(ENOUGH, sorted(right)[-2], (CLEAR - shifted) * known.sum()):
                return _only(base, 10**digit, likely)
            base = tries[best]
            self._keep(self.symbols[places[here]], (base + index[places[here]]) // 10**digit % 10)
        return base

    def _numbers(self, index: NDArray[np.int64], base: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the number of each row, and whether it is sure: rows may be left out, or laid wrongly."""
        places, power, values = self._digits_of_rows()
        known = values >= 0
        rows, tens, values = index[places[known]], 10 ** power[known], values[known]
        count = int(index[-1]) + 1
        wrong = np.zeros((count, len(SHIFTS)))
        for number, shift in enumerate(SHIFTS):
            off = (base + rows + shift) // tens % 10 != values
            wrong[:, number] = np.bincount(rows[off], minlength=count)
        shifts = _steadiest(wrong)
        fits = wrong[np.arange(count), shifts] == 0
        units = np.bincount(rows[tens == 1], minlength=count) > 0
        told = np.where(fits, np.where(units, 1, 0), -1)
        before, behind = _nearest(told), _nearest(told[::-1])[::-1]
        steady = np.ones(count, bool)
        steady[1:] &= shifts[1:] == shifts[:-1]
        steady[:-1] &= shifts[1:] == shifts[:-1]
        sure = fits & ((told > 0) | ((before > 0) & (behind > 0) & steady))
        return base + np.arange(count) + np.array(SHIFTS)[shifts], sure

    def _keep_numbers(
        self, index: NDArray[np.int64], numbers: NDArray[np.int64], sure: NDArray[np.bool_]
    ) -> None:
        """Keep the digits of the rows whose numbers are sure."""
        places, power, _ = self._digits_of_rows()
        self.digits[:] = -1  # those of rows that were thought to be sure are taken back
        here = sure[index[places]] & (places >= WINDOW)
        places, power = places[here], power[here]
        self._keep(self.symbols[places], numbers[index[places]] // 10**power % 10)

    def _values(self, symbols: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the digits that symbols are, -1 for others and those that are not known."""
        lost = symbols >= UNKNOWN
        values = np.where(lost, -1, symbols - 48)
        values[lost] = self.digits[symbols[lost] - UNKNOWN]
        return np.where((values >= 0) & (values <= 9), values, -1)

    def _keep(self, symbols: NDArray[np.int64], values: NDArray[np.int64]) -> None:
        """Keep the digits of lost bytes that have the same one in all places."""
        lost = symbols >= UNKNOWN
        votes = np.zeros((WINDOW, 10), np.int64)
        np.add.at(votes, (symbols[lost] - UNKNOWN, values[lost]), 1)
        best = votes.argmax(axis=1)
        count = votes.sum(axis=1)
        clear = (count >= LEAST) & (votes[np.arange(WINDOW), best] >= AGREE * count) & (self.digits < 0)
        self.digits[clear] = best[clear]

    def _resolved(self) -> NDArray[np.int64]:
        """Return each symbol as a byte, -1 where it is not known."""
        digits = np.where(self.digits >= 0, self.digits + 48, -1)
        lost = np.where(self.letters >= 0, self.letters, digits)
        known = self.symbols < UNKNOWN
        return np.where(known, self.symbols, lost[np.where(known, 0, self.symbols - UNKNOWN)])

    def _is_steady(self) -> NDArray[np.bool_]:
        """Return which symbols are bytes, or copies of a lost one that more than a few places call for."""
        known = self.symbols < UNKNOWN
        steady = (self.calls >= LEAST) | (self.digits >= 0)
        return known | steady[np.where(known, 0, self.symbols - UNKNOWN)]

    def _taken(self, starts: NDArray[np.int64], numbers: NDArray[np.int64], sure: NDArray[np.bool_]) -> Rows:
        """Take the tags and cells that begin at ``starts`` within the stretch."""
        skeleton = self.skeleton
        resolved = self._resolved()
        wanted = self._wanted(numbers)
        allowed = _likelihoods() > 0
        known = (resolved >= 0) & allowed[skeleton.classes[self.path], np.maximum(resolved, 0)]
        # Of a number's own digits some may be unknown; none may be another.
        fits = np.where(self.is_number(), (resolved < 0) | (resolved == wanted), known)
        fits &= sure & (self._is_steady() | (skeleton.roles[self.path] != FREE))
        resolved = np.where(wanted < 0, resolved, wanted)
        tags: dict[int, bytes] = {}
        cells: list[Cell] = []
        ends = np.append(starts[1:], len(self.symbols))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            if start < WINDOW or not sure[start]:
                continue
            row, shape = int(numbers[start]), skeleton.shapes[skeleton.shape_of[self.path[start]]]
            # What is of no shape behind a cell may be the end of its value, laid too early.
            whole = fits[start:end].all() and self.path[start:end].all()
            element = resolved[start:end].astype(np.uint8).tobytes() if whole else b""
            letters = skeletons.letters_of(shape.column)
            if b'r="%s%d"' % (letters.encode(), row) not in element:
                element = b""  # laid wrongly: the number has other digits
            if not is_markup(element):
                element = b""  # half a letter, or of an entity
            if shape.column > 0:
                cells.append(Cell(letters, row, element if is_cell(element) else b""))
            elif shape.column == 0 and element:
                tags[row] = element
        return Rows(tags, cells)

    def _wanted(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the byte that the skeleton and the row's number ask for at each place, -1 for any."""
        skeleton = self.skeleton
        roles = skeleton.roles[self.path]
        digits = numbers // 10 ** skeleton.following[self.path] % 10 + 48
        fixed = np.where(roles == CONST, skeleton.classes[self.path], -1)
        return np.where(roles == ROW_NUMBER, digits, fixed)


def is_markup(element: bytes) -> bool:
    """Return whether a cell is XML as it must be, in whole letters."""
    try:
        element.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return MARKUP.fullmatch(element) is not None


def _only(base: int, step: int, likely: range) -> int | None:
    """Return the one number in ``likely`` that is ``base`` and some times ``step``."""
    number = likely.start + (base - likely.start) % step
    return number if number in likely and number + step not in likely else None


def _steadiest(wrong: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return for each row the choice with which few are wrong, changing seldom."""
    count, choices = wrong.shape
    stay = np.ones((count, choices), bool)
    cost = np.zeros(choices)
    best = np.zeros(count, np.int64)
    for row in range(count):
        best[row] = int(cost.argmin())
        jump = cost[best[row]] + CHANGE
        stay[row] = cost <= jump
        cost = np.minimum(cost, jump) + wrong[row]
    path = np.zeros(count, np.int64)
    choice = int(cost.argmin())
    for row in range(count - 1, -1, -1):
        path[row] = choice
        if not stay[row, choice]:
            choice = int(best[row])
    return path


def _nearest(told: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each row the last that was told before it, 0 for nothing."""
    last = np.maximum.accumulate(np.where(told != 0, np.arange(len(told)), -1))
    return np.where(last >= 0, told[np.maximum(last, 0)], 0)
