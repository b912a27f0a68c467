"""Binary logs of MySQL and MariaDB: their events, and the tables and rows that these are about."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from unransom.catalog.databases.innodb.schema import MOST_COLUMNS
from unransom.core.streams import Reader

MAGIC = b"\xfebin"
HEADER = 19  # bytes of an event's header
FORMAT, TABLE_MAP, PARTIAL, PAYLOAD, ENCRYPTED = 15, 19, 39, 40, 164
INSERT, UPDATE, DELETE = "insert", "update", "delete"
PACKED = {166: (INSERT, 1), 167: (UPDATE, 1), 168: (DELETE, 1), 169: (INSERT, 2), 170: (UPDATE, 2),
          171: (DELETE, 2)}  # fmt: skip
ROWS = {23: (INSERT, 1), 24: (UPDATE, 1), 25: (DELETE, 1), 30: (INSERT, 2), 31: (UPDATE, 2),
        32: (DELETE, 2), PARTIAL: (UPDATE, 2)} | PACKED  # fmt: skip  # type: what it does, version of its header
MOST_EVENT = 1 << 30
MOST_PAYLOAD = 256 << 20  # bytes of a transaction that MySQL compressed
PAYLOAD_END, PAYLOAD_PACKER, ZSTD, NO_PACKER = 0, 2, 0, 255  # fields in front of one; how it is packed
STEP = 4 << 20  # bytes that are searched for the next event together
KNOWN = frozenset({*range(2, 43), *range(160, 172)})  # types of events
CHECKED = 1  # the checksum that events carry: CRC-32


class Event(NamedTuple):
    """An event: where it starts, when it was written (seconds since 1970), its type, its bytes and size."""

    offset: int
    time: int
    kind: int
    body: bytes


class TableMap(NamedTuple):
    """What a log says of a table.

    Attributes:
        schema, name: Its names.
        types: By column the type's number and its metadata.
        nullable: By column.
    """

    schema: str
    name: str
    types: tuple[tuple[int, bytes], ...]
    nullable: tuple[bool, ...]


def is_log(head: bytes) -> bool:
    """Return whether a file with these first bytes is a binary log."""
    return head[:4] == MAGIC


def events(reader: Reader, start: int = len(MAGIC)) -> Iterator[Event]:
    """Yield the sound events of ``reader``; what is damaged is passed over."""
    at, checked = start, -1
    while at + HEADER <= reader.size:
        head = reader.read_at(at, HEADER)
        time, kind, _, size, following, _ = struct.unpack("<IBIIIH", head)
        fits = kind in KNOWN and HEADER <= size <= min(reader.size - at, MOST_EVENT)
        if not fits or following not in {(at + size) & 0xFFFFFFFF, 0}:
            at = _next(reader, at + 1)
            continue
        body = reader.read_at(at + HEADER, size - HEADER)
        sound = size >= HEADER + 4 and zlib.crc32(body[:-4], zlib.crc32(head)) == int.from_bytes(
            body[-4:], "little"
        )
        if kind == FORMAT and len(body) > 5:
            checked = body[-5]
        elif sound or checked not in {CHECKED, -1}:
            yield Event(at, time, kind, body[:-4] if sound else body)
        at += size


def _next(reader: Reader, at: int) -> int:
    """Return where the next event may begin: its size and the place behind it, which it states, agree."""
    while at + HEADER <= reader.size:
        data = reader.read_at(at, STEP + HEADER)
        place = _plausible(data, at)
        if place >= 0:
            return at + place
        at += max(len(data) - HEADER, 1)
    return reader.size


def _plausible(data: bytes, base: int) -> int:
    """Return the first place in ``data``, which is at ``base``, where an event may begin; -1 for none."""
    import numpy as np  # noqa: PLC0415  only damaged logs need it

    count = len(data) - HEADER + 1
    if count <= 0:
        return -1
    part = np.frombuffer(data, np.uint8).astype(np.uint32)

    def number(at: int) -> np.ndarray:
        pieces = [part[at + place : at + place + count] << np.uint32(8 * place) for place in range(4)]
        return pieces[0] | pieces[1] | pieces[2] | pieces[3]

    places = np.arange(count, dtype=np.int64) + base
    agree = (places + number(9)) & 0xFFFFFFFF == number(13)
    agree &= np.isin(part[4 : 4 + count], list(KNOWN)) & (number(9) >= HEADER)
    found = np.flatnonzero(agree)
    return int(found[0]) if len(found) else -1


def packed_number(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of one to nine bytes and where it ends.

    Raises:
        IndexError: It is cut off.
    """
    first = data[at]
    width = {252: 2, 253: 3, 254: 8}.get(first, 0)
    if not width:
        return first, at + 1
    if at + 1 + width > len(data):
        raise IndexError(at)
    return int.from_bytes(data[at + 1 : at + 1 + width], "little"), at + 1 + width


