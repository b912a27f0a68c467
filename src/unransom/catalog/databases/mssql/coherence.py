"""Does a data page hold together? What shows damage where no checksum would, as machine code.

Torn-page bits tell only whether all sectors of a page were written at once, and pages without protection tell
nothing. But a page counts its own bytes: its slots name records that fit between its header and its slots,
lie apart from each other, and together leave as many bytes free as the header says.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np
from numba import njit

from unransom.catalog.databases.mssql.cells import (
    FIRST_RECORD,
    FORWARDED,
    FORWARDING,
    GHOST,
    GHOST_VERSION,
    PAGE,
    PRIMARY,
    frame_of,
    u16,
)

STUB = 9  # bytes of what is left of a forwarded record, for which each record leaves room
VERSIONED, TAG = 0x40, 14  # status bit; bytes of the version tag behind such a record


@njit(cache=True, nogil=True)
def coherent(pages, slots, free, free_count, reserved):
    """Tell for each data page whether its slots and records fit each other and what its header counts.

    Of compressed records only the places are held to anything.

    Args:
        pages: One page a row, with torn-page bits put back.
        slots: How many slots the header of each says.
        free: Where it says that its last record ends.
        free_count: How many bytes it says are free.
        reserved: How many more of them it says a transaction keeps.
    """
    out = np.zeros(len(pages), np.bool_)
    used = np.empty(PAGE, np.bool_)
    for row in range(len(pages)):
        page = pages[row]
        count = np.int64(slots[row])
        limit = PAGE - 2 * count
        if limit < FIRST_RECORD or free[row] > limit:
            continue
        used[:] = False
        taken, measured, good = np.int64(0), True, True
        for slot in range(count):
            at = u16(page, PAGE - 2 * slot - 2)
            if at == 0:
                continue
            if at < FIRST_RECORD or at + 4 > free[row] or used[at]:
                good = False
                break
            if page[at] & 1:
                measured, end = False, at + 1
            else:
                end = _end(page, at, limit)
            if end < 0 or end > free[row] or used[at:end].any():
                good = False
                break
            used[at:end] = True
            taken += max(end - at, STUB)
        left = limit - FIRST_RECORD - taken
        fits = left == free_count[row] or left == np.int64(free_count[row]) + reserved[row]
        out[row] = good and (fits or not measured)
    return out


@njit(cache=True, nogil=True)
def _end(page, at, limit):
    """Return where the record at ``at`` ends, -1 where it is none that data pages have."""
    kind = page[at] >> 1 & 7
    if kind == FORWARDING:
        return at + STUB
    if kind not in (PRIMARY, FORWARDED, GHOST, GHOST_VERSION):
        return np.int64(-1)
    length = frame_of(page, at, limit)[6]
    if length < 0:
        return np.int64(-1)
    return at + length + (TAG if page[at] & VERSIONED else 0)
