"""Where records and their fields lie in index pages; compiled, import it only where needed.

A plan is the layout of a table as arrays: ``widths`` (bytes of a field, -1 for variable), ``nullable``,
``big``, ``orders`` (fields of each variant of a record, in stored order), ``counts`` (how many those are),
``versions`` and ``numbers`` (which variant a row version or a count of fields means, -1 for none).
"""

from __future__ import annotations

import numpy as np
from numba import njit

NULL, ABSENT = -1, -2  # lengths of fields without a value
DELETED, MINIMUM, VERSIONED, INSTANT = 0x20, 0x10, 0x40, 0x80  # info bits
INFIMUM, SUPREMUM = 99, 112  # of compact pages
OLD_INFIMUM, OLD_SUPREMUM = 101, 116  # of redundant pages
STATUS_INSTANT = 4  # MariaDB
HEADER, OLD_HEADER = 5, 6
MOST_WALKED = 8192  # records of a page of 64 KiB


@njit(cache=True, nogil=True)
def u16(data, at):  # type: ignore[no-untyped-def]
    """Return the big-endian number of two bytes."""
    return np.int64(data[at]) << 8 | np.int64(data[at + 1])


@njit(cache=True, nogil=True)
def step(data, base, size, origin, compact):  # type: ignore[no-untyped-def]
    """Return the offset in its page of the record behind ``origin``."""
    value = u16(data, base + origin - 2)
    return (origin + value) % 65536 if compact else value  # forward, also where that is over half of 64 KiB


@njit(cache=True, nogil=True)
def walk(data, size, bases, origins, owners, ended):  # type: ignore[no-untyped-def]
    """List the records of pages in the order of their keys.

    ``bases`` says where the pages start in ``data``; ``origins`` and ``owners`` are filled with where each
    record starts and the number of its page, ``ended`` with whether a page's list came to its proper end.
    Returns how many records were listed.
    """
    count = 0
    for number in range(len(bases)):
        base = bases[number]
        compact = data[base + 42] & 0x80 != 0
        at = INFIMUM if compact else OLD_INFIMUM
        last = SUPREMUM if compact else OLD_SUPREMUM
        most = min(u16(data, base + 42) & 0x7FFF, MOST_WALKED)
        ended[number] = False
        for _ in range(most):
            at = step(data, base, size, at, compact)
            if at == last:
                ended[number] = True
                break
            if at <= last or at >= size - 8 or count >= len(origins):
                break
            origins[count] = base + at
            owners[count] = number
            count += 1
    return count


@njit(cache=True, nogil=True)
def walk_free(data, size, bases, origins, owners):  # type: ignore[no-untyped-def]
    """List the records in the free lists of pages; arguments and result as of ``walk``."""
    count = 0
    for number in range(len(bases)):
        base = bases[number]
        compact = data[base + 42] & 0x80 != 0
        at = u16(data, base + 44)
        most = min(u16(data, base + 42) & 0x7FFF, MOST_WALKED)
        for _ in range(most):
            if at <= (SUPREMUM if compact else OLD_SUPREMUM) or at >= size - 8 or count >= len(origins):
                break
            origins[count] = base + at
            owners[count] = number
            count += 1
            following = step(data, base, size, at, compact)
            if following == at or u16(data, base + at - 2) == 0:
                break
            at = following
    return count


@njit(cache=True, nogil=True)
def _variant(data, base, origin, info, versions, numbers):  # type: ignore[no-untyped-def]
    """Return the variant of a compact record, -1 where there is none such, and the bytes that say it."""
    at = origin - HEADER - 1
    if info & INSTANT:
        count = np.int64(data[at])
        taken = 1
        if count & 0x80:
            count = (count & 0x7F) << 8 | np.int64(data[at - 1])
            taken = 2
        return (numbers[count] if 0 < count < len(numbers) else -1), taken
    if info & VERSIONED:
        return versions[data[at]], 1
    if data[origin - 3] & 7 == STATUS_INSTANT:
        more = np.int64(data[at])
        taken = 1
        if more & 0x80:
            more = (more & 0x7F) | np.int64(data[at - 1]) << 7
            taken = 2
        count = numbers[0] + more + 1  # numbers[0] holds the fields before instant changes
        return (numbers[count] if count < len(numbers) else -1), taken
    return 0, 0


