"""Pages of SQL Server made anew: with a header, records in slots, and a checksum that holds."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.mssql.pages import FIRST_RECORD, Kind
from unransom.catalog.formats.mssql import CHECKSUM, HEADER, PAGE, TORN, checksums

SYSTEM = 99  # object number of pages that are no table's
FREE_SPACE_RECORD = bytes((0, 0, 0x9C, 0x1F))  # in front of a byte for each of 8088 pages
BITMAP_HEAD = bytes((0, 0, 0x5E, 0)) + bytes(90)  # first record of a page of bits for extents
BITMAP_RECORD = bytes((0, 0, 0x38, 0x1F))  # in front of a bit for each of 63904 extents
BITMAP_BYTES = 7988
HEADER_VALUES = (  # bytes of the variable columns of the file header's record, where they are not empty
    {0: 16, 2: 2, 3: 2, 17: 28, 21: 16, 23: 16, 28: 16, 35: 16, 40: 28, 42: 16, 43: 28, 44: 8, 45: 600}
    | dict.fromkeys((4, 5, 6, 7, 12, 13, 14, 15, 24), 4)
    | dict.fromkeys((8, 9, 10, 16, 18, 19, 20, 22, 25, 38, 39, 41), 10)
)
HEADER_COLUMNS, HEADER_NAME = 47, 27
NO_LIMIT = 0xFFFFFFFF
BOOT_FIXED, BOOT_BASE = 1444, 4  # bytes of the boot record, and of its head
ONLINE = 0x4001000D  # status of a database as found in real ones


def new_header(
    number: int, kind: Kind, owner: tuple[int, int] = (SYSTEM, 0), file: int = 1
) -> NDArray[np.void]:
    """Return the header of an empty page: one element of ``HEADER``.

    Args:
        number: Of the page.
        kind: What it is used for.
        owner: Object and index number.
        file: Of the database.
    """
    header = np.zeros(1, HEADER)
    header["version"], header["type"], header["flags"] = 1, kind, CHECKSUM
    header["page"], header["file"] = number, file
    header["object"], header["index"] = owner
    header["lsn_slot"] = 1
    return header


def page(header: NDArray[np.void], records: Sequence[bytes]) -> bytes:
    """Return the page with ``records`` in its slots; what does not fit is left out.

    Args:
        header: One element of ``HEADER``; what records decide is filled in.
        records: In the order of the slots.
    """
    out = bytearray(PAGE)
    at, slots = FIRST_RECORD, 0
    for record in records:
        if at + len(record) + 2 * (slots + 1) > PAGE:
            break
        out[at : at + len(record)] = record
        slots += 1
        struct.pack_into("<H", out, PAGE - 2 * slots, at)
        at += len(record)
    header = header.copy()
    header["slots"], header["free"], header["free_count"] = slots, at, PAGE - at - 2 * slots
    header["ghosts"] = header["reserved"] = 0
    out[: HEADER.itemsize] = header.tobytes()
    return sealed(bytes(out))


def sealed(data: bytes) -> bytes:
    """Return a page with a checksum that holds, instead of whatever protection it had."""
    out = np.frombuffer(data, np.uint8).reshape(1, PAGE).copy()
    header = out[:, : HEADER.itemsize].copy().view(HEADER)[:, 0]
    header["flags"] = header["flags"] & ~np.uint16(TORN) | np.uint16(CHECKSUM)
    out[0, : HEADER.itemsize] = np.frombuffer(header.tobytes(), np.uint8)
    out[0, 60:64] = np.frombuffer(checksums(out).astype("<u4").tobytes(), np.uint8)
    return out.tobytes()


def free_space(number: int, uses: NDArray[np.uint8], file: int) -> bytes:
    """Return the page that says of the 8088 pages from a multiple of that on how they are used."""
    return page(new_header(number, Kind.PFS, file=file), [FREE_SPACE_RECORD + uses.tobytes()])


def bitmap(number: int, kind: Kind, bits: NDArray[np.bool_], file: int) -> bytes:
    """Return a page with a bit for each extent."""
    packed = np.packbits(bits, bitorder="little").tobytes()[:BITMAP_BYTES].ljust(BITMAP_BYTES, b"\0")
    header = new_header(number, kind, file=file)
    header["fixed"] = len(BITMAP_HEAD) - 4
    return page(header, [BITMAP_HEAD, BITMAP_RECORD + packed])


def file_header(file: int, pages: int, name: str, binding: bytes) -> bytes:
    """Return page 0.

    Args:
        file: Number of the file.
        pages: In it.
        name: Logical name of the file.
        binding: What all files of the database have in common, 16 bytes.
    """
    values = {number: bytes(size) for number, size in HEADER_VALUES.items()}
    values |= {0: binding, 2: struct.pack("<H", file), 3: struct.pack("<H", 1)}
    values |= {number: struct.pack("<I", pages) for number in (4, 12)}
    values |= {number: struct.pack("<I", NO_LIMIT) for number in (5, 14)}
    values |= {6: struct.pack("<I", 128), 15: struct.pack("<I", 512)}
    values[HEADER_NAME] = name.encode("utf-16-le")[:256]
    count = max(values) + 1
    head = struct.pack("<BBHI", 0x30, 0, 8, 0) + struct.pack("<H", HEADER_COLUMNS)
    head += bytes((HEADER_COLUMNS + 7) // 8) + struct.pack("<H", count)
    end, ends = len(head) + 2 * count, []
    for number in range(count):
        end += len(values.get(number, b""))
        ends.append(end)
    body = b"".join(values.get(number, b"") for number in range(count))
    return page(new_header(0, Kind.FILE_HEADER, file=file), [head + struct.pack(f"<{count}H", *ends) + body])


def boot(version: int, name: str, first: tuple[int, int]) -> bytes:
    """Return page 9 with the little that can be known: the version, the name, where the catalogue begins.

    Args:
        version: Of the database, e.g. 655 for SQL Server 2008.
        name: Of the database.
        first: Page and file of the first page of the table of allocation units.
    """
    record = bytearray(BOOT_FIXED)
    struct.pack_into("<BBHHH", record, 0, 0, 0, BOOT_FIXED, version, version)
    struct.pack_into("<I", record, BOOT_BASE + 32, ONLINE)
    record[BOOT_BASE + 48 : BOOT_BASE + 304] = name[:128].ljust(128).encode("utf-16-le")[:256]
    struct.pack_into("<IH", record, BOOT_BASE + 512, *first)
    return page(new_header(9, Kind.BOOT), [bytes(record)])
