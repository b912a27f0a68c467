"""NAL units of H.264 and H.265 with their lengths before them, found in bytes without a table; compiled.

No length alone proves a unit. One counts where its header is legal, its slice names a parameter set that is
there, no start code lies in it (ITU-T H.264 7.4.1, H.265 7.4.2), it ends as units do, and its picture follows
the one before it by the number that the standard demands.
"""

from __future__ import annotations

import numpy as np
from numba import njit

REACH = 1 << 16  # bytes of other tracks between two pictures
LARGEST = 1 << 23  # bytes of a unit
HEAD = 48  # bytes of a slice that its header's first fields fit into
NEAR = 32  # steps of the order in which pictures are shown that lie between neighbours
ZEROS = 20  # of a number of variable length at most
SET = 1024  # bytes of a parameter set at most
STEPS = 64  # for each byte, behind which no unit is looked for any more: films take a few

AHEAD, FIRST, MORE, BEHIND = 1, 2, 3, 4  # what a unit is: before a picture, of it, behind it
FOUND = 9
# Numbers of a unit: the last says which field of a frame it is of.
OFFSET, SIZE, WHAT, ORDER, KEY, FRAME, REFERRED, BROKEN, FIELD = range(FOUND)
# Numbers of a parameter set of pictures, and of the state: the last frame, the last that others refer to, the
# order of the last, and how many bits the number has by which pictures follow each other.
KNOWN, FRAME_BITS, FRAMES_ONLY, KIND, ORDER_BITS, PLANES, EXTRA, FLAG = range(8)
LAST, REFERENCE, LAST_ORDER, BITS = range(4)


@njit(cache=True, nogil=True)
def _bits(payload, at, count):  # type: ignore[no-untyped-def]
    value = 0
    for index in range(at, at + count):
        value = value << 1 | (payload[index >> 3] >> (7 - (index & 7)) & 1)
    return value


@njit(cache=True, nogil=True)
def _golomb(payload, at):  # type: ignore[no-untyped-def]
    """Return an unsigned Exp-Golomb number, -1 where it is too long; and where it ends."""
    zeros = 0
    while zeros < ZEROS and not _bits(payload, at + zeros, 1):
        zeros += 1
    if zeros == ZEROS:
        return -1, at
    return _bits(payload, at + zeros, zeros + 1) - 1, at + 2 * zeros + 1


@njit(cache=True, nogil=True)
def _whole(data, start, end, room):  # type: ignore[no-untyped-def]
    """Return whether no start code lies in a unit, and it ends as units do."""
    if data[end - 1] == 0:
        return False
    index, holds = start + 2, True
    while index < end and holds:
        byte = data[index]
        if byte > 3:
            index += 3
            continue
        zeros = data[index - 1] == 0 and data[index - 2] == 0
        holds = not (zeros and (byte < 3 or (index + 1 < end and data[index + 1] > 3)))
        index += 1
    room[0] -= index - start
    return holds


@njit(cache=True, nogil=True)
def _messages(data, start, end, room):  # type: ignore[no-untyped-def]
    """Return whether supplemental messages fill a unit: of each its kind and size, then so many bytes."""
    zeros, left, sized, size = 0, 0, False, 0
    room[0] -= end - start
    for at in range(start, end):
        byte = data[at]
        if zeros >= 2 and byte == 3:  # put in so that no start code arises
            zeros = 0
            continue
        zeros = zeros + 1 if byte == 0 else 0
        if left > 0:
            left -= 1
        elif not sized:
            if at == end - 1:
                return byte == 0x80
            sized, size = byte != 255, 0
        else:
            size += byte
            if byte != 255:
                left, sized = size, False
    return False


@njit(cache=True, nogil=True)
def _unescaped(data, start, end, payload):  # type: ignore[no-untyped-def]
    """Fill ``payload`` with the first bytes of a unit as they were before start codes were kept out."""
    filled, zeros, at = 0, 0, start
    payload[:] = 0
    while at < end and filled < HEAD:
        byte = data[at]
        at += 1
        if zeros >= 2 and byte == 3:
            zeros = 0
            continue
        zeros = zeros + 1 if byte == 0 else 0
        payload[filled] = byte
        filled += 1


@njit(cache=True, nogil=True)
def _set_of(sets, number):  # type: ignore[no-untyped-def]
    """Return whether there is a parameter set of this number."""
    return 0 <= number < len(sets) and sets[number, KNOWN] > 0


