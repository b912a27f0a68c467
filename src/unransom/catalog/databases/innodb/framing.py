"""What headers of records say of fields that nobody declared: null bits, lengths, fixed bytes in all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import _inference_kernel as kernel
from unransom.catalog.databases.innodb.sampling import Sample

MOST_NULLS, MOST_VARIABLE = 8, 64  # bytes of null bits, fields of variable length
MOST_GROUPS = 40  # records that have different fields without a value
MOST_REFERENCES, ROUNDS = 4, 3
HEADER = 5
ENOUGH = 0.9  # share of the records that a frame must explain, or fields are read the other way


class Frame(NamedTuple):
    """How records are framed.

    Attributes:
        nulls: Bytes of null bits.
        variable: Fields of variable length.
        big: Lengths of 128 and more take two bytes.
        fixed: Bytes of the fields of fixed length, where none is NULL.
        forms: Of each null bit that is set in some records, the bytes of its field, -1 of a variable one.
        always: Null bits that are set in all records.
        explained: Which records of the sample fit.
        share: Of the places that can be checked, how many are right.
    """

    nulls: int
    variable: int
    big: bool
    fixed: int
    forms: dict[int, int]
    always: tuple[int, ...]
    explained: NDArray[np.bool_]
    share: float


def frames(sample: Sample) -> list[Frame]:
    """Return what explains ``sample``, the best first."""
    found = list(_frames(sample, True))
    if max((frame.share for frame in found), default=0.0) < ENOUGH:
        found += _frames(sample, False)
    return sorted(found, key=lambda frame: (-round(frame.share, 2), frame.nulls + frame.variable))


def _frames(sample: Sample, big: bool) -> Iterator[Frame]:
    heads = np.flatnonzero(sample.begins >= 0)
    room = int((sample.origins[heads] - sample.begins[heads]).max()) - HEADER
    for nulls in range(min(room, MOST_NULLS) + 1):
        masks = _masks(sample, nulls)
        patterns, counts = np.unique(masks, return_counts=True)
        if len(patterns) > max(MOST_GROUPS, len(masks) // 20):
            continue
        common = int(np.bitwise_and.reduce(patterns))
        order = sorted(
            zip(patterns.tolist(), counts.tolist(), strict=True),
            key=lambda pair: ((pair[0] ^ common).bit_count(), -pair[1]),
        )
        for variable in range(min(room - nulls, MOST_VARIABLE) + 1):
            frame = _Framing(sample, masks, nulls, big).solve([pattern for pattern, _ in order], variable)
            if frame is not None:
                yield frame


def _masks(sample: Sample, nulls: int) -> NDArray[np.int64]:
    """Return the null bits of each record as a number."""
    masks = np.zeros(len(sample.origins), np.int64)
    for place in range(nulls):
        masks |= sample.data[sample.origins - HEADER - 1 - place].astype(np.int64) << 8 * place
    return masks


class _Framing:
    """A number of bytes of null bits that is being tried.

    ``starts`` and ``ends`` hold of each record whose group is solved where it begins and ends.
    """

    def __init__(self, sample: Sample, masks: NDArray[np.int64], nulls: int, big: bool) -> None:
        self.sample, self.masks, self.nulls, self.big = sample, masks, nulls, big
        count = len(masks)
        self.starts, self.ends = np.full(count, -1, np.int64), np.full(count, -1, np.int64)
        self.known: dict[int, tuple[int, int]] = {}  # null bits: variable fields and fixed bytes behind them
        self.reference, self.variable, self.fixed = 0, 0, 0

    def solve(self, patterns: list[int], variable: int) -> Frame | None:
        """Return the frame where records of the first of ``patterns`` have ``variable`` fields."""
        for pattern in patterns[:MOST_REFERENCES]:
            first = self._tried(self.masks == pattern, variable)
            if first is not None:
                break
        else:
            return None
        if first[1] + variable <= kernel.SYSTEM:
            return None
        self.reference, self.variable, self.fixed = pattern, variable, first[1]
        self._settle(self.masks == pattern, variable, self.fixed)
        left = [each for each in patterns if each != pattern]
        for _ in range(ROUNDS):  # what one round finds out helps the next
            left = [each for each in left if not self._group(each)]
        return self._frame(patterns)

    def _group(self, pattern: int) -> bool:
        """Find out what the null bits of ``pattern`` switch off; returns whether that worked."""
        signs = {
            bit: 1 if pattern >> bit & 1 else -1
            for bit in range(8 * self.nulls)
            if (pattern ^ self.reference) >> bit & 1
        }
        fields = self.variable - sum(sign * self.known.get(bit, (0, 0))[0] for bit, sign in signs.items())
        length = self.fixed - sum(sign * self.known.get(bit, (0, 0))[1] for bit, sign in signs.items())
        unknown = [bit for bit in signs if bit not in self.known]
        rows = self.masks == pattern
        tried = []
        for fewer in range(
            -sum(signs[bit] < 0 for bit in unknown), sum(signs[bit] > 0 for bit in unknown) + 1
        ):
            result = self._tried(rows, fields - fewer) if fields >= fewer else None
            if result is not None:
                tried.append((result[0], -abs(fewer), fewer, result[1]))
        if not tried:
            return False
        _, _, fewer, fixed = max(tried)
        learned = self._learn(unknown, signs, fewer, length - fixed)
        if learned:
            self._settle(rows, fields - fewer, fixed)
        return learned

    def _learn(self, unknown: list[int], signs: dict[int, int], fields: int, length: int) -> bool:
        """Note what ``unknown`` null bits switch off together; returns whether that makes sense."""
        if not unknown:
            return fields == 0 and length == 0
        sign = signs[unknown[0]]
        fields, length = sign * fields, sign * length
        plain = len(unknown) - fields
        if any(signs[bit] != sign for bit in unknown) or fields < 0 or length < 0:
            return False
        if (length == 0) != (plain == 0):
            return False
        for place, bit in enumerate(unknown):
            if place < plain:
                share = length // plain + (length % plain if place == 0 else 0)
                self.known[bit] = (0, share)
            else:
                self.known[bit] = (1, 0)
        return True

    def _read(self, rows: NDArray[np.bool_], fields: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the bytes of the headers of some records, and of what their lengths describe."""
        origins = self.sample.origins[rows]
        lengths, sizes = np.zeros((len(origins), fields), np.int64), np.zeros(len(origins), np.int64)
        big = np.full(fields, self.big, np.bool_)
        kernel.header(self.sample.data, origins, self.nulls, fields, big, lengths, sizes)
        return sizes, lengths.sum(axis=1)

    def _tried(self, rows: NDArray[np.bool_], fields: int) -> tuple[int, int] | None:
        """Return how many places are right where ``rows`` have so many fields, and their fixed bytes."""
        sample, places = self.sample, np.flatnonzero(rows)
        sizes, lengths = self._read(rows, fields)
        if (sizes < 0).any():
            return None
        begins = sample.origins[places] - sizes
        # Where a record begins is known where the one before is solved, or it is the first on its page.
        before = np.where(sample.begins[places] >= 0, sample.begins[places], self.ends[places - 1])
        right = int((before == begins).sum())
        starts = self.starts.copy()
        starts[places] = begins
        after = np.append(starts[1:], -1)[places]
        after = np.where(sample.tops[places] >= 0, sample.tops[places], after)
        fixed = (after - sample.origins[places] - lengths)[after >= 0]
        fixed = fixed[fixed >= 0]
        if not len(fixed):
            return None
        values, counts = np.unique(fixed, return_counts=True)
        return right + int(counts.max()), int(values[counts.argmax()])

    def _settle(self, rows: NDArray[np.bool_], fields: int, fixed: int) -> None:
        sizes, lengths = self._read(rows, fields)
        self.starts[rows] = self.sample.origins[rows] - sizes
        self.ends[rows] = self.sample.origins[rows] + lengths + fixed

    def _frame(self, patterns: list[int]) -> Frame | None:
        sample = self.sample
        before = np.append(-1, self.ends[:-1])
        before = np.where(sample.begins >= 0, sample.begins, before)
        after = np.append(self.starts[1:], -1)
        after = np.where(sample.tops >= 0, sample.tops, after)
        solved = self.starts >= 0
        explained = solved & ((before == self.starts) | (after == self.ends))
        right = int((solved & (before == self.starts)).sum() + (solved & (after == self.ends)).sum())
        always = int(np.bitwise_and.reduce(np.array(patterns)))
        missing = [bit for bit in self.known if self.reference >> bit & 1]
        if not explained.any():
            return None
        return Frame(
            nulls=self.nulls,
            variable=self.variable + sum(self.known[bit][0] for bit in missing),
            big=self.big,
            fixed=self.fixed + sum(self.known[bit][1] for bit in missing),
            forms={bit: -1 if fields else length for bit, (fields, length) in sorted(self.known.items())},
            always=tuple(bit for bit in range(8 * self.nulls) if always >> bit & 1),
            explained=explained,
            share=right / (2 * len(solved)),
        )
