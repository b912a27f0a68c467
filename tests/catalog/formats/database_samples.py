"""Small healthy database files, made here from the public descriptions of their layouts."""

from __future__ import annotations

import random
import sqlite3
import struct


def sqlite(page: int = 4096, rows: int = 600, *, vacuum: bool = False, encoding: str = "UTF-8") -> bytes:
    with sqlite3.connect(":memory:") as database:
        database.execute(f"pragma page_size={page}")
        database.execute(f"pragma auto_vacuum={int(vacuum)}")
        database.execute(f'pragma encoding="{encoding}"')
        database.execute("create table orders(id integer primary key, name text, price real, note blob)")
        database.execute("create index by_name on orders(name, price)")
        notes = (bytes(9000) if number % 200 == 7 else None for number in range(rows))
        lines = [(number, f"customer {number * 7919}", number / 3, next(notes)) for number in range(rows)]
        database.executemany("insert into orders values(?,?,?,?)", lines)
        database.commit()
        data = database.serialize()
    database.close()
    return data


def sqlite_with_long_records(page: int, rowid: str) -> bytes:
    """Return a database whose records go on on other pages, in one table of some levels and one of a page."""
    with sqlite3.connect(":memory:") as database:
        database.execute(f"PRAGMA page_size = {page}")
        database.execute(f"CREATE TABLE long (id TEXT PRIMARY KEY, note TEXT){rowid}")
        database.execute("CREATE TABLE short (a, b)")
        database.execute("INSERT INTO short VALUES (1, 'one')")
        rows = ((f"k{number:04d}", f"{number} " * (page if number % 9 == 0 else 30)) for number in range(90))
        database.executemany("INSERT INTO long VALUES (?, ?)", rows)
        database.commit()
        return database.serialize()


def last_of_records(data: bytes, page: int) -> set[int]:
    """Return the numbers of the pages on which long records end: no next one is named."""
    return {
        start // page + 1
        for start in range(page, len(data), page)
        if data[start : start + 4] == bytes(4)  # no page of a tree begins with them
    }


def sqlite_with_free_pages() -> bytes:
    with sqlite3.connect(":memory:") as database:
        database.execute("create table t(a blob)")
        database.executemany(
            "insert into t values(?)", ((random.Random(n).randbytes(9000),) for n in range(40))
        )
        database.execute("delete from t where rowid > 4")
        database.commit()
        data = database.serialize()
    database.close()
    return data


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def fold(data: bytes) -> int:
    value = 0
    for byte in data:
        value = (((value ^ byte ^ 1653893711) << 8) + value ^ 1463735687) + byte
    return value & 0xFFFFFFFF


def seal(page: bytearray, rule: str) -> bytes:
    """Put the checksum by ``rule`` into an InnoDB page."""
    if rule == "full_crc32":
        struct.pack_into(">I", page, len(page) - 4, crc32c(page[:-4]))
    elif rule == "compressed":
        struct.pack_into(">I", page, 0, crc32c(page[4:16]) ^ crc32c(page[24:26]) ^ crc32c(page[34:]))
    elif rule == "innodb":
        struct.pack_into(">I", page, 0, (fold(page[4:26]) + fold(page[38:-8])) & 0xFFFFFFFF)
        struct.pack_into(">I", page, len(page) - 8, fold(page[:26]))
    else:
        crc = 0xDEADBEEF if rule == "none" else crc32c(page[4:26]) ^ crc32c(page[38:-8])
        struct.pack_into(">I", page, 0, crc)
        struct.pack_into(">I", page, len(page) - 8, crc)
    return bytes(page)


FLAGS = {4096: 3 << 6, 16384: 0}


def innodb(rule: str = "crc32", size: int = 4096, pages: int = 16) -> bytes:
    flags = {"full_crc32": 0x13, "compressed": 3 << 1 | 1}.get(rule, FLAGS[size])
    out = b""
    for number in range(pages):
        page = bytearray(size)
        struct.pack_into(
            ">IIIQH", page, 4, number, 0xFFFFFFFF, 0xFFFFFFFF, 5000 + number, 17855 if number else 8
        )
        struct.pack_into(">I", page, 34, 77)
        page[38 : size - 8] = b"".join(b"row %6d;" % (number * 1000 + row) for row in range(size // 11))[
            : size - 46
        ]
        if number == 0:
            struct.pack_into(">IIII", page, 38, 77, 0, pages + 1, 64)
            struct.pack_into(">I", page, 54, flags)
        out += seal(page, rule)
    return out + bytes(size)  # a page that was never written


def rotate(value: int, by: int) -> int:
    return (value << by | value >> (32 - by)) & 0xFFFFFFFF


def mssql_page(number: int, kind: int, body: bytes, *, torn: bool = False, file: int = 1) -> bytes:
    """Return one page of SQL Server with one record, sealed by checksum or by torn-page bits."""
    page = bytearray(8192)
    struct.pack_into("<BBBBH", page, 0, 1, kind, 0, 0, 0x100 if torn else 0x200)
    struct.pack_into("<H", page, 22, 1)
    struct.pack_into("<HIH", page, 30, 96 + len(body), number, file)
    page[96 : 96 + len(body)] = body
    struct.pack_into("<H", page, 8190, 96)
    if torn:
        bits = 1
        for sector in range(1, 16):
            last = sector * 512 + 511
            bits |= (page[last] & 3) << 2 * sector
            page[last] = page[last] & 0xFC | 1
        struct.pack_into("<I", page, 60, bits)
        return bytes(page)
    total = 0
    for sector in range(16):
        words = 0
        for word in struct.unpack_from("<128I", page, sector * 512):
            words ^= word
        total ^= rotate(words, 15 - sector)
    struct.pack_into("<I", page, 60, total)
    return bytes(page)


def file_header(pages: int, *, torn: bool = False, file: int = 1) -> bytes:
    """Return page 0: a record with five variable columns, of which the last counts the pages."""
    ends = [46, 48, 50, 52, 56]
    fixed = struct.pack("<BBH4s", 0x30, 0, 8, b"")
    record = fixed + struct.pack("<HBH5H", 5, 0, 5, *ends)
    record = record.ljust(52, b"\1") + struct.pack("<I", pages)
    return mssql_page(0, 15, record, torn=torn, file=file)


def mssql(*, torn: bool = False, pages: int = 12) -> bytes:
    allocated = mssql_page(1, 11, bytes(4) + bytes([0x44] * pages + [0] * 8), torn=torn)
    body = b"".join(b"order %8d " % number for number in range(520))
    rest = b"".join(mssql_page(number, 1, body, torn=torn) for number in range(2, pages))
    return file_header(pages, torn=torn) + allocated + rest


def mssql_log() -> bytes:
    size = 256 * 1024
    out = file_header(65, file=2)
    for index in range(2):
        at = 8192 + index * size
        header = struct.pack("<BBHIIIQQ", 0xAB, 0x40, 5, 30 + index, 0, 0, size, at).ljust(8192, b"\xee")
        sector = bytes((0x58,)) + random.Random(index).randbytes(511)
        out += header + sector * 100 + bytes(size - 8192 - 51200)
    return out
