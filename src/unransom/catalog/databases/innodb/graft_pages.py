"""Index pages built from records: the levels above the rows, and leaves without rows that are lost."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence
from typing import NamedTuple

from unransom.catalog.formats._innodb_checksums import crc32c

HEADER, PAGE_HEADER, DATA = 38, 38, 120
NIL = 0xFFFFFFFF
INDEX = 17855
GROUP = 4  # records of a slot of the directory; the server takes 4 to 8
FILL = 0.9  # of a page above the rows that is used, so that inserts find room
NODE = 1  # status of a record that points at a page
MINIMUM = 0x10
NO_DIRECTION = 5
COMPACT_ENDS = bytes.fromhex("0100020000") + b"infimum\0" + bytes.fromhex("01000b0000") + b"supremum"
OLD_ENDS = bytes.fromhex("08010000030000") + b"infimum\0" + bytes.fromhex("09010008030000") + b"supremum\0"


class Shape(NamedTuple):
    """What pages of one tablespace have in common.

    Attributes:
        size: Bytes of a page.
        space: Id of the tablespace.
        owner: Id of the clustered index.
        compact: Format of the records.
        full_crc32: Which checksum the pages carry.
        lsn: Of pages that are made.
    """

    size: int
    space: int
    owner: int
    compact: bool
    full_crc32: bool
    lsn: int


class Node(NamedTuple):
    """A pointer to a page: the fields of the first key on it.

    Attributes:
        values: Stored bytes of each field.
        sizes: Which of them have their length in the record, and whether it may take two bytes.
        page: Number of the page.
    """

    values: tuple[bytes, ...]
    sizes: tuple[int, ...]
    page: int


FIXED, SMALL, BIG = 0, 1, 2  # sizes of a node's fields


def seal(page: bytearray, shape: Shape) -> bytes:
    """Return ``page`` with its checksum."""
    size = len(page)
    low = page[20:24]
    if shape.full_crc32:
        page[0:4] = bytes(4)
        page[size - 8 : size - 4] = low
        page[size - 4 :] = crc32c(bytes(page[: size - 4])).to_bytes(4, "big")
    else:
        crc = (crc32c(bytes(page[4:26])) ^ crc32c(bytes(page[38 : size - 8]))).to_bytes(4, "big")
        page[0:4] = crc
        page[size - 8 :] = crc + low
    return bytes(page)


def blank(shape: Shape, number: int, kind: int, previous: int = NIL, following: int = NIL) -> bytearray:
    """Return a page with nothing but its header."""
    page = bytearray(shape.size)
    struct.pack_into(">4xIIIQHQI", page, 0, number, previous, following, shape.lsn, kind, 0, shape.space)
    return page


def node_record(node: Node, shape: Shape, nullable: int) -> tuple[bytes, bytes]:
    """Return what stands in front of the start of a pointer's record, and what behind.

    The numbers in the header are filled in by ``index_page``.
    """
    body = b"".join(node.values) + node.page.to_bytes(4, "big")
    if not shape.compact:
        ends, total = [], 0
        for value in (*node.values, bytes(4)):
            total += len(value)
            ends.append(total)
        short = total < 128
        table = b"".join(end.to_bytes(1 if short else 2, "big") for end in reversed(ends))
        count = (len(ends) << 1 | short).to_bytes(2, "big")
        return table + bytes(2) + count + bytes(2), body
    lengths = b""
    for value, size in zip(node.values, node.sizes, strict=True):
        if size == BIG and len(value) > 127:
            lengths = bytes([len(value) & 0xFF, 0x80 | len(value) >> 8]) + lengths
        elif size != FIXED:
            lengths = bytes([len(value)]) + lengths
    return lengths + bytes((nullable + 7) // 8) + bytes(5), body


def capacity(shape: Shape) -> int:
    """Return the bytes that records above the rows may take of a page."""
    return int((shape.size - DATA - 8 - 16) * FILL)


def index_page(
    shape: Shape, number: int, level: int, records: Sequence[tuple[bytes, bytes]], *, leftmost: bool
) -> bytearray:
    """Return an index page of these records, without links and checksum.

    Args:
        shape: Of the tablespace.
        number: Of the page.
        level: 0 for rows.
        records: What stands in front of each record's start and what behind, in the order of keys.
        leftmost: The first record of a page above the rows stands for everything smaller.
    """
    page = blank(shape, number, INDEX)
    ends = COMPACT_ENDS if shape.compact else OLD_ENDS
    page[94 : 94 + len(ends)] = ends
    infimum, supremum = (99, 112) if shape.compact else (101, 116)
    at, origins = 94 + len(ends), []
    for front, body in records:
        origins.append(at + len(front))
        page[at : at + len(front) + len(body)] = front + body
        at += len(front) + len(body)
    chain = [infimum, *origins, supremum]
    for place, (one, following) in enumerate(itertools.pairwise(chain)):
        step = (following - one) % 65536 if shape.compact else following
        page[one - 2 : one] = step.to_bytes(2, "big")
        if place > 0:
            _number(page, one, place + 1, shape, NODE if level else 0)
    if level and leftmost and origins:
        page[origins[0] - (5 if shape.compact else 6)] |= MINIMUM
    slots = _directory(page, chain, shape)
    heap = len(records) + 2 | (0x8000 if shape.compact else 0)
    struct.pack_into(">HHHHHHHHHQHQ", page, PAGE_HEADER, slots, at, heap, 0, 0, 0, NO_DIRECTION, 0,
                     len(records), 0, level, shape.owner)  # fmt: skip
    return page


def _number(page: bytearray, origin: int, heap: int, shape: Shape, status: int) -> None:
    """Give a record its number on the page."""
    if shape.compact:
        page[origin - 4 : origin - 2] = (heap << 3 | status).to_bytes(2, "big")
    else:
        rest = int.from_bytes(page[origin - 4 : origin - 2], "big") & 0x7FF
        value = heap << 11 | rest
        page[origin - 5 : origin - 2] = value.to_bytes(3, "big")


def _directory(page: bytearray, chain: list[int], shape: Shape) -> int:
    """Write the directory of slots; returns how many they are."""
    back = 5 if shape.compact else 6
    slots, since = [chain[0]], 0
    for place, origin in enumerate(chain[1:-1], 1):
        since += 1
        if since == GROUP and len(chain) - 2 - place >= GROUP:
            page[origin - back] = page[origin - back] & 0xF0 | GROUP
            slots.append(origin)
            since = 0
    page[chain[-1] - back] = since + 1
    slots.append(chain[-1])
    for place, origin in enumerate(slots):
        end = shape.size - 8 - 2 * place
        page[end - 2 : end] = origin.to_bytes(2, "big")
    return len(slots)