@njit(cache=True, nogil=True)
def compact_fields(data, base, size, origin, plan, starts, lengths, outside, row):  # type: ignore[no-untyped-def]  # noqa: C901, PLR0913, PLR0917
    """Locate the fields of the compact record at ``origin``.

    Column ``row`` of ``starts``, ``lengths`` and ``outside`` is filled, by field, with where it starts, its
    bytes on the page (or ``NULL``, ``ABSENT``), and whether it goes on off the page. Returns the first and
    the last byte (exclusive) of the record in ``data``; -1, -1 where it makes no sense.
    """
    widths, nullable, big, orders, counts, versions, numbers = plan
    info = data[origin - 5]
    variant, taken = _variant(data, base, origin, info, versions, numbers)
    if variant < 0:
        return -1, -1
    nulls = origin - HEADER - 1 - taken
    count = counts[variant]
    flags = 0
    for place in range(count):
        flags += nullable[orders[variant, place]]
    sizes = nulls - (flags + 7) // 8
    if sizes < base + 38:
        return -1, -1
    for field in range(len(widths)):
        lengths[field, row] = ABSENT
        outside[field, row] = 0
    at = origin
    bit = 0
    for place in range(count):
        field = orders[variant, place]
        if nullable[field]:
            isnull = data[nulls - (bit >> 3)] >> (bit & 7) & 1
            bit += 1
            if isnull:
                lengths[field, row] = NULL
                starts[field, row] = at
                continue
        length = np.int64(widths[field])
        if length < 0:
            if sizes < base + 38:
                return -1, -1
            length = np.int64(data[sizes])
            sizes -= 1
            if big[field] and length & 0x80:
                outside[field, row] = length >> 6 & 1
                length = (length & 0x3F) << 8 | np.int64(data[sizes])
                sizes -= 1
                if outside[field, row] and length < 20:
                    return -1, -1
        starts[field, row] = at
        lengths[field, row] = length
        at += length
        if at > base + size - 8:
            return -1, -1
    return sizes + 1, at


@njit(cache=True, nogil=True)
def redundant_fields(data, base, size, origin, plan, starts, lengths, outside, row):  # type: ignore[no-untyped-def]  # noqa: PLR0913, PLR0917
    """Locate the fields of the redundant record at ``origin``; as ``compact_fields``."""
    widths, _nullable, _big, orders, counts, _versions, _numbers = plan
    head = np.int64(data[origin - 4]) << 8 | np.int64(data[origin - 3])
    short = head & 1
    stored = head >> 1 & 0x3FF
    for field in range(len(widths)):
        lengths[field, row] = ABSENT
        outside[field, row] = 0
    wide = 1 if short else 2
    begin = origin - OLD_HEADER - wide * stored
    if stored == 0 or begin < base + 38:
        return -1, -1
    last = np.int64(0)
    for place in range(stored):
        if short:
            end = np.int64(data[origin - OLD_HEADER - 1 - place])
            isnull, off, end = end >> 7, 0, end & 0x7F
        else:
            end = u16(data, origin - OLD_HEADER - 2 - 2 * place)
            isnull, off, end = end >> 15, end >> 14 & 1, end & 0x3FFF
        if end < last or origin + end > base + size - 8:
            return -1, -1
        if place < counts[0]:
            field = orders[0, place]
            starts[field, row] = origin + last
            lengths[field, row] = NULL if isnull else end - last
            outside[field, row] = off
            if widths[field] >= 0 and not isnull and end - last != widths[field]:
                return -1, -1
        last = end
    return begin, origin + last


@njit(cache=True, nogil=True)
def locate(data, size, bases, origins, owners, plan, starts, lengths, outside, begins, ends):  # type: ignore[no-untyped-def]  # noqa: PLR0913, PLR0917
    """Locate the fields of all records; ``begins`` is -1 of those that make no sense."""
    for row in range(len(origins)):
        base = bases[owners[row]]
        if data[base + 42] & 0x80:
            begin, end = compact_fields(data, base, size, origins[row], plan, starts, lengths, outside, row)
        else:
            begin, end = redundant_fields(data, base, size, origins[row], plan, starts, lengths, outside, row)
        begins[row] = begin
        ends[row] = end
