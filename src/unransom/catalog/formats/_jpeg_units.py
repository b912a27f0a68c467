"""Units of a JPEG scan decoded one after another, as far as the data goes; compiled."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np
from numba import uint64

from unransom.catalog.formats._jpeg_kernel import (
    AC_FIRST,
    BASE,
    BUFFER,
    COUNT,
    DONE,
    END_RUN,
    INTERVAL,
    MODE,
    MORE,
    OVERRUN,
    PADDING,
    POSITION,
    RESTART,
    RESTARTS,
    STATE,
    STRIDE,
    UNIT,
    UNITS,
    UNITS_PER_ROW,
    block,
    inlined,
    kernel,
    restart,
    slot_of,
)

RESERVE = 1 << 14  # more bytes than one unit can take


@inlined
def _skip_empty(scan, state):
    """Step over the blocks that an end-of-band run has ended, up to the next restart."""
    if scan[MODE] == AC_FIRST and state[END_RUN] > 0:
        left = scan[UNITS] - state[UNIT]
        if scan[INTERVAL]:
            left = min(left, scan[INTERVAL] * (state[RESTARTS] + 1) - state[UNIT])
        count = min(state[END_RUN], left)
        state[END_RUN] -= count
        state[UNIT] += count


@inlined
def _unit(data, reader, arrays):
    """Decode the unit that is due, and the restart marker before it; returns the reader and a status."""
    scan, blocks, _, _, _, state, _ = arrays
    status, number = MORE, 0
    if scan[INTERVAL] and state[UNIT] == scan[INTERVAL] * (state[RESTARTS] + 1):
        reader, status = restart(data, reader, state)
    while status == MORE and number < len(blocks):
        reader, status = block(data, reader, number, arrays)
        number += 1
    if reader[3] > reader[1]:
        status = OVERRUN
    return reader, status


@inlined
def _ends(data, reader, status):
    """Return whether the data ends within the unit or the restart marker that was read."""
    return reader[2] + 1 >= len(data) and (reader[3] > 0 or status == RESTART)


@inlined
def _copy(state, start, to):
    for index in range(UNIT, STATE):
        state[to + index] = state[start + index]


@kernel
def decode(data, final, arrays):
    """Decode units from ``data`` until the scan is done, something is wrong or more data is needed.

    Args:
        data: uint8 array; the reader's POSITION in the state counts in it.
        final: No data follows this. Else a unit that it cuts is left for the next call.
        arrays: A tuple of arrays, int64 where not said otherwise:
            the scan's parameters;
            one row per block of a unit;
            int32, one row per Huffman table;
            per component and index behind a coefficient, the most bits that it may have;
            per component, the greatest DC value;
            the state, carried from call to call; behind it room for a copy;
            uint64, per block a bit for each coefficient known from earlier scans, progressive only.

    Returns:
        MORE, DONE, or what is wrong with the unit that the state stands before.
    """
    scan, blocks, _, _, _, state, history = arrays
    reader = (uint64(state[BUFFER]), state[COUNT], state[POSITION], state[PADDING])
    status, slot, known = MORE, np.int64(0), uint64(0)
    while status == MORE and state[UNIT] < scan[UNITS]:
        before, near = reader, not final and len(data) - reader[2] < RESERVE
        if near:
            _copy(state, 0, STATE)
            slot = slot_of(scan, blocks, state) if scan[MODE] >= AC_FIRST else np.int64(0)
            known = history[slot]
        reader, status = _unit(data, reader, arrays)
        if near and _ends(data, reader, status) and (status != MORE or state[UNIT] + 1 < scan[UNITS]):
            _copy(state, STATE, 0)
            history[slot] = known
            reader, status = before, MORE
            break
        state[UNIT] += status == MORE
        _skip_empty(scan, state)
    if status == MORE and state[UNIT] >= scan[UNITS]:
        status = DONE
    state[BUFFER], state[COUNT] = np.int64(reader[0]), reader[1]
    state[POSITION], state[PADDING] = reader[2], reader[3]
    return status


@kernel
def taste(pieces, room, kept, known, arrays, fits):
    """Write for each of some pieces whether units of the scan may go on in it.

    Args:
        pieces: uint8, one a row.
        room: uint8, what was fed and is not used yet, and behind it room for a piece.
        kept: The state from which each begins; that among ``arrays`` is overwritten.
        known: The history from which each begins; that among ``arrays``, a copy, is overwritten.
        arrays: As `decode` takes them.
        fits: bool, one a piece.
    """
    scan, blocks, _, _, _, state, history = arrays
    start = len(room) - pieces.shape[1]
    for index in range(len(pieces)):
        for at in range(STATE):
            state[at] = kept[at]
        for at in range(pieces.shape[1]):
            room[start + at] = pieces[index, at]
        fits[index] = decode(room, False, arrays) <= DONE
        if scan[MODE] >= AC_FIRST:
            first = blocks[0, BASE] + kept[UNIT] // scan[UNITS_PER_ROW] * blocks[0, STRIDE]
            last = blocks[0, BASE] + (state[UNIT] // scan[UNITS_PER_ROW] + 1) * blocks[0, STRIDE]
            for at in range(first, min(last, len(history))):
                history[at] = known[at]