@njit(cache=True, nogil=True)
def _hevc_slice(payload, sets, found):  # type: ignore[no-untyped-def]
    """Read the first fields of a slice into ``found``; return whether they may be (7.3.6.1)."""
    kind, bit = payload[0] >> 1, 17
    key = 16 <= kind <= 23
    number, bit = _golomb(payload, bit + key)
    if not _set_of(sets, number):
        return False
    found[KEY], found[FRAME], found[REFERRED], found[WHAT] = key, 0, 1, MORE
    if payload[2] < 128:
        return True
    own = sets[number]
    form, bit = _golomb(payload, bit + own[EXTRA])
    bit += own[FLAG] + 2 * own[PLANES]
    found[WHAT] = FIRST
    found[ORDER] = 0 if kind in {19, 20} else _bits(payload, bit, own[ORDER_BITS])
    return 0 <= form <= 2


@njit(cache=True, nogil=True)
def _avc_slice(payload, sets, found):  # type: ignore[no-untyped-def]
    """Read the first fields of a slice into ``found``; return whether they may be (7.3.3)."""
    key, refers = payload[0] & 31 == 5, payload[0] >> 5
    first, bit = _golomb(payload, 8)
    form, bit = _golomb(payload, bit)
    number, bit = _golomb(payload, bit)
    if first < 0 or not 0 <= form <= 9 or not _set_of(sets, number):
        return False
    own = sets[number]
    bit += 2 * own[PLANES]
    frame, field = _bits(payload, bit, own[FRAME_BITS]), 0
    bit += own[FRAME_BITS]
    if not own[FRAMES_ONLY]:
        field, bit = _bits(payload, bit, 1), bit + 1
        if field:
            field, bit = 1 + _bits(payload, bit, 1), bit + 1
    if key:
        identifier, bit = _golomb(payload, bit)
        if identifier < 0 or frame or not refers or form % 5 not in {2, 4}:
            return False
    found[ORDER] = _bits(payload, bit, own[ORDER_BITS]) if own[KIND] == 0 else 0
    found[WHAT], found[KEY], found[FRAME] = FIRST if first == 0 else MORE, key, frame
    found[REFERRED], found[FIELD] = refers > 0, field
    return True


@njit(cache=True, nogil=True)
def _avc_unit(data, start, end, sets, room, found):  # type: ignore[no-untyped-def]
    """Return whether a unit of H.264 lies there, and note what it is."""
    kind, refers, size = data[start] & 31, data[start] >> 5, end - start
    if kind in {1, 5}:
        payload = room[1:]
        _unescaped(data, start, min(end, start + 2 * HEAD), payload)
        return size > 4 and _avc_slice(payload, sets, found) and _whole(data, start, end, room)
    found[WHAT] = AHEAD
    if kind == 6:
        return refers == 0 and _messages(data, start + 1, end, room) and _whole(data, start, end, room)
    if kind in {7, 8}:
        return refers > 0 and 3 < size < SET and _whole(data, start, end, room)
    if kind == 9:
        return refers == 0 and size == 2 and data[start + 1] & 31 == 16
    found[WHAT] = BEHIND
    filled = kind == 12 and refers == 0 and data[end - 1] == 0x80
    for index in range(start + 1, end - 1):
        if not filled:
            break
        filled = data[index] == 255
    return filled


@njit(cache=True, nogil=True)
def _hevc_unit(data, start, end, sets, room, found):  # type: ignore[no-untyped-def]
    """Return whether a unit of H.265 lies there, and note what it is."""
    kind, size = data[start] >> 1, end - start
    if data[start] & 1 or data[start + 1] >> 3 or data[start + 1] == 0:  # other layers, no temporal one
        return False
    if kind <= 9 or 16 <= kind <= 21:
        payload = room[1:]
        _unescaped(data, start, min(end, start + 2 * HEAD), payload)
        return size > 4 and _hevc_slice(payload, sets, found) and _whole(data, start, end, room)
    found[WHAT] = BEHIND if kind in {36, 37, 38, 40} else AHEAD
    if kind in {39, 40}:
        return _messages(data, start + 2, end, room) and _whole(data, start, end, room)
    if kind == 35:
        return size == 3 and data[end - 1] & 31 == 16
    if kind in {32, 33, 34}:
        return 4 < size < SET and _whole(data, start, end, room)
    return kind in {36, 37} and size == 2