def table_map(body: bytes) -> tuple[int, TableMap] | None:
    """Return the number that an event gives to a table, and the table; None where it makes no sense."""
    try:
        at = 8
        schema = body[at + 1 : at + 1 + body[at]]
        at += body[at] + 2
        name = body[at + 1 : at + 1 + body[at]]
        at += body[at] + 2
        count, at = packed_number(body, at)
        kinds = body[at : at + min(count, MOST_COLUMNS + 1)]
        if len(kinds) != count:
            return None
        length, at = packed_number(body, at + count)
        types = _metadata(kinds, body[at : at + length])
        bits = body[at + length : at + length + (count + 7) // 8]
        nullable = tuple(bool(bits[column // 8] >> column % 8 & 1) for column in range(count))
    except IndexError:
        return None
    if types is None:
        return None
    first, second = (part.decode("utf-8", "replace") for part in (schema, name))
    return int.from_bytes(body[:6], "little"), TableMap(first, second, types, nullable)


_META = {4: 1, 5: 1, 15: 2, 16: 2, 17: 1, 18: 1, 19: 1, 140: 1, 141: 2, 245: 1, 246: 2, 247: 2, 248: 2,
         252: 1, 253: 2, 254: 2, 255: 1}  # fmt: skip  # bytes of metadata of a type


def _metadata(kinds: bytes, data: bytes) -> tuple[tuple[int, bytes], ...] | None:
    out, at = [], 0
    for kind in kinds:
        width = _META.get(kind, 0)
        out.append((kind, data[at : at + width]))
        at += width
    return tuple(out) if at <= len(data) else None


class RowEvent(NamedTuple):
    """Rows that an event is about.

    Attributes:
        does: ``INSERT``, ``UPDATE`` (images from before and after in turn) or ``DELETE``.
        table: The number that the log gives to the table.
        masks: Bits of the columns that are in each image: of the one before and the one after an update.
        columns: How many columns there are.
        rows: Their images, one behind the other.
    """

    does: str
    table: int
    masks: tuple[int, ...]
    columns: int
    rows: bytes
    partial: bool = False  # texts of JSON may be told by how they changed

    @property
    def whole(self) -> bool:
        """Whether every column is in every image."""
        return all(mask == (1 << self.columns) - 1 for mask in self.masks)


def row_event(kind: int, body: bytes) -> RowEvent | None:
    """Return what an event of type ``kind`` says of rows; None where it makes no sense."""
    does, version = ROWS[kind]
    try:
        table, at = int.from_bytes(body[:6], "little"), 8
        if version > 1:
            at += max(int.from_bytes(body[8:10], "little"), 2)
        columns, at = packed_number(body, at)
        if columns > MOST_COLUMNS:
            return None
        width = (columns + 7) // 8
        masks = [body[at + part * width :][:width] for part in range(2 if does == UPDATE else 1)]
        at += width * len(masks)
    except IndexError:
        return None
    there = tuple(int.from_bytes(mask, "little") & (1 << columns) - 1 for mask in masks)
    rows = body[at:] if kind not in PACKED else _unpacked(body[at:])
    return RowEvent(does, table, there, columns, rows, kind == PARTIAL) if rows is not None else None


def payload(body: bytes) -> bytes:
    """Return the events of a transaction that MySQL compressed; b"" where they cannot be had."""
    packer, at = NO_PACKER, 0
    try:
        while True:
            field, at = packed_number(body, at)
            if field == PAYLOAD_END:
                break
            length, at = packed_number(body, at)
            if field == PAYLOAD_PACKER:
                packer, _ = packed_number(body, at)
            at += length
    except IndexError:
        return b""
    if packer == NO_PACKER:
        return body[at:]
    return _unzstd(body[at:]) if packer == ZSTD else b""


def _unzstd(data: bytes) -> bytes:
    import pyarrow  # noqa: PLC0415  only logs of MySQL need it

    try:
        with pyarrow.CompressedInputStream(pyarrow.BufferReader(data), "zstd") as stream:
            plain: bytes = stream.read(MOST_PAYLOAD + 1)
    except (OSError, pyarrow.ArrowException):
        return b""
    return plain if len(plain) <= MOST_PAYLOAD else b""


def events_within(plain: bytes) -> Iterator[Event]:
    """Yield the events of a transaction that MySQL compressed; they have no checksums of their own."""
    at = 0
    while at + HEADER <= len(plain):
        time, kind, _, size, _, _ = struct.unpack_from("<IBIIIH", plain, at)
        if not HEADER <= size <= len(plain) - at:
            return
        yield Event(at, time, kind, plain[at + HEADER : at + size])
        at += size


def _unpacked(data: bytes) -> bytes | None:
    """Return the rows of an event that MariaDB packed: a length of one to four bytes, then a zlib stream."""
    if not data or data[0] & 0x80 == 0:
        return None
    width = data[0] & 7
    size = int.from_bytes(data[1 : 1 + width], "big")
    try:
        plain = zlib.decompressobj().decompress(data[1 + width :], min(size, MOST_EVENT) + 1)
    except zlib.error:
        return None
    return plain if len(plain) == size else None
