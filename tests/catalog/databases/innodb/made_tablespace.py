"""A tablespace made in memory, page by page, without a server: one table, two levels."""

from __future__ import annotations

from unransom.catalog.databases.innodb.graft_pages import NIL, Node, Shape, index_page, node_record, seal
from unransom.catalog.databases.innodb.graft_space import LEAF, ROOT, TOP, Books

CREATE = """CREATE TABLE `made` (
  `id` int(11) NOT NULL,
  `name` varchar(40) CHARACTER SET utf8mb4 DEFAULT NULL,
  `price` decimal(9,2) NOT NULL,
  `day` date NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"""
SIZE = 16384
TRANSACTION, ROLL = (77).to_bytes(6, "big"), b"\x80" + bytes(6)
ON_PAGE = 90


def rows(count: int) -> list[tuple]:
    """Return rows: id, name, price in cents, day of May 2024."""
    return [(n, f"名{n}" if n % 5 else None, n * 100 + 99, 1 + n % 31) for n in range(1, count + 1)]


def record(row: tuple) -> tuple[bytes, bytes]:
    """Return what stands in front of the start of a compact record, and what behind."""
    number, name, cents, day = row
    text = (name or "").encode()
    front = (b"" if name is None else bytes([len(text)])) + bytes([name is None]) + bytes(5)
    # decimal(9,2): seven digits in four bytes, two in one, the sign bit flipped
    price = (cents // 100 | 1 << 31).to_bytes(4, "big") + bytes([cents % 100])
    date = (2024 << 9 | 5 << 5 | day | 1 << 23).to_bytes(3, "big")
    body = (number + (1 << 31)).to_bytes(4, "big") + TRANSACTION + ROLL + text + price + date
    return front, body


def versioned_record(row: tuple) -> tuple[bytes, bytes]:
    """Return a record of MySQL 8 of a table to which ``day`` was added instantly: one of three has it."""
    front, body = record(row)
    if row[0] % 3:
        return front, body[:-3]
    return front[:-5] + b"\1\x40" + bytes(4), body


def tablespace(
    count: int = 1000, *, full_crc32: bool = True, space: int = 5, lsn: int = 1000, made=record
) -> bytes:
    """Return a tablespace with ``count`` rows, which ``made`` makes records."""
    shape = Shape(SIZE, space, 40, True, full_crc32, lsn)
    every = rows(count)
    groups = [every[at : at + ON_PAGE] for at in range(0, count, ON_PAGE)]
    books = Books(shape, 64)
    books.use(ROOT, TOP)
    out = bytearray(64 * SIZE)

    def put(page: bytearray, number: int, before: int = NIL, after: int = NIL) -> None:
        page[8:16] = before.to_bytes(4, "big") + after.to_bytes(4, "big")
        out[number * SIZE : (number + 1) * SIZE] = seal(page, shape)

    pointers = []
    for place, group in enumerate(groups):
        number = ROOT + 1 + place
        books.use(number, LEAF)
        page = index_page(shape, number, 0, [made(row) for row in group], leftmost=False)
        put(page, number, number - 1 if place else NIL, number + 1 if place < len(groups) - 1 else NIL)
        key = (group[0][0] + (1 << 31)).to_bytes(4, "big")
        pointers.append(node_record(Node((key,), (0,), number), shape, 1))
    root = index_page(shape, ROOT, 1, pointers, leftmost=True)
    root[74:94] = books.segment_headers()
    put(root, ROOT)
    for number, page in books.pages(0x15 if full_crc32 else 0x21):
        out[number * SIZE : (number + 1) * SIZE] = page
    return bytes(out)