@njit(cache=True, nogil=True)
def _unit_at(data, at, coded, room, found):  # type: ignore[no-untyped-def]
    """Fill ``found`` with the unit whose length stands at ``at``; return whether there is one."""
    width, hevc, sets = coded
    if at + width + 2 > len(data) or room[0] < 0:
        return False
    size = 0
    for index in range(at, at + width):
        size = size << 8 | data[index]
    start = at + width
    end = start + size
    if size < 2 or size > LARGEST or end > len(data) or data[start] & 0x80:
        return False
    found[:] = 0
    found[OFFSET], found[SIZE] = at, width + size
    if hevc:
        return _hevc_unit(data, start, end, sets, room, found)
    return _avc_unit(data, start, end, sets, room, found)


@njit(cache=True, nogil=True)
def _follows(found, state, hevc):  # type: ignore[no-untyped-def]
    """Return whether a unit may follow what ``state`` tells of."""
    if found[WHAT] in {AHEAD, BEHIND} or state[LAST] < 0:
        return True
    if found[WHAT] == MORE:
        return found[FRAME] == state[LAST]
    span = 1 << state[BITS]
    if hevc:
        away = (found[ORDER] - state[LAST_ORDER]) % span
        return found[KEY] > 0 or min(away, span - away) <= NEAR
    other = found[FIELD] > 0 and found[FRAME] == state[LAST]  # the other field of the same frame
    return found[KEY] > 0 or other or found[FRAME] == (state[REFERENCE] + 1) % span


@njit(cache=True, nogil=True)
def _advance(found, state):  # type: ignore[no-untyped-def]
    if found[WHAT] == FIRST:
        state[LAST], state[LAST_ORDER] = found[FRAME], found[ORDER]
        if found[REFERRED]:
            state[REFERENCE] = found[FRAME]


@njit(cache=True, nogil=True)
def _next(data, start, stop, coded, state, room, found):  # type: ignore[no-untyped-def]
    """Find the first unit from ``start`` on that follows; behind it only what begins a picture counts."""
    width, hevc, _ = coded
    for at in range(start, min(stop, len(data))):
        room[0] -= 1
        if data[at] > (LARGEST >> 8 * (width - 1)) & 255 or not _unit_at(data, at, coded, room, found):
            continue
        begins = found[WHAT] == FIRST or (found[WHAT] == AHEAD and found[SIZE] > width + 6)
        if (at == start or begins) and _follows(found, state, hevc):
            return True
    return False


@njit(cache=True, nogil=True)
def _goes_on(data, found, coded, state, room, other):  # type: ignore[no-untyped-def]
    """Return whether a further unit follows the one that was found."""
    ahead = state.copy()
    _advance(found, ahead)
    end = found[OFFSET] + found[SIZE]
    near = end + REACH if ahead[LAST] >= 0 else end + 1
    return _next(data, end, near, coded, ahead, room, other)


@njit(cache=True, nogil=True)
def _search(data, at, coded, state, room, found):  # type: ignore[no-untyped-def]
    """Find the unit that follows the last one, which ends at ``at``.

    What no further unit follows is taken only where nothing better is: bytes of other tracks look like it.
    """
    other, spare = found.copy(), found.copy()
    spare[SIZE] = 0
    start, stop = at, at + REACH
    while start < stop and _next(data, start, stop, coded, state, room, found):
        place = found[OFFSET]
        if place == at or _goes_on(data, found, coded, state, room, other):
            return True
        if spare[SIZE] == 0 and found[SIZE] < REACH:
            spare[:] = found
        start = place + 1
    found[:] = spare
    return spare[SIZE] > 0


@njit(cache=True, nogil=True)
def walk(data, stop, coded, state, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` with units that begin in front of ``stop``; return how many, and where to go on.

    A row with ``BROKEN`` set follows nothing that was found.

    Args:
        data: Bytes; a unit that they do not hold wholly is none.
        stop: Offset.
        coded: Bytes of a length; whether it is H.265; rows of numbers, by parameter set of pictures.
        state: Four numbers, that are kept for the next call; -1 for none.
        out: Rows of ``FOUND`` numbers, ``HEAD`` at least.
    """
    count, at = 0, 0
    found, other = out[0].copy(), out[0].copy()
    room = np.zeros(1 + HEAD, np.int64)  # steps that are left; the beginning of a slice
    room[0] = STEPS * len(data)
    while at < stop and count < len(out):
        tied = state[LAST] >= 0
        if tied and not _search(data, at, coded, state, room, found):
            tied = False
            state[LAST] = -1
        if not tied:
            begins = _unit_at(data, at, coded, room, found) and found[WHAT] <= FIRST
            if not begins or not _goes_on(data, found, coded, state, room, other):
                at += 1
                continue
        found[BROKEN] = not tied
        out[count] = found
        count += 1
        _advance(found, state)
        at = found[OFFSET] + found[SIZE]
    return count, at
