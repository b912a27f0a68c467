"""What the rows of a sheet look like: learned from sound ones, kept as an automaton of single bytes."""

from __future__ import annotations

import re
from collections import Counter
from math import log
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SAMPLE = 1 << 19  # bytes of sound rows that are learned from
SHAPES = 96  # shapes of cells, and a twelfth as many of rows
DIGITS = 7  # of a row's number at most
TOKEN = re.compile(
    rb'<row\b[^<>]*?\br="(?P<row>\d{1,7})"[^<>]*>'
    rb'|<c\b[^<>]*?\br="(?P<column>[A-Z]{1,3})\d{1,7}"(?:[^<>]*/>|[^<>]*(?<!/)>.*?</c>)|</row>',
    re.DOTALL,
)
FIELD = re.compile(rb'(\br="[A-Z]{0,3})\d{1,7}(?=")|(<f\b[^<>]*>)[^<]+|(<t\b[^<>]*>)[^<]+|(<v>)[^<]+')
END = b"</row>"
ROW_FIELD, VALUE_FIELD, TEXT_FIELD = b"\x01", b"\x02", b"\x03"  # no XML has these bytes
VALUE = b"0123456789.-+eE"
NUMBER, NUMERIC, TEXTUAL, ANYTHING = range(256, 260)  # classes besides single bytes
CLASSES = 260
UNROLLED = 24  # bytes of a field whose lengths are learned one by one
DOUBT = 0.5  # of a sample, that a field is longer or shorter than any that was seen
LOOP = log(0.7)  # for each byte of a field more than any that was seen has
STRAY = log(1e-7)  # to leave the rows for something else
CONST, ROW_NUMBER, FREE = range(3)  # roles of a state


class Shape(NamedTuple):
    """A tag of a row, a whole cell or the end of a row, with fields in it.

    Attributes:
        text: It with a byte for each field.
        column: The number of the column, 0 for a row's tag, -1 for its end.
    """

    text: bytes
    column: int


class Skeleton(NamedTuple):
    """An automaton over bytes.

    Attributes:
        shapes: What its states are parts of.
        classes: Per state, which bytes fit.
        roles: Per state, what it is for.
        shape_of: Per state, its shape, -1 for none.
        firsts: Per state, whether a shape begins with it.
        following: Per state of a row's number, how many digits follow.
        automaton: For the kernel.
        branches: How many states have more than one way in.
    """

    shapes: tuple[Shape, ...]
    classes: NDArray[np.int64]
    roles: NDArray[np.int64]
    shape_of: NDArray[np.int64]
    firsts: NDArray[np.bool_]
    following: NDArray[np.int64]
    automaton: tuple[NDArray[Any], ...]
    branches: int


