"""Where a disk keeps its file tables (NTFS): partitions, boot sectors, and the runs of the table itself.

What lockers of whole disks change is found by this; it reads nothing else of a volume.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from unransom.core.spans import Span
from unransom.core.streams import Reader

SECTOR = 512
BOOT_END = b"\x55\xaa"  # of boot sectors
PARTITIONS, ENTRY, ENTRIES = 446, 16, 4  # in a disk's boot sector
FLAGS = frozenset({0x00, 0x80})  # of a partition: active or not
RECORD = b"FILE"  # begins a record in use, or once used
DATA, LAST = 0x80, 0xFFFFFFFF  # kinds of attribute: content; the end of a record
MOST_ATTRIBUTES = 64  # of a record
MOST_RUNS = 4096
MOST_CLUSTER = 1 << 21  # bytes
RECORD_SIZES = frozenset({1024, 4096})


class FileTable(NamedTuple):
    """A volume's file table.

    Attributes:
        volume: Offset of the volume on the disk.
        start: Offset of the table's first record on the disk.
        cluster, record: Bytes of a cluster, and of a record.
    """

    volume: int
    start: int
    cluster: int
    record: int


def partition_starts(boot: bytes) -> list[int] | None:
    """Return the offsets of the partitions that a disk's boot sector lists, None where it is none."""
    if len(boot) != SECTOR or not boot.endswith(BOOT_END):
        return None
    starts = []
    for at in range(PARTITIONS, PARTITIONS + ENTRIES * ENTRY, ENTRY):
        flag, kind, first, count = struct.unpack_from("<B3xB3xII", boot, at)
        if flag not in FLAGS:
            return None
        if kind and first and count:
            starts.append(first * SECTOR)
    return starts


def file_table(disk: Reader, volume: int) -> FileTable | None:
    """Return the file table of the volume that begins at offset ``volume``, None where it is not NTFS."""
    boot = disk.read_at(volume, SECTOR)
    if len(boot) != SECTOR or boot[3:11] != b"NTFS    " or not boot.endswith(BOOT_END):
        return None
    sector, per_cluster = struct.unpack_from("<HB", boot, 11)
    cluster = sector * (per_cluster if per_cluster <= 128 else 1 << (256 - per_cluster))
    (first,) = struct.unpack_from("<Q", boot, 48)
    (clusters,) = struct.unpack_from("<b", boot, 64)
    record = clusters * cluster if clusters > 0 else 1 << min(-clusters, 16)
    start = volume + first * cluster
    if not SECTOR <= cluster <= MOST_CLUSTER or record not in RECORD_SIZES or start + record > disk.size:
        return None
    return FileTable(volume, start, cluster, record)


def is_record(data: bytes) -> bool:
    """Return whether ``data`` is a record as it stands on a disk: its update number ends every sector."""
    if len(data) < SECTOR or not data.startswith(RECORD):
        return False
    at, count = struct.unpack_from("<HH", data, 4)
    if count != len(data) // SECTOR + 1 or not 40 <= at <= SECTOR - 2 * count:
        return False
    number = data[at : at + 2]
    return all(data[end - 2 : end] == number for end in range(SECTOR, len(data) + 1, SECTOR))


def table_runs(table: FileTable, record: bytes, disk_size: int) -> list[Span] | None:
    """Return where on the disk the file table is, in its order.

    Args:
        table: The table.
        record: Its first record, decrypted, as it stands on the disk.
        disk_size: Bytes of the disk; runs must lie on it.

    Returns:
        None where the record does not say.
    """
    content = _content(_restored(record))
    if content is None:
        return None
    spans, cluster = [], 0
    for length, step in content:
        cluster += step
        start = table.volume + cluster * table.cluster
        if cluster < 0 or start + length * table.cluster > disk_size:
            return None
        spans.append(Span(start, start + length * table.cluster))
    return spans or None


def _restored(record: bytes) -> bytes:
    """Return a record with the two bytes at the end of every sector that the update number replaced."""
    at, count = struct.unpack_from("<HH", record, 4)
    whole = bytearray(record)
    for index in range(1, count):
        end = index * SECTOR
        whole[end - 2 : end] = record[at + 2 * index : at + 2 * index + 2]
    return bytes(whole)


def _content(record: bytes) -> list[tuple[int, int]] | None:
    """Return the runs of a record's nameless content: clusters, and from where the one before began."""
    (at,) = struct.unpack_from("<H", record, 20)
    for _ in range(MOST_ATTRIBUTES):
        if at + 64 > len(record):
            return None
        kind, size, outside, name = struct.unpack_from("<IIBB", record, at)
        if kind == LAST or size < 24 or at + size > len(record):
            return None
        if kind == DATA and outside and not name:
            (runs,) = struct.unpack_from("<H", record, at + 32)
            return list(_runs(record[at + runs : at + size]))
        at += size
    return None


def _runs(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield length and distance of each run; the list ends with a zero, or where it makes no sense."""
    at = 0
    for _ in range(MOST_RUNS):
        sizes = data[at] if at < len(data) else 0
        length, distance = sizes & 15, sizes >> 4
        if not 1 <= length <= 8 or not 1 <= distance <= 8 or at + 1 + length + distance > len(data):
            return
        middle = at + 1 + length
        number = int.from_bytes(data[at + 1 : middle], "little")
        yield number, int.from_bytes(data[middle : middle + distance], "little", signed=True)
        at = middle + distance
