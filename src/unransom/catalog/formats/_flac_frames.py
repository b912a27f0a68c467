"""Walk the frames of FLAC: a CRC-16 over each, a CRC-8 over its header, and its number.

Imports numba: import this module only where frames are really walked.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from unransom.core.spans import Span
from unransom.core.streams import CHUNK, Reader

RESERVE = 16  # bytes of the longest header
ZEROS_CAP = 256
LAST_CAP = 1 << 22  # bytes of a last frame whose end is looked for at most
AHEAD = 1 << 12  # how many frames, or times the longest block, may be missing in a damaged stretch

# Slots of the state: the CRC since the present frame's start, its number, frames so far, where the
# walk is in the piece, the second byte of all headers, how much higher the next number may be.
CRC, NUMBER, FRAMES, POSITION, SECOND, STEP = range(6)
STATE = 6
MORE, FRAME, DAMAGED = range(3)

# Without numba's reference counting: no function allocates.
OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "_nrt": False}
kernel = njit(**OPTIONS)


def _table(polynomial: int, width: int) -> Any:
    """Return the table of a CRC of ``width`` bits that takes the highest bit first."""
    rows = np.arange(256, dtype=np.int64) << (width - 8)
    for _ in range(8):
        rows = (rows << 1) ^ np.where(rows >> (width - 1) & 1, polynomial, 0)
    return rows & ((1 << width) - 1)


CRC_8, CRC_16 = _table(0x07, 8), _table(0x8005, 16)


@kernel
def _number(data, position):
    """Return the number coded as in UTF-8 at ``position`` and its length in bytes; 0 bytes for nonsense."""
    first = np.int64(data[position])
    length = 0
    while length < 8 and first & (0x80 >> length):
        length += 1
    if length == 0:
        return first, 1
    if length in (1, 8) or position + length > len(data):
        return first, 0
    number = first & (0x7F >> length)
    for index in range(1, length):
        if data[position + index] & 0xC0 != 0x80:
            return first, 0
        number = number << 6 | np.int64(data[position + index] & 0x3F)
    return number, length


@kernel
def _header(data, position, second, crc_8):
    """Return the number in the frame header at ``position``, -1 where there is none."""
    if position + 6 > len(data) or data[position] != 0xFF or data[position + 1] != second:
        return np.int64(-1)
    block, rate = data[position + 2] >> 4, data[position + 2] & 15
    if data[position + 3] & 1 or block == 0 or rate == 15:
        return np.int64(-1)
    number, length = _number(data, position + 4)
    end = position + 4 + length
    end += (block in (6, 7)) + (block == 7) + (rate in (12, 13, 14)) + (rate in (13, 14))
    if length == 0 or end >= len(data):
        return np.int64(-1)
    crc = 0
    for index in range(position, end):
        crc = crc_8[crc ^ data[index]]
    return number if crc == data[end] else np.int64(-1)


@kernel
def _walk(data, end, state, crc_8, crc_16):
    """Walk to the next frame's start, or to ``end``; POSITION is then where that is."""
    crc = state[CRC]
    for position in range(state[POSITION], end):
        if data[position] == 0xFF and data[position + 1] == state[SECOND]:
            number = _header(data, position, state[SECOND], crc_8)
            if state[NUMBER] < number <= state[NUMBER] + AHEAD * state[STEP]:
                sound = crc == 0 and number <= state[NUMBER] + state[STEP]
                state[POSITION], state[NUMBER], state[CRC] = position, number, 0
                return FRAME if sound else DAMAGED
        crc = (crc << 8 & 0xFFFF) ^ crc_16[crc >> 8 ^ data[position]]
    state[POSITION], state[CRC] = end, crc
    return MORE


@kernel
def _zeros(data, found, crc_16):
    """Note behind which bytes of ``data`` its CRC is zero; return how often it is."""
    crc = count = 0
    for position in range(len(data)):
        crc = (crc << 8 & 0xFFFF) ^ crc_16[crc >> 8 ^ data[position]]
        if crc == 0 and position > 8 and count < len(found):
            found[count] = position + 1
            count += 1
    return count


class Frames:
    """The frames from ``start`` on.

    Attributes:
        sound: How many of them hold, without the last.
        last: Where the last frame begins.
        number: Its number: of frames, or of samples where blocks vary.
        longest: Bytes of the longest frame before the last.
        damaged: Frames that do not hold.
    """

    def __init__(self, reader: Reader, start: int, longest_block: int) -> None:
        self._reader = reader
        head = reader.read_at(start, RESERVE)
        self._state = np.zeros(STATE, np.int64)
        self._state[SECOND] = head[1] if len(head) > 1 else 0
        self._state[STEP] = 1 if self._state[SECOND] & 1 == 0 else max(longest_block, 1)
        number = (
            _header(np.frombuffer(head, np.uint8), 0, self._state[SECOND], CRC_8) if len(head) > 6 else -1
        )
        self.begins = self._state[SECOND] & 0xFE == 0xF8 and number >= 0
        self.sound = 0
        self.last = start
        self.longest = 0
        self.number = int(number)
        self.damaged: list[Span] = []

    def walk(self) -> None:
        """Walk to the end of the reader."""
        state, base = self._state, self.last
        state[NUMBER], state[POSITION] = self.number, 0
        while base < self._reader.size:
            piece = self._reader.read_at(base, CHUNK + RESERVE)
            data = np.frombuffer(piece, np.uint8)
            end = len(data) - RESERVE if len(piece) == CHUNK + RESERVE else len(data) - 1
            self._piece(data, base, end)
            if end == len(data) - 1:
                return
            base += end
            state[POSITION] -= end

    def _piece(self, data: Any, base: int, end: int) -> None:
        """Walk one piece."""
        state = self._state
        while (outcome := _walk(data, end, state, CRC_8, CRC_16)) != MORE:
            position = base + int(state[POSITION])
            if outcome == DAMAGED:
                self.damaged.append(Span(self.last, position))
            else:
                self.sound += 1
                self.longest = max(self.longest, position - self.last)
            self.last, self.number = position, int(state[NUMBER])

    def ends(self, most: int) -> list[int]:
        """Return where the last frame of ``most`` bytes may end: wherever its CRC is zero."""
        data = np.frombuffer(self._reader.read_at(self.last, min(most, LAST_CAP)), np.uint8)
        found = np.zeros(ZEROS_CAP, np.int64)
        count = _zeros(data, found, CRC_16)
        return [self.last + int(end) for end in found[:count]]
