"""All large values of a small SQL Server file, by walking its text pages: nothing of the program is used."""

import struct

PAGE = 8192
TEXT_PAGES = (3, 4)
SMALL_ROOT, INTERNAL, DATA, LARGE_ROOTS = 0, 2, 3, (4, 5)


def values(data):
    """Return the value of every root record, in the order of the pages."""
    pages = _pages(data)
    found = []
    for number, page in pages.items():
        for slot in range(struct.unpack_from("<H", page, 22)[0] if page[1] in TEXT_PAGES else 0):
            if struct.unpack_from("<H", page, PAGE - 2 - 2 * slot)[0]:
                record = _record(pages, number, slot)
                if _kind(record) in (SMALL_ROOT, *LARGE_ROOTS):
                    found.append(_value(pages, record))
    return found


def _pages(data):
    """Return the pages by number, with the bits that torn-page detection has replaced."""
    found = {}
    for start in range(0, len(data) - PAGE + 1, PAGE):
        page = bytearray(data[start : start + PAGE])
        flags, kept = struct.unpack_from("<H", page, 4)[0], struct.unpack_from("<I", page, 60)[0]
        for sector in range(1, 16) if flags & 0x100 else ():
            page[sector * 512 + 511] = page[sector * 512 + 511] & 0xFC | kept >> 2 * sector & 3
        if page[0] == 1:
            found[struct.unpack_from("<I", page, 32)[0]] = bytes(page)
    return found


def _record(pages, number, slot):
    page = pages[number]
    (at,) = struct.unpack_from("<H", page, PAGE - 2 - 2 * slot)
    return page[at + 4 : at + struct.unpack_from("<H", page, at + 2)[0]]


def _kind(record):
    return struct.unpack_from("<H", record, 8)[0]


def _value(pages, record):
    kind = _kind(record)
    if kind == SMALL_ROOT:
        return record[16 : 16 + struct.unpack_from("<H", record, 10)[0]]
    if kind == DATA:
        return record[10:]
    first, form = (16, "<QIHH") if kind == INTERNAL else (20, "<IIHH")
    links = struct.unpack_from("<H", record, 12)[0]
    places = (struct.unpack_from(form, record, first + struct.calcsize(form) * n) for n in range(links))
    return b"".join(_value(pages, _record(pages, page, slot)) for _, page, _, slot in places)