def column_of(letters: bytes) -> int:
    """Return the number of a column, 1 for A."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number


def letters_of(column: int) -> str:
    """Return the letters of a column."""
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _fielded(found: re.Match[bytes]) -> bytes:
    if found[1] is not None:
        return found[1] + ROW_FIELD
    if found[4] is not None:
        return found[4] + (VALUE_FIELD if not found[0][3:].strip(VALUE) else TEXT_FIELD)
    return (found[2] or found[3]) + TEXT_FIELD


class Learned(NamedTuple):
    """What sound rows are made of.

    Attributes:
        shapes: How often each shape is there.
        pairs: How often a column follows another.
        lengths: How often a field of a shape, by its number, is how long.
    """

    shapes: Counter[Shape]
    pairs: Counter[tuple[int, int]]
    lengths: Counter[tuple[Shape, int, int]]


def learned(samples: list[bytes]) -> Learned:
    """Return what the rows in ``samples`` are made of."""
    shapes: Counter[Shape] = Counter()
    pairs: Counter[tuple[int, int]] = Counter()
    lengths: Counter[tuple[Shape, int, int]] = Counter()
    for sample in samples:
        previous = -1
        for found in TOKEN.finditer(sample[:SAMPLE]):
            column = 0 if found["row"] else column_of(found["column"]) if found["column"] else -1
            if found[0].endswith(b"/>") and column == 0:
                continue
            shape = Shape(FIELD.sub(_fielded, found[0]), column)
            shapes[shape] += 1
            pairs[previous, column] += 1
            previous = column
            fields = (each for each in FIELD.finditer(found[0]) if each[1] is None)
            for number, field in enumerate(fields):
                length = len(field[0]) - len(field[2] or field[3] or field[4])
                lengths[shape, number, min(length, UNROLLED)] += 1
    return Learned(shapes, pairs, lengths)


Ways = list[tuple[int, float]]  # states from which a state is reached, with the cost


class _Builder:
    """Lays the shapes out as states."""

    def __init__(self, known: Learned, layers: range) -> None:
        self.shapes = [shape for shape, _ in known.shapes.most_common(SHAPES)]
        self.counts = known.shapes
        self.pairs = known.pairs
        self.lengths = known.lengths
        self.layers = layers
        self.classes: list[int] = [ANYTHING]  # state 0 is for whatever is no row
        self.roles: list[int] = [FREE]
        self.shape_of: list[int] = [-1]
        self.firsts: list[bool] = [False]
        self.following: list[int] = [0]
        self.ways: list[Ways] = [[(0, 0.0)]]
        self.first: dict[tuple[int, int], int] = {}
        self.last: dict[tuple[int, int], int] = {}

    def build(self) -> Skeleton:
        for layer in self.layers:
            for number in range(len(self.shapes)):
                self._chain(number, layer)
        for layer in self.layers:
            self._link(layer)
        counts = [len(ways) for ways in self.ways]
        branching = np.array(counts) > 1
        branch = np.where(branching, np.cumsum(branching) - 1, -1)
        flat = [way for ways in self.ways for way in ways]
        automaton = (
            np.array(self.classes, np.int64),
            np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
            np.array([source for source, _ in flat], np.int64),
            np.array([cost for _, cost in flat], np.float64),
            branch.astype(np.int64),
        )
        return Skeleton(
            tuple(self.shapes),
            automaton[0],
            np.array(self.roles),
            np.array(self.shape_of),
            np.array(self.firsts),
            np.array(self.following),
            automaton,
            int(branching.sum()),
        )

    def _chain(self, number: int, layer: int) -> None:
        """Add the states of a shape whose row's number has ``layer`` digits."""
        start, fields = len(self.classes), 0
        ways: Ways = []
        for byte in self.shapes[number].text:
            if byte == ROW_FIELD[0]:
                for left in range(layer - 1, -1, -1):
                    ways = self._state(ways, NUMBER, ROW_NUMBER, number, left)
            elif byte in {VALUE_FIELD[0], TEXT_FIELD[0]}:
                kind = NUMERIC if byte == VALUE_FIELD[0] else TEXTUAL
                ways = self._field(ways, kind, number, fields)
                fields += 1
            else:
                ways = self._state(ways, byte, CONST, number)
        self.first[number, layer], self.last[number, layer] = start, len(self.classes) - 1

    def _field(self, ways: Ways, kind: int, number: int, field: int) -> Ways:
        """Add the states of a field, whose lengths are likely as learned; return how it is left."""
        shape = self.shapes[number]
        counts = [self.lengths[shape, field, length] for length in range(UNROLLED + 1)]
        longest = max((length for length, count in enumerate(counts) if count), default=0)
        out: Ways = []
        for length in range(1, longest + 2):
            rest = sum(counts[length:]) + DOUBT
            here = counts[length] if length <= UNROLLED else 0
            leave = (here + DOUBT / 8) / (rest + DOUBT / 4)
            [(state, _)] = self._state(ways, kind, FREE, number)
            ways = [(state, log(1 - leave))]
            out.append((state, log(leave)))
        self.ways[-1].append((len(self.classes) - 1, LOOP))
        return out

    def _state(self, ways: Ways, kind: int, role: int, shape: int, following: int = 0) -> Ways:
        """Add a state that is reached by ``ways``; return how the next one is."""
        self.classes.append(kind)
        self.roles.append(role)
        self.shape_of.append(shape)
        self.firsts.append(not ways)
        self.following.append(following)
        self.ways.append(ways)
        return [(len(self.classes) - 1, 0.0)]

    def _link(self, layer: int) -> None:
        """Lead from the ends of the shapes of a layer to what may follow."""
        totals: Counter[int] = Counter()
        for (before, _), count in self.pairs.items():
            totals[before] += count
        share = Counter[int]()
        for shape in self.shapes:
            share[shape.column] += self.counts[shape]
        for after, shape in enumerate(self.shapes):
            start = self.first[after, layer]
            kind = log(self.counts[shape] / share[shape.column])
            for before, other in enumerate(self.shapes):
                count = self.pairs[other.column, shape.column]
                if count:
                    cost = kind + log(count / totals[other.column])
                    self.ways[start].append((self.last[before, layer], cost))
                    if shape.column == 0 and layer - 1 in self.layers:
                        self.ways[start].append((self.last[before, layer - 1], cost))
            if shape.column >= 0:
                self.ways[start].append((0, STRAY + kind))
            self.ways[0].append((self.last[after, layer], STRAY))


def skeleton(known: Learned, layers: range) -> Skeleton:
    """Return the automaton of rows as they are ``known``, whose numbers have ``layers`` digits."""
    return _Builder(known, layers).build()


def likelihoods() -> NDArray[np.float64]:
    """Return per class and byte how likely a state of that class is that byte."""
    table = np.zeros((CLASSES, 256))
    table[np.arange(256), np.arange(256)] = 1
    table[NUMBER, list(b"0123456789")] = 0.1
    table[NUMERIC, list(b"0123456789")] = 0.096
    table[NUMERIC, list(b".")] = 0.03
    table[NUMERIC, list(b"-+eE")] = 0.0025
    text = [byte for byte in range(32, 256) if byte not in b"<>"] + [9, 10, 13]
    table[TEXTUAL, text] = 1 / len(text)
    table[ANYTHING] = 1 / 256
    return table
