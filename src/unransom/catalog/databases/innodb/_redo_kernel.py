"""The redo log of MariaDB 10.8 and later, and its records; compiled, import it only where needed.

The log is a ring of mini-transactions. Each is a run of records, a byte 0 or 1 that changes from one round to
the next, and the CRC-32C of the records. A record has a type, a length, the numbers of a space and of a page,
and what is to be done to that page. Sizes and offsets are numbers of 1 to 5 bytes.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unransom.catalog.databases.innodb._redo_page_kernel import TYPE, extended, make_empty, varint, written

MOST_TRANSACTION = 1 << 20  # bytes
TRAILER = 5  # bytes behind the records: the byte that ends them, and the checksum
MOST_SOUGHT, MOST_SPENT = 2048, 512  # bytes of the one that is looked for; steps for a byte
SECTOR = 512
SAME_PAGE = 0x80  # flag of a record: of the page of the record before
FREE_PAGE, INIT_PAGE, EXTENDED = 0, 1, 2  # types of records
RESERVED, OPTION = 6, 7
UNWANTED, UNKNOWN = -1, -2  # instead of where a page is kept


def _crc_table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ np.uint32(0x82F63B78), table >> 1).astype(np.uint32)
    return table


CRC = _crc_table()


@njit(cache=True, nogil=True)
def _length(data, at, end):  # type: ignore[no-untyped-def]
    """Return where the body of the record at ``at`` begins and where it ends; -1 for both of what is none."""
    size = np.int64(data[at] & 15)
    if size:
        return at + 1, at + 1 + size
    more, begin = varint(data, at + 1, end)
    if more < 0 or more > MOST_TRANSACTION:
        return -1, -1
    return begin, at + 1 + more + 15


@njit(cache=True, nogil=True)
def transaction_end(data, at, end):  # type: ignore[no-untyped-def]
    """Return where the records of the mini-transaction at ``at`` end; -1 where none is."""
    start = at
    while at < end and at - start < MOST_TRANSACTION:
        if data[at] <= 1:
            return at if at > start else -1
        if data[at] >> 4 & 7 == RESERVED:
            return -1
        _, at = _length(data, at, end)
        if at < 0:
            return -1
    return -1


@njit(cache=True, nogil=True)
def _is_summed(data, at, stop, stored_at):  # type: ignore[no-untyped-def]
    """Return whether the CRC-32C from ``at`` to ``stop`` is what stands at ``stored_at``."""
    crc = np.int64(0xFFFFFFFF)
    for place in range(at, stop):
        crc = np.int64(CRC[(crc ^ np.int64(data[place])) & 0xFF]) ^ crc >> 8
    stored = np.int64(0)
    for place in range(stored_at, stored_at + 4):
        stored = stored << 8 | np.int64(data[place])
    return crc ^ 0xFFFFFFFF == stored


@njit(cache=True, nogil=True)
def is_sound(data, at, stop):  # type: ignore[no-untyped-def]
    """Return whether the checksum of the records from ``at`` to ``stop`` holds."""
    return stop + TRAILER <= len(data) and _is_summed(data, at, stop, stop + 1)


@njit(cache=True, nogil=True)
def sound_blocks(data):  # type: ignore[no-untyped-def]
    """Return which sectors of a log of MariaDB 10.5 to 10.7 have a checksum that holds."""
    sound = np.zeros(len(data) // SECTOR, np.bool_)
    for place in range(len(sound)):
        end = (place + 1) * SECTOR - 4
        sound[place] = _is_summed(data, place * SECTOR, end, end)
    return sound


@njit(cache=True, nogil=True)
def chain(data, at, bit):  # type: ignore[no-untyped-def]
    """Return where the sound mini-transactions from ``at`` on end, and the byte that ends each.

    The byte is the same of all; ``bit`` is that of those before, or -1.
    """
    while True:
        stop = transaction_end(data, at, len(data))
        if stop < 0 or (bit >= 0 and data[stop] != bit) or not is_sound(data, at, stop):
            return at, bit
        bit = np.int64(data[stop])
        at = stop + TRAILER


@njit(cache=True, nogil=True)
def whole(data, trailer):  # type: ignore[no-untyped-def]
    """Return the bytes of the whole mini-transactions that ``data`` begins with."""
    at = 0
    while at < len(data):
        stop = transaction_end(data, at, len(data))
        if stop < 0 or stop + trailer > len(data):
            break
        at = stop + trailer
    return at


@njit(cache=True, nogil=True)
def next_start(data, at, noise):  # type: ignore[no-untyped-def]
    """Return where the next sound mini-transaction begins; the length of ``data`` where there is none.

    ``noise`` says which sectors look random: in these none is looked for. What takes much longer than a log
    does is given up.
    """
    spent = 0
    while at < len(data) and spent < MOST_SPENT * len(data):
        sector = at // SECTOR
        if sector < len(noise) and noise[sector]:
            at = (sector + 1) * SECTOR
            continue
        if data[at] > 1:
            end = min(at + MOST_SOUGHT, len(data))
            stop = transaction_end(data, at, end)
            spent += (end if stop < 0 else stop) - at
            if stop >= 0 and is_sound(data, at, stop):
                return at
        at += 1
    return len(data)


@njit(cache=True, nogil=True)
def replay(data, trailer, space, places, pages, frozen, used):  # type: ignore[no-untyped-def]  # noqa: C901, PLR0912
    """Do what whole mini-transactions say to the pages of one tablespace.

    ``places`` says by page number where in ``pages`` a page is kept, or why not; ``frozen`` by place whether
    mini-transactions are missing before these, so that only a page that begins anew can be gone on with;
    ``trailer`` is how many bytes end a mini-transaction. Returns how many places are used.
    """
    at = 0
    while at < len(data):
        stop = transaction_end(data, at, len(data))
        number, of_space, offset, named = np.int64(0), np.int64(-1), np.int64(0), False
        while at < stop:
            first = data[at]
            kind = first >> 4 & 7
            body, following = _length(data, at, stop)
            at = following
            if not (first & SAME_PAGE and named):
                of_space, body = varint(data, body, following)
                number, body = varint(data, body, following)
                named = first & SAME_PAGE == 0
                offset = np.int64(0)
                if not named:
                    continue  # about files
            if of_space != space or number < 0 or number >= len(places) or places[number] == UNWANTED:
                continue
            if kind == FREE_PAGE:
                if places[number] >= 0:
                    frozen[places[number]] = True
                    pages[places[number], :] = 0
                continue
            if kind == INIT_PAGE:
                if places[number] < 0 and used < len(pages):
                    places[number] = used
                    used += 1
                if places[number] >= 0:
                    make_empty(pages[places[number]], number, space)
                    frozen[places[number]] = False
                offset = np.int64(TYPE)
                continue
            if kind in {RESERVED, OPTION} or places[number] < 0:
                continue
            place = places[number]
            page = pages[place]
            good = not frozen[place]
            if good and kind == EXTENDED:
                good = extended(page, data, body, following)
                offset = np.int64(TYPE)
            elif good:
                offset = written(page, kind, offset, data, body, following)
                good = offset >= 0
            if not good:
                frozen[place] = True
                page[:] = 0
        at = stop + trailer
    return used
