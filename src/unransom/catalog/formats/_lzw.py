"""Check LZW data as GIF and TIFF have it: every code must exist, and the strings must add up.

Imports numba: import this module only where such data is really checked.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import enum
from typing import Any

import numpy as np
from numba import njit, uint64

CODES = 4096
MORE, DONE, BAD = range(3)

# Slots of the state.
LEFT, BUFFER, BITS, SIZE, NEXT, PREVIOUS, PRODUCED, ENDED, SURPLUS, POSITION = range(10)
ROOT, CHAINED, HIGH_FIRST, EARLY = range(10, 14)
STATE = 14

# Without numba's reference counting: no function allocates.
OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "_nrt": False}
kernel = njit(**OPTIONS)


@kernel
def _clear(state):
    state[SIZE] = state[ROOT] + 1
    state[NEXT] = (1 << state[ROOT]) + 2
    state[PREVIOUS] = 0


@kernel
def _take(code, state, lengths):
    """Take in one code; return whether it can stand here."""
    root = 1 << state[ROOT]
    known = state[NEXT]
    previous = state[PREVIOUS]
    if code == root:
        _clear(state)
        return True
    if code == root + 1:
        state[ENDED] = 1
        return True
    if code > known or (code == known and known == CODES) or (previous == 0 and code > root):
        return False
    if previous and known < CODES:
        lengths[known] = previous + 1
        state[NEXT] = known + 1
        if known + 1 + state[EARLY] == 1 << state[SIZE] and state[SIZE] < 12:
            state[SIZE] += 1
    state[PREVIOUS] = lengths[code]
    state[PRODUCED] += lengths[code]
    return True


@kernel
def _codes(byte, state, lengths):
    """Take in all codes that ``byte`` completes; return whether they can stand here."""
    if state[ENDED]:
        state[SURPLUS] += 1
        return True
    buffer = uint64(state[BUFFER])
    if state[HIGH_FIRST]:
        buffer = (buffer << uint64(8)) | uint64(byte)
    else:
        buffer |= uint64(byte) << uint64(state[BITS])
    state[BITS] += 8
    fine = True
    while fine and state[BITS] >= state[SIZE] and state[ENDED] == 0:
        size = state[SIZE]
        mask = (uint64(1) << uint64(size)) - uint64(1)
        state[BITS] -= size
        if state[HIGH_FIRST]:
            fine = _take(np.int64((buffer >> uint64(state[BITS])) & mask), state, lengths)
        else:
            fine = _take(np.int64(buffer & mask), state, lengths)
            buffer >>= uint64(size)
    state[BUFFER] = np.int64(buffer & uint64(0xFFFFFFFF))
    return fine


@kernel
def _run(data, state, lengths):
    """Take in ``data``; POSITION is then where it ended or failed."""
    for position in range(len(data)):
        state[POSITION] = position
        if state[CHAINED] and state[LEFT] == 0:
            state[LEFT] = data[position]
            if state[LEFT] == 0:
                state[POSITION] = position + 1
                return DONE
            continue
        state[LEFT] -= 1
        if not _codes(data[position], state, lengths):
            return BAD
    state[POSITION] = len(data)
    return MORE


class Outcome(enum.IntEnum):
    """What feeding a piece came to."""

    MORE = MORE
    DONE = DONE  # the chain of blocks ended; never where there is none
    BAD = BAD


class LzwCheck:
    """Counts what LZW data would give without making it.

    Attributes:
        consumed: Bytes taken; on a failure, where it showed.
    """

    def __init__(self, root: int, *, chained: bool, high_first: bool) -> None:
        """Prepare for data whose plain symbols have ``root`` bits.

        Args:
            root: 1 to 11 bits.
            chained: The data comes in blocks that begin with their length, 0 for the end, as in GIF.
            high_first: Codes begin at the highest bit and get longer one code early, as in TIFF.
        """
        self._state = np.zeros(STATE, np.int64)
        self._state[[ROOT, CHAINED, HIGH_FIRST, EARLY]] = root, chained, high_first, high_first
        self._state[LEFT] = 0 if chained else np.iinfo(np.int64).max
        self._lengths = np.ones(CODES, np.int64)
        self._state[SIZE], self._state[NEXT] = root + 1, (1 << root) + 2
        self.consumed = 0

    @property
    def produced(self) -> int:
        """Symbols that the data stands for."""
        return int(self._state[PRODUCED])

    @property
    def ended(self) -> bool:
        """The end code was seen."""
        return bool(self._state[ENDED])

    @property
    def surplus(self) -> int:
        """Bytes behind the end code."""
        return int(self._state[SURPLUS])

    def feed(self, data: bytes) -> Outcome:
        """Take the next bytes."""
        outcome = Outcome(_run(np.frombuffer(data, np.uint8), self._state, self._lengths))
        self.consumed += int(self._state[POSITION])
        return outcome
