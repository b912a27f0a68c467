"""The entropy decoder of JPEG as machine code: Huffman-coded scans, sequential and progressive.

Only what tells valid from invalid is decoded: code validity, coefficient indices, coefficient ranges,
restart markers and the number of units. No pixel is ever made. The functions release the GIL.

The bit reader is four values that live in registers: ``buffer`` (left-aligned bits), ``count`` (bits in
it), ``position`` (next byte in ``data``) and ``padding`` (how many of ``count`` are zeros put in behind
a marker or the end of the data). More padding than count is left when a unit read behind the end.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, uint64

# Without numba's reference counting, which would cost more than the decoding: no function allocates.
OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "_nrt": False}
kernel = njit(**OPTIONS)
inlined = njit(**OPTIONS, forceinline=True)  # a call would pass some sixty registers' worth of arrays

LOOK = 11  # bits of the first-level table

STRAY = 64  # bytes that may stand unused before a restart marker: some writers pad

# What `decode` returns.
MORE, DONE, BAD_CODE, OVERFLOW, RANGE, OVERRUN, RESTART = range(7)

# Slots of the state.
BUFFER, COUNT, POSITION, PADDING, UNIT, END_RUN, RESTARTS, PREDICTION = range(8)
STATE = PREDICTION + 4

# Slots of the scan's parameters.
MODE, UNITS, UNITS_PER_ROW, INTERVAL, FIRST, LAST = range(6)
SEQUENTIAL, DC_FIRST, DC_REFINE, AC_FIRST, AC_REFINE = range(5)

# Columns of the blocks of a unit: component, rows of its tables, where its blocks lie in the history.
COMPONENT, DC_TABLE, AC_TABLE, BASE, STRIDE = range(5)

SMALL = 4  # bits of a coefficient that is within every limit
# Columns of the Huffman tables.
SINGLE = 0
COMBINED = SINGLE + (1 << LOOK)
LONGEST = COMBINED + (1 << LOOK)
OFFSET = LONGEST + 17
SYMBOL = OFFSET + 17
TABLE = SYMBOL + 256

END_OF_BLOCK = 1 << 7  # advance of an end-of-block symbol: beyond every index


@kernel
def _refill_slowly(data, buffer, count, position, padding):
    """Add bytes one by one, taking out stuffing; zeros behind a marker."""
    while count <= 32:
        byte = uint64(0)
        if position < len(data) and data[position] != 0xFF:
            byte = uint64(data[position])
            position += 1
        elif position + 1 < len(data) and data[position + 1] == 0:
            byte = uint64(0xFF)
            position += 2
        elif position + 1 < len(data) and data[position + 1] == 0xFF:
            position += 1
            continue
        else:
            padding += 8
        buffer |= byte << uint64(56 - count)
        count += 8
    return buffer, count, position, padding


@inlined
def _refill(data, buffer, count, position, padding):
    """Return the reader with more than 32 bits in its buffer."""
    if position + 4 <= len(data):
        at = uint64(position)  # an index with a sign would be tested for it
        word = (
            (uint64(data[at]) << uint64(24))
            | (uint64(data[at + uint64(1)]) << uint64(16))
            | (uint64(data[at + uint64(2)]) << uint64(8))
            | uint64(data[at + uint64(3)])
        )
        inverse = word ^ uint64(0xFFFFFFFF)
        if (inverse - uint64(0x01010101)) & word & uint64(0x80808080) == 0:  # no byte is 0xFF
            return buffer | (word << uint64(32 - count)), count + 32, position + 4, padding
    return _refill_slowly(data, buffer, count, position, padding)


@inlined
def _entry(buffer, row, tables):
    """Return the entry of the next symbol: bits in all, advance << 6, size << 16; 0 for an invalid code."""
    entry = np.int64(tables[row, (buffer >> uint64(64 - LOOK)) + uint64(SINGLE)])
    length = LOOK
    while entry == 0 and length < 16:
        length += 1
        code = np.int64(buffer >> uint64(64 - length))
        if code <= tables[row, LONGEST + length]:
            entry = np.int64(tables[row, SYMBOL + code + tables[row, OFFSET + length]])
            break
    return entry


@inlined
def _difference(buffer, entry):
    """Return the signed value behind the code of a DC symbol."""
    size = entry >> 16
    value = np.int64(0)
    if size > 0:
        code_bits = (entry & 63) - size
        value += np.int64((buffer << uint64(code_bits)) >> uint64(64 - size))
        if value < (1 << (size - 1)):
            value -= (1 << size) - 1
    return value


@inlined
def _dc(data, reader, row, component, arrays):
    """Decode a DC difference; returns the reader and a status."""
    _, _, tables, _, dc_limits, state, _ = arrays
    buffer, count, position, padding = reader
    if count <= 32:
        buffer, count, position, padding = _refill(data, buffer, count, position, padding)
    entry = _entry(buffer, row, tables)
    if entry == 0:
        return (buffer, count, position, padding), BAD_CODE
    prediction = state[PREDICTION + component] + _difference(buffer, entry)
    state[PREDICTION + component] = prediction
    bits = entry & 63
    reader = (buffer << uint64(bits), count - bits, position, padding)
    if abs(prediction) > dc_limits[component]:
        return reader, RANGE
    return reader, MORE


@njit(cache=True, nogil=True)
def combine(single):
    """Return a table that decodes, per lookup, as many small AC coefficients as LOOK bits hold whole.

    An entry has the bits in all, the advance << 6, and << 16 the advance again, from END_OF_BLOCK on
    where the block ends; 0 where one coefficient has to be decoded by itself.
    """
    combined = np.zeros(len(single), np.int32)
    for index in range(len(single)):
        used = advance = end = 0
        while end == 0:
            entry = single[(index << used) & (len(single) - 1)]
            bits = entry & 63
            if entry == 0 or used + bits > LOOK or entry >> 16 > SMALL:
                break
            used += bits
            if (entry >> 6) & END_OF_BLOCK:
                end = END_OF_BLOCK
            else:
                advance += entry >> 6 & 0x3FF
        if used and advance < 64:
            combined[index] = used | advance << 6 | (advance + end) << 16
    return combined


@kernel
def _coefficient(buffer, index, row, component, arrays):
    """Decode one AC coefficient; returns its bits, the index behind it and a status."""
    _, _, tables, limits, _, _, _ = arrays
    entry = _entry(buffer, row, tables)
    index += (entry >> 6) & 0x3FF
    if entry == 0:
        return entry, index, BAD_CODE
    if 64 < index < END_OF_BLOCK:
        return entry & 63, index, OVERFLOW
    if entry >> 16 > limits[component, min(index, 64)]:
        return entry & 63, index, RANGE
    return entry & 63, index, MORE


@inlined
def _ac(data, reader, row, component, arrays):
    """Decode the AC coefficients of a sequential block; returns the reader and a status."""
    tables = arrays[2]
    buffer, count, position, padding = reader
    status = MORE
    index = np.int64(1)
    while index < 64 and status == MORE:
        if count < 32:
            buffer, count, position, padding = _refill(data, buffer, count, position, padding)
        entry = np.int64(tables[row, (buffer >> uint64(64 - LOOK)) + uint64(COMBINED)])
        if entry == 0 or index + ((entry >> 6) & 0x3FF) > 63:
            bits, index, status = _coefficient(buffer, index, row, component, arrays)
        else:
            bits = entry & 63
            index += entry >> 16
        buffer <<= uint64(bits)
        count -= bits
    return (buffer, count, position, padding), status


@inlined
def _run_length(buffer, symbol_bits, run):
    """Return how many blocks an end-of-band symbol of a progressive scan ends, this one included."""
    blocks = np.int64(1)
    if run > 0:
        blocks = (blocks << run) + np.int64((buffer << uint64(symbol_bits)) >> uint64(64 - run))
    return blocks


@inlined
def _band_first(data, reader, row, component, slot, arrays):
    """Decode a band of AC coefficients at its first pass; returns the reader and a status."""
    scan, _, tables, limits, _, state, history = arrays
    if state[END_RUN] > 0:
        state[END_RUN] -= 1
        return reader, MORE
    buffer, count, position, padding = reader
    index, last = scan[FIRST], scan[LAST]
    while index <= last:
        if count < 32:
            buffer, count, position, padding = _refill(data, buffer, count, position, padding)
        entry = _entry(buffer, row, tables)
        if entry == 0:
            return (buffer, count, position, padding), BAD_CODE
        bits, run, size = entry & 63, ((entry >> 6) & 0x3FF) - 1, entry >> 16
        if size == 0 and run < 15:
            state[END_RUN] = _run_length(buffer, bits, run) - 1
            return (buffer << uint64(bits + run), count - bits - run, position, padding), MORE
        buffer <<= uint64(bits)
        count -= bits
        index += run + 1
        if size and index <= last + 1:
            history[slot] |= uint64(1) << uint64(index - 1)
            if size > limits[component, index]:
                return (buffer, count, position, padding), RANGE
    return (buffer, count, position, padding), (OVERFLOW if index > last + 1 else MORE)


@inlined
def _skip(data, reader, bits):
    """Skip ``bits`` bits whatever they are."""
    buffer, count, position, padding = reader
    while bits > 0:
        if count < 32:
            buffer, count, position, padding = _refill(data, buffer, count, position, padding)
        step = min(bits, 32)
        buffer <<= uint64(step)
        count -= step
        bits -= step
    return buffer, count, position, padding


@inlined
def _population(word):
    """Return how many bits of ``word`` are set."""
    word -= (word >> uint64(1)) & uint64(0x5555555555555555)
    word = (word & uint64(0x3333333333333333)) + ((word >> uint64(2)) & uint64(0x3333333333333333))
    word = (word + (word >> uint64(4))) & uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * uint64(0x0101010101010101)) >> uint64(56))


@inlined
def _pass(index, last, zeros, known):
    """Pass known coefficients and ``zeros`` unknown ones.

    Returns the index of the unknown coefficient that stands after the zeros, ``last + 1`` where the band
    ends first, ``last + 2`` where it ends before the zeros do; and how many known ones were passed.
    """
    corrections = 0
    while index <= last:
        if (known >> uint64(index)) & uint64(1):
            corrections += 1
        elif zeros == 0:
            return index, corrections
        else:
            zeros -= 1
        index += 1
    return index + (zeros > 0), corrections


@inlined
def _band_refine(data, reader, row, slot, arrays):
    """Decode a later pass over a band of AC coefficients; returns the reader and a status."""
    scan, _, tables, _, _, state, history = arrays
    index, last = scan[FIRST], scan[LAST]
    known = history[slot]
    while index <= last and state[END_RUN] == 0:
        buffer, count, position, padding = reader
        if count < 32:
            buffer, count, position, padding = _refill(data, buffer, count, position, padding)
        entry = _entry(buffer, row, tables)
        bits, run, size = entry & 63, ((entry >> 6) & 0x3FF) - 1, entry >> 16
        if entry == 0 or size > 1:
            return (buffer, count, position, padding), BAD_CODE
        if size == 0 and run < 15:
            state[END_RUN] = _run_length(buffer, bits, run)
            reader = (buffer << uint64(bits + run), count - bits - run, position, padding)
            break
        reader = (buffer << uint64(bits), count - bits, position, padding)
        index, corrections = _pass(index, last, run, known)
        reader = _skip(data, reader, corrections)  # one bit for each
        if index > last + (0 if size else 1):
            return reader, OVERFLOW
        if size:
            history[slot] |= uint64(1) << uint64(index)
        index += 1
    if state[END_RUN] > 0:
        state[END_RUN] -= 1
        left = (known >> uint64(index)) & ((uint64(1) << uint64(max(last + 1 - index, 0))) - uint64(1))
        reader = _skip(data, reader, _population(left))
    return reader, MORE


@inlined
def slot_of(scan, blocks, state):
    """Return where the block of a unit of AC coefficients stands in the history."""
    line, column = divmod(state[UNIT], scan[UNITS_PER_ROW])
    return blocks[0, BASE] + line * blocks[0, STRIDE] + column


@inlined
def block(data, reader, number, arrays):
    """Decode block ``number`` of a unit in the scan's mode; returns the reader and a status."""
    scan, blocks, _, _, _, state, _ = arrays
    mode, component, row = scan[MODE], blocks[number, COMPONENT], blocks[number, AC_TABLE]
    if mode <= DC_FIRST:
        reader, status = _dc(data, reader, blocks[number, DC_TABLE], component, arrays)
        if mode == DC_FIRST or status != MORE:
            return reader, status
        return _ac(data, reader, row, component, arrays)
    if mode == DC_REFINE:
        return _skip(data, reader, 1), MORE
    slot = slot_of(scan, blocks, state)
    if mode == AC_FIRST:
        return _band_first(data, reader, row, component, slot, arrays)
    return _band_refine(data, reader, row, slot, arrays)


@kernel
def restart(data, reader, state):
    """Step over the restart marker that is due here; returns the reader and a status."""
    position = reader[2]
    end = min(position + STRAY, len(data) - 1)
    while position < end:
        if data[position] == 0xFF and data[position + 1] != 0 and data[position + 1] != 0xFF:
            break
        position += 1
    if position + 1 >= len(data) or data[position + 1] != 0xD0 + (state[RESTARTS] & 7):
        return (uint64(0), np.int64(0), position, np.int64(0)), RESTART
    state[RESTARTS] += 1
    state[END_RUN] = 0
    for slot in range(PREDICTION, STATE):
        state[slot] = 0
    return (uint64(0), np.int64(0), position + 2, np.int64(0)), MORE
