"""Which bytes of records are which field, found by the shortest description; compiled, import it lazily.

A record without a definition is a run of plain fixed bytes, fields of variable length whose lengths its
header gives, fields that its null bits switch off, and, behind the key, the 13 bytes of transaction number
and roll pointer. The order of these that describes a sample of records in the fewest bits is taken.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from unransom.catalog.databases.innodb._value_kernel import big_endian

SYSTEM = 13  # bytes of DB_TRX_ID and DB_ROLL_PTR
MOST_TRX, MOST_PAGE = 1 << 40, 1 << 28
FIXED, VARIABLE, OPTIONAL, OWN = 1, 2, 3, 4  # steps: a fixed byte, a plain variable field, a null bit's, ours
NEVER = 1e18
END = 32  # bytes of a long value that are described from either end
BYTE, CONTROL, EMPTY = 8.5, 12.0, 60.0  # bits of a byte of no text, a control character, a field always empty


@njit(cache=True, nogil=True)
def header(data, origins, nulls, count, big, lengths, sizes):  # type: ignore[no-untyped-def]
    """Read the lengths of ``count`` variable fields of each record that has ``nulls`` bytes of null bits.

    ``lengths`` (record, field) is filled, and ``sizes`` with the bytes of the header; -1 where it makes no
    sense. ``big`` says of each field whether lengths of 128 and more take two bytes.
    """
    for row in range(len(origins)):
        at = origins[row] - 6 - nulls
        sizes[row] = -1
        good = True
        for field in range(count):
            if at < origins[row] - 2048 or at < 0:
                good = False
                break
            length = np.int64(data[at])
            at -= 1
            if big[field] and length & 0x80:
                outside = length & 0x40
                length = (length & 0x3F) << 8 | np.int64(data[at])
                at -= 1
                if outside and length < 20:
                    good = False
                    break
            lengths[row, field] = length
        if good:
            sizes[row] = origins[row] - 1 - at


@njit(cache=True, nogil=True)
def _natural(value):  # type: ignore[no-untyped-def]
    """Return the bits of a number of which small ones are the likely ones."""
    wide = np.log2(np.float64(value) + 1.0)
    return wide + 2.0 * np.log2(wide + 1.0) + 1.0


@njit(cache=True, nogil=True)
def _own(data, places):  # type: ignore[no-untyped-def]
    """Return the bits of transaction numbers and roll pointers at ``places``; ``NEVER`` of anything else."""
    total = 0.0
    for row in range(len(places)):
        at = places[row]
        trx = np.int64(big_endian(data, at, 6))
        page = np.int64(big_endian(data, at + 7, 4))
        if trx > MOST_TRX or page > MOST_PAGE:
            return NEVER
        total += _natural(trx) / 2 + _natural(page) / 2 + (1.0 if data[at + 6] & 0x80 else 4.0)
    return total


@njit(cache=True, nogil=True)
def _column(data, places, used, counts):  # type: ignore[no-untyped-def]
    """Return the bits of one byte of each record where its neighbours in other records are known."""
    counts[:] = 1.0 / 16.0
    counts[0] = 1.0
    counts[0x80] = 1.0
    weight = 254.0 / 16.0 + 2.0
    total = 0.0
    for row in range(len(places)):
        if used[row]:
            byte = data[places[row]]
            total += np.log2(weight / counts[byte])
            counts[byte] += 1.0
            weight += 1.0
    return total


@njit(cache=True, nogil=True)
def _text(data, places, lengths, used, counts):  # type: ignore[no-untyped-def]
    """Return the bits of a field of variable length, as text or as bytes; of long values both ends count."""
    weight = 0.0
    for byte in range(256):
        counts[byte] = 0.5 if byte >= 0x20 and byte < 0x7F else 0.1
        weight += counts[byte]
    text, plain = 0.0, 0.0
    for row in range(len(places)):
        if not used[row]:
            continue
        for place in range(lengths[row]):
            if END <= place < lengths[row] - END:
                continue
            byte = data[places[row] + place]
            plain += BYTE
            if byte < 0x20 and byte not in {9, 10, 13}:
                text += CONTROL
                continue
            text += np.log2(weight / counts[byte])
            counts[byte] += 1.0
            weight += 1.0
    return min(text, plain) if plain > 0 else EMPTY


@njit(cache=True, nogil=True)
def _advance(records, forms, state, places, after):  # type: ignore[no-untyped-def]
    """Fill ``places`` with where each record is in ``state``, and ``after`` with its next length.

    Returns whether no record is behind its end.
    """
    origins, ends, lengths, bits = records
    own, bit, field, byte = state
    for row in range(len(origins)):
        at = origins[row] + byte + SYSTEM * own
        index = field
        for before in range(bit):
            if not bits[row, before]:
                if forms[before] < 0:
                    index += 1
                else:
                    at += forms[before]
        for one in range(index):
            at += lengths[row, one]
        places[row] = at
        after[row] = lengths[row, index] if index < lengths.shape[1] else 0
        if at > ends[row]:
            return False
    return True


@njit(cache=True, nogil=True)
def _optional(data, places, after, used, form, counts):  # type: ignore[no-untyped-def]
    """Return the bits of a field that a null bit switches off, where it is there."""
    if form < 0:
        return _text(data, places, after, used, counts)
    total = 0.0
    for place in range(form):
        total += _column(data, places + place, used, counts)
    return total


@njit(cache=True, nogil=True)
def describe(data, records, forms, plain, room):  # type: ignore[no-untyped-def]  # noqa: C901, PLR0912
    """Fill ``steps`` with the order of fields that describes the records in the fewest bits; returns these.

    Args:
        data: Pages.
        records: Their origins and ends; by record and field the lengths that are there; by record and null
            bit in use, whether it is set.
        forms: Of each null bit in use, the bytes of the field that it switches off, -1 of a variable one.
        plain: How many fixed bytes and how many variable fields no null bit switches off.
        room: ``costs`` and ``steps``, arrays by own (2), null bit, variable field and fixed byte.
    """
    costs, steps = room
    rows, optional = len(records[0]), len(forms)
    fixed, variable = plain
    counts = np.zeros(256, np.float64)
    places, after = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    every = np.ones(rows, np.bool_)
    costs[:] = NEVER
    costs[0, 0, 0, 0] = 0.0
    for own in range(2):
        for bit in range(optional + 1 if own else 1):
            for field in range(variable + 1):
                for byte in range(fixed + 1):
                    here = costs[own, bit, field, byte]
                    if here >= NEVER:
                        continue
                    if not _advance(records, forms, (own, bit, field, byte), places, after):
                        continue
                    if byte < fixed:
                        cost = here + _column(data, places, every, counts)
                        if cost < costs[own, bit, field, byte + 1]:
                            costs[own, bit, field, byte + 1] = cost
                            steps[own, bit, field, byte + 1] = FIXED
                    if field < variable:
                        cost = here + _text(data, places, after, every, counts)
                        if cost < costs[own, bit, field + 1, byte]:
                            costs[own, bit, field + 1, byte] = cost
                            steps[own, bit, field + 1, byte] = VARIABLE
                    if own and bit < optional:
                        cost = here + _optional(data, places, after, ~records[3][:, bit], forms[bit], counts)
                        if cost < costs[own, bit + 1, field, byte]:
                            costs[own, bit + 1, field, byte] = cost
                            steps[own, bit + 1, field, byte] = OPTIONAL
                    if not own and field + byte > 0:
                        cost = here + _own(data, places)
                        if cost < costs[1, 0, field, byte]:
                            costs[1, 0, field, byte] = cost
                            steps[1, 0, field, byte] = OWN
    return costs[1, optional, variable, fixed]


@njit(cache=True, nogil=True)
def headers(data, origins, sizes):  # type: ignore[no-untyped-def]
    """Return the bits of null bits and lengths in front of records whose headers have ``sizes`` bytes."""
    counts = np.zeros(256, np.float64)
    total = 0.0
    for place in range(sizes.max() - 5):
        total += _column(data, origins - 6 - place, sizes > 5 + place, counts)
    return total
