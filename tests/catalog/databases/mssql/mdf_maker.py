"""Small SQL Server data files, made here from the public descriptions of their layout.

What it writes was held against the real files of ../shared/data: the reader that reads those reads these.
"""

from __future__ import annotations

import struct

PAGE = 8192
DATA, TEXT_MIX, IAM, PFS, BOOT, FILE_HEADER = 1, 3, 10, 11, 13, 15


def record(fixed=b"", columns=0, nulls=(), values=None, status=0x10, complexes=()):
    """Return a plain record; ``fixed`` starts behind the four bytes of its head."""
    bitmap = bytearray((columns + 7) // 8)
    for bit in nulls:
        bitmap[(bit - 1) // 8] |= 1 << (bit - 1) % 8
    out = struct.pack("<BBH", status | (0x20 if values else 0), 0, 4 + len(fixed)) + fixed
    out += struct.pack("<H", columns) + bitmap
    if values:
        end = len(out) + 2 + 2 * len(values)
        out += struct.pack("<H", len(values))
        for number, value in enumerate(values):
            end += len(value)
            out += struct.pack("<H", end | (0x8000 if number in complexes else 0))
        out += b"".join(values)
    return out


def compressed(values):
    """Return a compressed record of raw values: bytes, None, True for a bit, or the number of a symbol."""
    codes, short, long = [], b"", []
    for value in values:
        if value is None:
            codes.append(0)
        elif value is True:
            codes.append(11)
        elif isinstance(value, int):
            codes.append(12)
            short += bytes((value,))
        elif len(value) <= 8:
            codes.append(1 + len(value))
            short += value
        else:
            codes.append(10)
            long.append(value)
    pairs = [*codes, *[0] * (len(codes) % 2)]
    packed = bytes(low | high << 4 for low, high in zip(pairs[::2], pairs[1::2], strict=True))
    count = len(values)
    assert count <= 30  # more would need clusters
    out = bytes((0x01 | (0x20 if long else 0), count)) + packed + short
    if long:
        ends = [sum(map(len, long[: n + 1])) for n in range(len(long))]
        out += struct.pack(f"<BH{len(ends)}H", 1, len(ends), *ends) + b"".join(long)
    return out


def compression_info(anchor, entries):
    """Return what stands before the records of a page with page compression."""
    row = compressed(anchor)
    start = 7 + len(row)
    base = 2 + 2 * len(entries)
    ends = [base + sum(map(len, entries[: n + 1])) for n in range(len(entries))]
    table = struct.pack(f"<H{len(ends)}H", len(entries), *ends) + b"".join(entries)
    return struct.pack("<BHHH", 6, 3, start, start + len(table)) + row + table


def page(number, kind, owner, records, *, index=0, info=b"", protection="checksum", lsn=(30, 100, 1), file=1):
    """Return a page with ``records`` in its slots."""
    out = bytearray(PAGE)
    out[96 : 96 + len(info)] = info
    at, slots = 96 + len(info), []
    for row in records:
        out[at : at + len(row)] = row
        slots.append(at)
        at += len(row)
    assert at + 2 * len(slots) <= PAGE
    for slot, place in enumerate(slots):
        struct.pack_into("<H", out, PAGE - 2 - 2 * slot, place)
    flags = {"checksum": 0x200, "torn": 0x100, "none": 0}[protection]
    fixed = struct.unpack_from("<H", records[0], 2)[0] if records and not records[0][0] & 1 else 5
    struct.pack_into("<BBBBHH", out, 0, 1, kind, 0x80 if info else 0, 0, flags, index)
    struct.pack_into("<H", out, 14, fixed)
    struct.pack_into("<HIHHIH", out, 22, len(slots), owner, PAGE - at - 2 * len(slots), at, number, file)
    struct.pack_into("<IIH", out, 40, *lsn)
    return seal(out, protection)


def seal(out, protection):
    """Put the checksum or the torn-page bits into a page."""
    if protection == "checksum":
        total = 0
        for sector in range(16):
            value = 0
            for word in struct.unpack_from("<128I", out, sector * 512):
                value ^= word
            turn = 15 - sector
            total ^= (value << turn | value >> (32 - turn)) & 0xFFFFFFFF
        struct.pack_into("<I", out, 60, total)
    elif protection == "torn":
        kept = 1
        for sector in range(1, 16):
            last = sector * 512 + 511
            kept |= (out[last] & 3) << 2 * sector
            out[last] = out[last] & 0xFC | 1
        struct.pack_into("<I", out, 60, kept)
    return bytes(out)


def blob(kind, payload):
    """Return a record of a LOB page."""
    body = struct.pack("<QH", 77, kind) + payload
    return struct.pack("<BBH", 0x08, 0, 4 + len(body)) + body


def data_blob(value):
    return blob(3, value)


def small_root(value):
    return blob(0, struct.pack("<HI", len(value), 0) + value)


def text_pointer(number, slot, file=1):
    return struct.pack("<IIIHH", 9, 0, number, file, slot)


def inline_root(links, kind=4):
    """Return a pointer in a row to parts: pairs of length so far, page and slot."""
    return struct.pack("<BBHII", kind, 0, 1, 7, 0) + b"".join(
        struct.pack("<IIHH", end, number, 1, slot) for end, number, slot in links
    )


def sparse(values):
    """Return a sparse vector of column numbers and values."""
    numbers, parts = list(values), list(values.values())
    start = 4 + 4 * len(parts)
    ends = [start + sum(map(len, parts[: n + 1])) for n in range(len(parts))]
    return struct.pack(f"<HH{len(parts)}H{len(ends)}H", 5, len(parts), *numbers, *ends) + b"".join(parts)


def extent_map(number, owner, extents, *, singles=(), lsn=(30, 100, 1)):
    """Return an IAM page of ``owner``: which extents, and which pages of shared ones, are its."""
    bits = bytearray(7988)
    for extent in extents:
        bits[extent // 8] |= 1 << extent % 8
    slots = b"".join(struct.pack("<IH", single, 1) for single in singles).ljust(48, b"\0")
    head = struct.pack("<BBHI32xIH", 0, 0, 94, 0, 0, 1) + slots
    return page(number, IAM, owner, [head, struct.pack("<BBH", 0, 0, 7992) + bits], index=256, lsn=lsn)


def linked(data, previous, following):
    """Return a page with a checksum that names its neighbours, 0 for none."""
    out = bytearray(data)
    for place, number in ((8, previous), (16, following)):
        struct.pack_into("<IH", out, place, number, number > 0)
    out[60:64] = bytes(4)
    return seal(out, "checksum")


class Database:
    """A data file that grows table by table."""

    def __init__(self, protection="checksum"):
        self.pages = {}
        self.freed = set()  # numbers of pages that were given back
        self._protection = protection
        self._rows = {number: [] for number in (3, 5, 7, 34, 41, 64)}
        self._next_object, self._next_unit, self._next_page = 1000, 300, 40
        self._rows[64].append(record(struct.pack("<BIH2sI16x", 50, 1, 0, b"SC", 0), 8, (), [_name("dbo")]))

    def table(self, name, columns, key=(), rows=0):
        """Declare a table; columns are tuples of name, type, length, precision, scale, place, null bit, more.

        ``rows`` is what the server counts.

        Returns the number that its pages bear.
        """
        number, unit = self._next_object, self._next_unit
        self._next_object, self._next_unit = number + 16, unit + 1
        rowset = 1 << 56 | unit << 16
        allocation = 256 << 48 | unit << 16
        self._rows[34].append(
            record(struct.pack("<iiBi2siBi16x", number, 1, 0, 0, b"U ", 0, 1, 0)[:40], 11, (), [_name(name)])
        )
        self._rows[5].append(record(struct.pack("<qBiiiihqB17x", rowset, 1, number, 0, 1, 0, 0, rows, 0), 18))
        self._rows[7].append(record(struct.pack("<qBqiH18x24x", allocation, 1, rowset, 0, 1), 12))
        for order, column in enumerate(columns, 1):
            title, kind, length, precision, scale, place, null_bit, *more = column
            extra = dict(more)
            status = extra.get("status", 0)
            rest = {106: precision | scale << 8, 108: precision | scale << 8, 41: scale, 42: scale, 43: scale}
            ti = kind | rest.get(kind, length & 0xFFFF) << 8
            self._rows[41].append(
                record(
                    struct.pack("<ihiBihBBiih", number, 0, order, kind, extra.get("user", kind), length,
                                precision, scale, extra.get("collation", 0), 0, 0) + bytes(12), 16, (),
                    [_name(title)],
                )
            )  # fmt: skip
            self._rows[3].append(
                record(
                    struct.pack("<qiiqiihhihhhhh", rowset, order, order, 0, ti, 0,
                                key.index(title) + 1 if title in key else 0, 0, status, place, 0,
                                null_bit, 0, extra.get("bit", 0)), 13,
                )
            )  # fmt: skip
        return unit

    def add(self, unit, records, kind=DATA, **more):
        """Add a page of ``unit``; returns its number."""
        number = self._next_page
        self._next_page += 1
        more.setdefault("protection", self._protection)
        self.pages[number] = page(number, kind, unit, records, index=256, **more)
        return number

    def bytes(self):
        """Return the file."""
        pages, at = dict(self.pages), 16
        for owner, rows in self._rows.items():
            for start in range(0, len(rows), 40):
                index = 1 if owner in (34, 41, 64) else 0
                pages[at] = page(
                    at, DATA, owner, rows[start : start + 40], index=index, protection=self._protection
                )
                at += 1
        assert at <= 40
        pages[0] = page(0, FILE_HEADER, 99, [record(b"", 1)], protection=self._protection)
        uses = bytearray(8088)
        for number in pages.keys() - self.freed:
            uses[number] = 0x40
        pages[1] = page(1, PFS, 99, [record(bytes(uses[:7990]), 1)], protection=self._protection)
        return b"".join(pages.get(number, bytes(PAGE)) for number in range(max(pages) + 1))


def _name(text):
    return text.encode("utf-16-le")
