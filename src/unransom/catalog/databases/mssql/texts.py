"""Texts and bytes decoded from cells as machine code, a column at a time.

Every function takes ``cells``, the bytes with starts and lengths in them, and ``column``: where to put
UTF-8 or bytes, where each value ends in it, and doubts, one more for each row with characters that texts do
not have.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np
from numba import njit

REPLACEMENT = 0xFFFD
HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
GUID_ORDER = np.array([3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15], np.int64)

# Windows that SCSU starts with, and those that the special offsets 0xF9 to 0xFF define.
STATIC = np.array([0x0000, 0x0080, 0x0100, 0x0300, 0x2000, 0x2080, 0x2100, 0x3000], np.int64)
DYNAMIC = np.array([0x0080, 0x00C0, 0x0400, 0x0600, 0x0900, 0x3040, 0x30A0, 0xFF00], np.int64)
SPECIAL = np.array([0x00C0, 0x0250, 0x0370, 0x0530, 0x3040, 0x30A0, 0xFF60], np.int64)


@njit(cache=True, nogil=True)
def put(out, at, code):
    """Write a character as UTF-8; returns the place behind it."""
    if code < 0x80:
        out[at] = code
        return at + 1
    if code < 0x800:
        out[at] = 0xC0 | code >> 6
        out[at + 1] = 0x80 | code & 0x3F
        return at + 2
    if code < 0x10000:
        out[at] = 0xE0 | code >> 12
        out[at + 1] = 0x80 | code >> 6 & 0x3F
        out[at + 2] = 0x80 | code & 0x3F
        return at + 3
    out[at] = 0xF0 | code >> 18
    out[at + 1] = 0x80 | code >> 12 & 0x3F
    out[at + 2] = 0x80 | code >> 6 & 0x3F
    out[at + 3] = 0x80 | code & 0x3F
    return at + 4


@njit(cache=True, nogil=True)
def _strange(code):
    """Tell whether texts hardly ever have this character."""
    if code < 32:
        return code not in (9, 10, 13)
    return 0x7F <= code < 0xA0 or 0xE000 <= code < 0xF900 or code >= 0xFFF0


@njit(cache=True, nogil=True)
def single_bytes(cells, table, pad, column):
    """Decode texts of one byte a character by ``table``; short ones are filled up with blanks to ``pad``."""
    data, starts, lengths = cells
    out, offsets, doubts = column
    at = 0
    for row in range(len(starts)):
        start, length, strange = starts[row], lengths[row], False
        for index in range(max(length, 0)):
            code = table[data[start + index]]
            if code < 0x80:
                out[at] = code
                at += 1
                strange |= code < 32 and _strange(code)
            else:
                strange |= _strange(code)
                at = put(out, at, code)
        if length >= 0:
            for _ in range(pad - length):
                out[at] = 32
                at += 1
        offsets[row + 1] = at
        doubts[row] += strange
    return at


@njit(cache=True, nogil=True)
def _unit(data, at):
    return np.int64(data[at]) | np.int64(data[at + 1]) << 8


@njit(cache=True, nogil=True)
def _character(data, at, left):
    """Return a character beyond ASCII and how many units it takes; half a pair is replaced."""
    code = _unit(data, at)
    if code < 0xD800 or code >= 0xE000:
        return code, 1
    low = _unit(data, at + 2) if left > 1 else np.int64(0)
    if code < 0xDC00 and 0xDC00 <= low < 0xE000:
        return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00), 2
    return np.int64(REPLACEMENT), 1


@njit(cache=True, nogil=True)
def double_bytes(cells, column):
    """Decode UTF-16 texts; half a surrogate pair becomes the replacement character."""
    data, starts, lengths = cells
    out, offsets, doubts = column
    at = 0
    for row in range(len(starts)):
        start, units = starts[row], max(lengths[row], 0) // 2
        strange = lengths[row] > 0 and lengths[row] & 1 != 0
        index = 0
        while index < units:
            code = _unit(data, start + 2 * index)
            if 32 <= code < 0x7F:
                out[at] = code
                at += 1
                index += 1
                continue
            code, taken = _character(data, start + 2 * index, units - index)
            index += taken
            strange |= code < 0x10000 and _strange(code)
            at = put(out, at, code)
        offsets[row + 1] = at
        doubts[row] += strange
    return at


@njit(cache=True, nogil=True)
def _window(offset):
    """Return where the window with this offset byte starts."""
    if offset < 0x68:
        return offset << 7
    if offset < 0xA8:
        return (offset << 7) + 0xAC00
    if offset >= 0xF9:
        return SPECIAL[offset - 0xF9]
    return np.int64(0)


@njit(cache=True, nogil=True)
def _pair(data, at):
    """Return two bytes as a number, the higher one first."""
    return np.int64(data[at]) << 8 | np.int64(data[at + 1])


@njit(cache=True, nogil=True)
def _in_pairs(data, at, left, windows):
    """Take one step where characters are two bytes each.

    Returns the character or -1, bytes used, the window that becomes active or -1, and whether single bytes
    follow; no bytes used for what must not be.
    """
    byte = np.int64(data[at])
    if 0xE0 <= byte <= 0xE7:
        return np.int64(-1), 1, byte - 0xE0, True
    if 0xE8 <= byte <= 0xEF and left >= 1:
        windows[byte - 0xE8] = _window(np.int64(data[at + 1]))
        return np.int64(-1), 2, byte - 0xE8, True
    if byte == 0xF1 and left >= 2:
        both = _pair(data, at + 1)
        windows[both >> 13] = 0x10000 + ((both & 0x1FFF) << 7)
        return np.int64(-1), 3, both >> 13, True
    if byte == 0xF0 and left >= 2:
        return _pair(data, at + 1), 3, np.int64(-1), False
    if byte == 0xF2:
        return np.int64(-1), 0, np.int64(-1), False
    if left >= 1:
        return _pair(data, at), 2, np.int64(-1), False
    return np.int64(-1), 1, np.int64(-1), False  # the server puts a spare byte behind some texts


@njit(cache=True, nogil=True)
def _control(data, at, left, windows):
    """Take one step at a control byte; returns what ``_in_pairs`` does, last whether pairs follow."""
    byte = np.int64(data[at])
    if 1 <= byte <= 8 and left >= 1:
        quoted = np.int64(data[at + 1])
        base = STATIC[byte - 1] + quoted if quoted < 0x80 else windows[byte - 1] + quoted - 0x80
        return base, 2, np.int64(-1), False
    if byte == 0x0B and left >= 2:
        both = _pair(data, at + 1)
        windows[both >> 13] = 0x10000 + ((both & 0x1FFF) << 7)
        return np.int64(-1), 3, both >> 13, False
    if byte == 0x0E and left >= 2:
        return _pair(data, at + 1), 3, np.int64(-1), False
    if 0x10 <= byte <= 0x17:
        return np.int64(-1), 1, byte - 0x10, False
    if 0x18 <= byte <= 0x1F and left >= 1:
        windows[byte - 0x18] = _window(np.int64(data[at + 1]))
        return np.int64(-1), 2, byte - 0x18, False
    return np.int64(-1), 1, np.int64(-1), byte == 0x0F


@njit(cache=True, nogil=True)
def _scsu(data, start, end, out, at):
    """Decode one text of the Standard Compression Scheme for Unicode; returns the place behind, or -1."""
    windows = DYNAMIC.copy()
    active, pairs, high = np.int64(0), False, np.int64(0)
    while start < end:
        byte, left = np.int64(data[start]), end - start - 1
        used, chosen = 1, np.int64(-1)
        if pairs:
            code, used, chosen, single = _in_pairs(data, start, left, windows)
            pairs = not single
        elif byte >= 0x80:
            code = windows[active] + byte - 0x80
        elif byte >= 0x20 or byte in (0, 9, 10, 13):
            code = byte
        else:
            code, used, chosen, pairs = _control(data, start, left, windows)
        if used == 0:
            return -1
        active = chosen if chosen >= 0 else active
        start += used
        if 0xD800 <= code < 0xDC00:
            high = code
        elif code >= 0:
            at = put(out, at, _joined(high, code))
            high = np.int64(0)
    return at


@njit(cache=True, nogil=True)
def _joined(high, code):
    """Return the character that a unit makes with the high surrogate before it, if there was one."""
    if 0xDC00 <= code < 0xE000:
        return 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00) if high else np.int64(REPLACEMENT)
    return code


@njit(cache=True, nogil=True)
def compressed_unicode(cells, pad, column):
    """Decode SCSU texts; short ones are filled up with blanks to ``pad`` characters."""
    data, starts, lengths = cells
    out, offsets, doubts = column
    at = 0
    for row in range(len(starts)):
        begin = at
        if lengths[row] >= 0:
            end = _scsu(data, starts[row], starts[row] + lengths[row], out, at)
            if end < 0:
                doubts[row] += 1
            at = max(end, at)
            characters = 0
            for index in range(begin, at):
                characters += out[index] & 0xC0 != 0x80
                characters += out[index] >= 0xF0  # two units of UTF-16
            for _ in range(pad - characters):
                out[at] = 32
                at += 1
        offsets[row + 1] = at
    return at


@njit(cache=True, nogil=True)
def raw_bytes(cells, pad, column):
    """Copy bytes; short ones are filled up with zeros to ``pad``."""
    data, starts, lengths = cells
    out, offsets, _ = column
    at = 0
    for row in range(len(starts)):
        length = max(lengths[row], 0)
        out[at : at + length] = data[starts[row] : starts[row] + length]
        at += length
        if lengths[row] >= 0 and length < pad:
            out[at : at + pad - length] = 0
            at += pad - length
        offsets[row + 1] = at
    return at


@njit(cache=True, nogil=True)
def guids(cells, column):
    """Write unique identifiers in their usual form, 36 characters each."""
    data, starts, lengths = cells
    out, offsets, doubts = column
    at = 0
    for row in range(len(starts)):
        doubts[row] += lengths[row] >= 0 and lengths[row] != 16
        if lengths[row] == 16:
            for place in GUID_ORDER:
                if place < 0:
                    out[at] = 45
                    at += 1
                    continue
                byte = data[starts[row] + place]
                out[at] = HEX[byte >> 4]
                out[at + 1] = HEX[byte & 15]
                at += 2
        offsets[row + 1] = at
    return at
