"""Records cut into cells as machine code: where in the bytes each value of each row lies.

Cells are two matrices, one row a column of the table: where the value starts in the data, and its length.
The length is ``NULL``, or has ``COMPLEX`` set where the bytes only point to the value (LOB, row overflow,
sparse vector).
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np
from numba import njit

NULL = -1
COMPLEX = 1 << 30

PAGE = 8192
FIRST_RECORD = 96

# Record types in bits 1 to 3 of the first byte.
PRIMARY, FORWARDED, FORWARDING, INDEX, BLOB, GHOST_INDEX, GHOST, GHOST_VERSION = range(8)
HAS_NULLS, HAS_VARIABLE = 0x10, 0x20

# What `locate` says of a record.
LIVE, DELETED = 0, 1


@njit(cache=True, nogil=True)
def u16(data, at):
    """Return the two bytes at ``at`` as a number."""
    return np.int64(data[at]) | np.int64(data[at + 1]) << 8


@njit(cache=True, nogil=True)
def locate(pages, slots, starts, limits, rows, numbers, states):
    """Find the records of pages by their slot arrays; returns how many.

    Stubs that only point to a forwarded record, index records and impossible slots are left out.

    Args:
        pages: One page a row.
        slots: How many slots each page states.
        starts: Gets where each record starts, counted from the first page's first byte.
        limits: Gets where its page's slot array begins.
        rows: Gets the page's row.
        numbers: Gets the slot.
        states: Gets ``LIVE`` or ``DELETED``; + 2 where the record is compressed.
    """
    found = 0
    for row in range(len(pages)):
        page = pages[row]
        count = min(slots[row], (PAGE - FIRST_RECORD) // 2)
        limit = PAGE - 2 * count
        for slot in range(count):
            at = u16(page, PAGE - 2 * slot - 2)
            if at < FIRST_RECORD or at + 4 > limit:
                continue
            kind, status = page[at] >> 1 & 7, page[at]
            compressed = status & 1
            if compressed:
                kind = status >> 2 & 7
            if kind in (PRIMARY, FORWARDED) or (compressed and kind == INDEX):
                state = LIVE
            elif kind == GHOST:
                state = DELETED
            else:
                continue
            starts[found] = row * PAGE + at
            limits[found] = row * PAGE + limit
            rows[found] = row
            numbers[found] = slot
            states[found] = state + 2 * compressed
            found += 1
    return found


@njit(cache=True, nogil=True)
def _null(data, frame, bit):
    """Tell whether the null bitmap says NULL; a column behind the record's last one is."""
    columns, bitmap = frame[1], frame[2]
    if bit > columns:
        return True
    return bitmap > 0 and bit > 0 and data[bitmap + (bit - 1) // 8] >> ((bit - 1) % 8) & 1 != 0


@njit(cache=True, nogil=True)
def frame_of(data, start, limit):
    """Return a record's outline: end of its fixed part, number of columns, null bitmap, variable values.

    Of the variable values their number, where their ends are listed and where the first one begins; then
    where the last one ends, counted from the record's start, -1 where the counts do not fit together.
    """
    fixed = u16(data, start + 2)
    at = start + fixed
    columns, bitmap, count, table = np.int64(1 << 15), np.int64(0), np.int64(0), at
    bad = (fixed, columns, bitmap, count, table, at, np.int64(-1))
    if fixed < 4 or at + 2 > limit:
        return bad
    if data[start] & HAS_NULLS:
        columns, bitmap = u16(data, at), at + 2
        at = bitmap + (columns + 7) // 8
    if data[start] & HAS_VARIABLE:
        if at + 2 > limit:
            return bad
        count, table = u16(data, at), at + 2
        at = table + 2 * count
    last = at - start
    if at > limit:
        return bad
    for index in range(count):
        end = u16(data, table + 2 * index) & 0x7FFF
        if end < last or start + end > limit:
            return bad
        last = end
    return fixed, columns, bitmap, count, table, at, last


@njit(cache=True, nogil=True)
def _variable(data, start, frame, index):
    """Return where a variable value starts and its length."""
    count, table, at = frame[3], frame[4], frame[5]
    if index >= count:
        return start, np.int64(0)
    end = u16(data, table + 2 * index)
    begin = at - start if index == 0 else u16(data, table + 2 * index - 2) & 0x7FFF
    return start + begin, ((end & 0x7FFF) - begin) | (COMPLEX if end & 0x8000 else 0)


@njit(cache=True, nogil=True)
def cut(data, starts, limits, layout, result):
    """Cut plain records (fixed part, null bitmap, variable part) into cells.

    Args:
        data: Bytes that hold the records.
        starts: Where each begins.
        limits: Where each must have ended.
        layout: For each column: offset in the fixed part, or -(index of the variable value + 1), or 0 for
            one that is not in the record; bytes in the fixed part; number of its bit in the null bitmap.
        result: Gets starts and lengths of the cells; whether a record's own counts fit together; where it
            ended, without a version tag.
    """
    cell_starts, cell_lengths, sound, ends = result
    for row in range(len(starts)):
        start = starts[row]
        frame = frame_of(data, start, limits[row])
        sound[row] = frame[6] >= 0
        ends[row] = start + max(frame[6], 0)
        for column in range(len(layout) if sound[row] else 0):
            place, width = layout[column, 0], layout[column, 1]
            cell_lengths[column, row] = NULL
            cell_starts[column, row] = start
            if place == 0 or _null(data, frame, layout[column, 2]):
                continue
            if place < 0:
                begin, length = _variable(data, start, frame, -place - 1)
                cell_starts[column, row], cell_lengths[column, row] = begin, length
            elif place + width <= frame[0]:
                cell_starts[column, row] = start + place
                cell_lengths[column, row] = width
