"""Records in pages whose checksum does not hold; compiled, import it only where needed.

Every offset is tried as the start of a record. What is kept must have a header, lengths, a transaction
number, a roll pointer and values that the table's definition allows, must be linked with or lie against
another such record, and must be shown to end before the damage begins.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from unransom.catalog.databases.innodb._record_kernel import (
    MOST_WALKED,
    OLD_SUPREMUM,
    STATUS_INSTANT,
    SUPREMUM,
    compact_fields,
    redundant_fields,
    step,
    u16,
)
from unransom.catalog.databases.innodb._value_kernel import DIGIT_BYTES, POWERS, big_endian, is_date

SECTOR = 512
NOISY = 190  # different bytes in a sector; 512 random bytes have 221 on average, text far fewer
FIRST = 120  # no record begins before
MOST_PAGE = 1 << 28  # page numbers of an undo space
NONE, TRX, ROLL, DATE, DATETIME, ENUM, UTF8, ASCII, DECIMAL, LIMIT, CLOCK = range(11)  # checks
UNLINKED, LINKED, PROVEN = 0, 1, 2  # results of ``judge``


@njit(cache=True, nogil=True)
def noisy(data, base, size, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` with whether each sector of a page looks random; returns how many do."""
    count = 0
    for sector in range(size // SECTOR):
        seen = np.zeros(256, np.bool_)
        different = 0
        for at in range(base + sector * SECTOR, base + (sector + 1) * SECTOR):
            if not seen[data[at]]:
                seen[data[at]] = True
                different += 1
        out[sector] = different >= NOISY
        count += out[sector]
    return count


@njit(cache=True, nogil=True)
def _utf8(data, start, end):  # type: ignore[no-untyped-def]
    """Return whether the bytes are UTF-8 without control characters."""
    at = start
    while at < end:
        byte = data[at]
        if byte < 0x80:
            if byte < 0x20 and byte not in {9, 10, 13}:
                return False
            at += 1
            continue
        more = 1 if byte >> 5 == 6 else 2 if byte >> 4 == 14 else 3 if byte >> 3 == 30 else 0
        if more == 0 or at + more >= end or byte in {0xC0, 0xC1}:
            return False
        for place in range(1, more + 1):
            if data[at + place] >> 6 != 2:
                return False
        at += more + 1
    return True


@njit(cache=True, nogil=True)
def _printable(data, start, end):  # type: ignore[no-untyped-def]
    good = True
    for at in range(start, end):
        good &= data[at] >= 0x20 or data[at] in {9, 10, 13}
    return good


@njit(cache=True, nogil=True)
def _groups(data, start, precision, scale):  # type: ignore[no-untyped-def]
    """Return whether the groups of a packed decimal hold no more digits than they should."""
    at = start
    flip = np.uint64(0x80)
    negative = data[at] & 0x80 == 0
    for part in range(2):
        digits = precision - scale if part == 0 else scale
        while digits > 0:
            group = digits % 9 if part == 0 and digits % 9 else min(9, digits)
            value = np.uint64(0)
            for place in range(DIGIT_BYTES[group]):
                byte = np.uint64(data[at + place]) ^ flip
                flip = np.uint64(0)
                value = value << np.uint64(8) | (byte ^ np.uint64(0xFF) if negative else byte)
            if value >= POWERS[group]:
                return False
            at += DIGIT_BYTES[group]
            digits -= group
    return True


@njit(cache=True, nogil=True)
def _plausible(data, start, length, check, low, high):  # type: ignore[no-untyped-def]  # noqa: C901, PLR0911
    """Return whether a value passes the check of its field."""
    if check == TRX:
        value = big_endian(data, start, 6)
        return value > 0 and value <= np.uint64(high)
    if check == ROLL:
        return big_endian(data, start + 1, 4) < np.uint64(MOST_PAGE)
    if check == DATE:
        value = np.int64(big_endian(data, start, 3))
        value &= 0x7FFFFF
        return value == 0 or is_date(value >> 9, value >> 5 & 15, value & 31)
    if check == DATETIME:
        value = np.int64(big_endian(data, start, 5)) - (1 << 39)
        if value == 0:
            return True
        month, clock = value >> 22, value & 0x1FFFF
        day = is_date(month // 13, month % 13, value >> 17 & 31)
        return value > 0 and day and clock >> 12 < 24 and clock >> 6 & 63 < 60 and clock & 63 < 60
    if check in {ENUM, LIMIT}:
        value = big_endian(data, start, length)
        return value >= np.uint64(low) and value <= np.uint64(high)
    if check == UTF8:
        return _utf8(data, start, start + length)
    if check == ASCII:
        return _printable(data, start, start + length)
    if check == DECIMAL:
        return _groups(data, start, low, high)
    if check == CLOCK:
        value = abs(np.int64(big_endian(data, start, 3)) - (1 << 23))
        return value >> 12 <= 839 and value >> 6 & 63 < 60 and value & 63 < 60
    return True


@njit(cache=True, nogil=True)
def _header(data, base, size, origin, compact, instant):  # type: ignore[no-untyped-def]
    """Return whether the bytes in front of ``origin`` may be the header of a record of a leaf."""
    first = data[origin - 5] if compact else data[origin - 6]
    allowed = 0xE0 if instant and compact else 0x20
    if first & 0xF0 & ~np.uint8(allowed) or first & 15 > 8:
        return False
    if compact:
        status = data[origin - 3] & 7
        if status != 0 and not (instant and status == STATUS_INSTANT):
            return False
        heap = (np.int64(data[origin - 4]) << 8 | np.int64(data[origin - 3])) >> 3
    else:
        heap = (np.int64(data[origin - 5]) << 8 | np.int64(data[origin - 4])) >> 3
    following = step(data, base, size, origin - base, compact)
    last = SUPREMUM if compact else OLD_SUPREMUM
    inside = following == last or FIRST <= following < size - 8
    return inside and 2 <= heap < size // 8 and following != origin - base


@njit(cache=True, nogil=True)
def candidates(data, size, bases, form, plan, checks, room):  # type: ignore[no-untyped-def]  # noqa: C901, PLR0912
    """List what may be records.

    ``form`` says whether records are compact and whether columns came or went instantly; ``checks`` are
    three arrays by field: which check, and its two bounds. ``room`` is filled: origins, owners, begins and
    ends by record, and starts, lengths and outside as of ``locate``. Returns how many records were listed.
    """
    compact, instant = form
    origins, owners, begins, ends, starts, lengths, outside = room
    count = 0
    codes, lows, highs = checks
    fields = len(codes)
    for page in range(len(bases)):
        base = bases[page]
        for origin in range(base + FIRST, base + size - 8):
            if count >= len(origins):
                return count
            if not _header(data, base, size, origin, compact, instant):
                continue
            if compact:
                begin, end = compact_fields(data, base, size, origin, plan, starts, lengths, outside, count)
            else:
                if (np.int64(data[origin - 4]) << 8 | np.int64(data[origin - 3])) >> 1 & 0x3FF != plan[4][0]:
                    continue
                begin, end = redundant_fields(data, base, size, origin, plan, starts, lengths, outside, count)
            if begin < base + FIRST - 30 or end - origin < 13:
                continue
            good = True
            for field in range(fields):
                length = lengths[field, count]
                if length < 0 or codes[field] == NONE:
                    continue
                if outside[field, count]:
                    length -= 20
                start = starts[field, count]
                if not _plausible(data, start, length, codes[field], lows[field], highs[field]):
                    good = False
                    break
            if good:
                origins[count] = origin
                owners[count] = page
                begins[count] = begin
                ends[count] = end
                count += 1
    return count


@njit(cache=True, nogil=True)
def _neighbours(data, base, size, compact, origins, begins, ends, first, last, one):  # type: ignore[no-untyped-def]  # noqa: PLR0913, PLR0917
    """Return how a candidate goes with the others of its page: links, and whether one follows at once."""
    links = 0
    followed = False
    following = base + step(data, base, size, origins[one] - base, compact)
    for other in range(first, last):
        if other == one:
            continue
        if origins[other] == following:
            links += 1
        if base + step(data, base, size, origins[other] - base, compact) == origins[one]:
            links += 1
        if begins[other] == ends[one]:
            followed = True
            links += 1
        if ends[other] == begins[one]:
            links += 1
    return links, followed


@njit(cache=True, nogil=True)
def _clean(base, size, begin, end, noise):  # type: ignore[no-untyped-def]
    """Return whether a record and a sector behind it are out of the noise; -1 where noise is inside it."""
    first, last = (begin - base) // SECTOR, (end - 1 - base) // SECTOR
    for sector in range(first, last + 1):
        if noise[sector] and (sector + 1) * SECTOR <= end - base and sector * SECTOR >= begin - base:
            return -1
    for sector in range(first, min(last + 2, size // SECTOR)):
        if noise[sector]:
            return 0
    return 1


@njit(cache=True, nogil=True)
def key_hashes(data, starts, lengths, key, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` with a hash of the first ``key`` fields of each record (FNV-1a with their lengths)."""
    prime = np.uint64(0x100000001B3)
    for row in range(starts.shape[1]):
        value = np.uint64(0xCBF29CE484222325)
        for field in range(key):
            length = max(lengths[field, row], 0)
            value = (value ^ np.uint64(length)) * prime
            for at in range(starts[field, row], starts[field, row] + length):
                value = (value ^ np.uint64(data[at])) * prime
        out[row] = value


@njit(cache=True, nogil=True)
def _heap(data, origin, compact):  # type: ignore[no-untyped-def]
    """Return the number that a record has on its page."""
    at = origin - 4 if compact else origin - 5
    return (np.int64(data[at]) << 8 | np.int64(data[at + 1])) >> 3


@njit(cache=True, nogil=True)
def given_up(data, size, bases, compact, origins, owners, results):  # type: ignore[no-untyped-def]
    """Take back the results of candidates whose links lead to the end of what the page has given up.

    A page keeps the rows that were moved to another page, or deleted, in a list that ends with no link.
    """
    last = SUPREMUM if compact else OLD_SUPREMUM
    for one in range(len(origins)):
        base = bases[owners[one]]
        at = origins[one] - base
        for _ in range(MOST_WALKED):
            if u16(data, base + at - 2) == 0:
                info = data[base + at - 5] if compact else data[base + at - 6]
                status = data[base + at - 3] & 7 if compact else 0
                if info & 0xDF <= 8 and status == 0 and _heap(data, base + at, compact) >= 2:
                    results[one] = UNLINKED
                break
            if not _header(data, base, size, base + at, compact, False):
                break
            at = step(data, base, size, at, compact)
            if at == last:
                break


@njit(cache=True, nogil=True)
def _header_behind(data, base, size, end, heap, compact, plan, scratch):  # type: ignore[no-untyped-def]  # noqa: PLR0913, PLR0917
    """Return whether the header of the next record on the page begins at ``end``.

    It does so where the next record itself runs into the damage, and shows that there is none before it.
    """
    starts, lengths, outside = scratch
    if not compact:
        return False
    for origin in range(end + 5, min(end + 5 + 4 * len(plan[0]), base + size - 8)):
        if _heap(data, origin, compact) == heap + 1 and _header(data, base, size, origin, compact, False):
            begin, _ = compact_fields(data, base, size, origin, plan, starts, lengths, outside, 0)
            if begin == end:
                return True
    return False


@njit(cache=True, nogil=True)
def judge(data, size, bases, compact, plan, noises, origins, owners, begins, ends, results):  # type: ignore[no-untyped-def]  # noqa: C901, PLR0913, PLR0917
    """Fill ``results`` with what each candidate is worth.

    ``noises`` holds for each page which sectors look random. A candidate that overlaps a better linked
    one is worth nothing; of two that are linked alike neither is.
    """
    fields = len(plan[0])
    scratch = (
        np.zeros((fields, 1), np.int64),
        np.zeros((fields, 1), np.int32),
        np.zeros((fields, 1), np.uint8),
    )
    count = len(origins)
    links = np.zeros(count, np.int64)
    first = 0
    for one in range(count):
        page = owners[one]
        base = bases[page]
        if one == 0 or owners[one - 1] != page:
            first = one
        last = one
        while last < count and owners[last] == page:
            last += 1
        found, followed = _neighbours(data, base, size, compact, origins, begins, ends, first, last, one)
        links[one] = found
        clean = _clean(base, size, begins[one], ends[one], noises[page])
        results[one] = UNLINKED
        if clean == 0 and not followed:
            heap = _heap(data, origins[one], compact)
            followed = _header_behind(data, base, size, ends[one], heap, compact, plan, scratch)
        if found and clean >= 0 and (followed or clean == 1):
            results[one] = PROVEN if followed and found > 1 else LINKED
    for one in range(count - 1):
        other = one + 1
        while other < count and owners[other] == owners[one] and begins[other] < ends[one]:
            if links[other] >= links[one]:
                results[one] = UNLINKED
            if links[one] >= links[other]:
                results[other] = UNLINKED
            other += 1
