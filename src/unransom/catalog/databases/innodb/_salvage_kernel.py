"""Records in pages whose checksum does not hold; compiled, import it only where needed.

Every offset is tried as the start of a record. What is kept must have a header, lengths, a transaction
number, a roll pointer and values that the table's definition allows, must be linked with or lie against
another such record, and must be shown to end before the damage begins.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from unransom.catalog.databases.innodb._plausible_kernel import NONE, plausible
from unransom.catalog.databases.innodb._record_kernel import (
    INFIMUM,
    MOST_WALKED,
    OLD_INFIMUM,
    OLD_SUPREMUM,
    STATUS_INSTANT,
    SUPREMUM,
    compact_fields,
    redundant_fields,
    step,
    u16,
)

SECTOR = 512
NOISY = 190  # different bytes in a sector; 512 random bytes have 221 on average, text far fewer
CELL, WINDOW = 64, 4  # bytes; cells that are looked at together to tell where noise begins
NOISY_WINDOW = 132  # different bytes in a window; 256 random bytes have 162 on average
QUIET, EDGE, INSIDE, BLANK = range(4)
FIRST = 120  # no record begins before
MOST_OWNED = 9  # records behind one until the next that a slot names, and that
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
                if not plausible(data, start, length, codes[field], lows[field], highs[field]):
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
def noise(data, base, size, out):  # type: ignore[no-untyped-def]  # noqa: C901
    """Fill ``out`` with what each cell of a page is: ``QUIET``, ``BLANK``, ``EDGE``, ``INSIDE``."""
    counts = np.zeros(256, np.int32)
    different = 0
    out[:] = QUIET
    for cell in range(size // CELL):
        if cell >= WINDOW:
            for at in range(base + (cell - WINDOW) * CELL, base + (cell - WINDOW + 1) * CELL):
                counts[data[at]] -= 1
                different -= counts[data[at]] == 0
        for at in range(base + cell * CELL, base + (cell + 1) * CELL):
            different += counts[data[at]] == 0
            counts[data[at]] += 1
        if different >= NOISY_WINDOW:
            for covered in range(max(cell - WINDOW + 1, 0), cell + 1):
                out[covered] += 1
    for cell in range(size // CELL):
        out[cell] = QUIET if out[cell] == 0 else EDGE if out[cell] < WINDOW - 1 else INSIDE
        if out[cell] == QUIET and not data[base + cell * CELL : base + (cell + 1) * CELL].any():
            out[cell] = BLANK


@njit(cache=True, nogil=True)
def _clean(base, size, begin, end, cells):  # type: ignore[no-untyped-def]
    """Return whether a record and a cell behind it are out of the noise; -1 where noise is inside it.

    A blank cell that it covers may be damage too; one behind it is what a page has left.
    """
    first, last = (begin - base) // CELL, (end - 1 - base) // CELL
    result = 1
    for cell in range(first, min(last + 2, size // CELL)):
        if cells[cell] == INSIDE and first < cell < last:
            return -1
        if cells[cell] != QUIET and not (cells[cell] == BLANK and cell > last):
            result = 0
    return result


@njit(cache=True, nogil=True)
def _touches_zeros(data, begin, end, base, size):  # type: ignore[no-untyped-def]
    """Return whether a record begins or ends in zeros that go on beyond it, and may have taken bytes."""
    before, behind = max(begin - CELL, base), min(end + CELL, base + size)
    return not data[before : begin + 1].any() or not data[end - 1 : behind].any()


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
def given_up(data, size, bases, heads, compact, origins, owners, results, kept):  # type: ignore[no-untyped-def]  # noqa: PLR0913, PLR0917
    """Take back the results of candidates that their page has given up, and tell in ``kept`` which it keeps.

    A page keeps the rows that were moved to another page, or deleted, in a list of its own. Where its header
    is whole (``heads``), it says whether there are any, and where that list and the table begin. Those in the
    table are linked with the slots of the directory; where that is lost, those count as given up whose links
    lead to one that has none, and of those whose links lead into the damage nothing tells.
    """
    infimum = INFIMUM if compact else OLD_INFIMUM
    listed, freed = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    first = 0
    while first < len(origins):
        page = owners[first]
        last = first
        while last < len(origins) and owners[last] == page:
            last += 1
        base = bases[page]
        whole = heads[page]
        if whole and u16(data, base + 44) == 0:
            kept[first:last] = True
            first = last
            continue
        listed[:] = False
        freed[:] = False
        if whole:
            _follow(data, base, size, u16(data, base + 44), compact, freed, MOST_WALKED)
        slots = _slots(data, base, size, compact, listed)
        if whole:  # only now: what it marks would look like the end of the slots
            _follow(data, base, size, step(data, base, size, infimum, compact), compact, listed, MOST_WALKED)
        for one in range(first, last):
            at = origins[one] - base
            kept[one] = _reaches(data, base, size, at, compact, listed, MOST_OWNED if slots else MOST_WALKED)
            if not kept[one] and (slots or freed[at] or _ends_nowhere(data, base, size, at, compact)):
                results[one] = UNLINKED
        first = last


@njit(cache=True, nogil=True)
def _slots(data, base, size, compact, listed):  # type: ignore[no-untyped-def]
    """Mark what the slots of a directory name, and what these lead to; returns how many slots are whole."""
    infimum, supremum = (INFIMUM, SUPREMUM) if compact else (OLD_INFIMUM, OLD_SUPREMUM)
    if u16(data, base + size - 10) != infimum:
        return 0
    count = 1
    for place in range(1, size // 8):
        origin = u16(data, base + size - 10 - 2 * place)
        if origin == supremum or not FIRST <= origin < size - 8 or listed[origin]:
            break
        if not _header(data, base, size, base + origin, compact, True):
            continue
        count += 1
        listed[origin] = True
    for origin in range(FIRST, size - 8):
        if listed[origin]:
            _follow(data, base, size, step(data, base, size, origin, compact), compact, listed, MOST_OWNED)
    return count


@njit(cache=True, nogil=True)
def _follow(data, base, size, at, compact, listed, most):  # type: ignore[no-untyped-def]
    """Mark the record at ``at`` and those behind it in its list, as far as their headers are whole."""
    for _ in range(most):
        if (
            not FIRST <= at < size - 8
            or listed[at]
            or not _header(data, base, size, base + at, compact, True)
        ):
            return
        listed[at] = True
        at = step(data, base, size, at, compact)


@njit(cache=True, nogil=True)
def _reaches(data, base, size, at, compact, listed, most):  # type: ignore[no-untyped-def]
    """Return whether a record is in the table, or those behind it lead to one that is, or to the end."""
    last = SUPREMUM if compact else OLD_SUPREMUM
    for _ in range(most):
        if at == last:
            return True
        if not FIRST <= at < size - 8:
            return False
        if listed[at]:
            return True
        if not _header(data, base, size, base + at, compact, True):
            return False
        at = step(data, base, size, at, compact)
    return False


@njit(cache=True, nogil=True)
def _ends_nowhere(data, base, size, at, compact):  # type: ignore[no-untyped-def]
    """Return whether the records behind ``at`` lead to one that names none, as those that were given up."""
    last = SUPREMUM if compact else OLD_SUPREMUM
    for _ in range(MOST_WALKED):
        if u16(data, base + at - 2) == 0:
            info = data[base + at - 5] if compact else data[base + at - 6]
            status = data[base + at - 3] & 7 if compact else 0
            return info & 0xDF <= 8 and status == 0 and _heap(data, base + at, compact) >= 2
        if not _header(data, base, size, base + at, compact, False):
            return False
        at = step(data, base, size, at, compact)
        if at == last:
            return False
    return False


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

    ``noises`` holds for each page what ``noise`` says of its cells. A candidate that overlaps a better linked
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
        if clean == 1 and _touches_zeros(data, begins[one], ends[one], base, size):
            clean = 0
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
