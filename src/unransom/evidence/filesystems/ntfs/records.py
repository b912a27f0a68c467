"""Records of the master file table of NTFS, their attributes, and where these lie.

Source: Linux-NTFS Project, "NTFS Documentation".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.evidence.filesystems.ntfs.folders import Reference
from unransom.evidence.volumes.signatures import ntfs_cluster

STANDARD, FILE_NAME, DATA, INDEX = 0x10, 0x30, 0x80, 0xA0  # types of attributes
USED, FOLDER = 1, 2  # flags of a record
STRIDE = 512  # bytes that a number of a fix-up guards
COMPRESSED, ENCRYPTED = 0x00FF, 0x4000  # flags of an attribute
EPOCH = 116_444_736_000_000_000  # 1970 in units of 100 ns since 1601
LATEST = 1 << 62
MOST_RUNS = 1 << 20


class Volume(NamedTuple):
    """A volume.

    Attributes:
        start: Where it begins in the image.
        cluster: Bytes of a cluster.
        clusters: In all.
        table: Cluster of the master file table.
        mirror: Cluster of the copy of its first records.
        record: Bytes of one of its records.
    """

    start: int
    cluster: int
    clusters: int
    table: int
    mirror: int
    record: int


class Attribute(NamedTuple):
    """An attribute of a record.

    Attributes:
        kind: Its type.
        name: In UTF-16.
        size: Bytes.
        content: The bytes, where they stand in the record; None where they lie outside.
        runs: First cluster, or None for zeros, and number of clusters of each of its pieces.
        first: Number of its first cluster, where it goes on from another record.
        packed: It is compressed or encrypted.
    """

    kind: int
    name: bytes
    size: int
    content: bytes | None
    runs: tuple[tuple[int | None, int], ...]
    first: int
    packed: bool


def volume(reader: Reader, start: int) -> Volume | None:
    """Return the volume that begins at ``start``; None where its first sector makes no sense."""
    head = reader.read_at(start, 512)
    if len(head) < 512 or head[3:11] != b"NTFS    ":
        return None
    (sector,) = struct.unpack_from("<H", head, 11)
    sectors, table, mirror = struct.unpack_from("<QQQ", head, 40)
    cluster = ntfs_cluster(head)
    (size,) = struct.unpack_from("<b", head, 64)
    record = size * cluster if size > 0 else 1 << min(-size, 16)
    if (
        sector not in {512, 1024, 2048, 4096}
        or not sector <= cluster <= 1 << 21
        or not 256 <= record <= 65536
    ):
        return None
    return Volume(start, cluster, sectors * sector // cluster, table, mirror, record)


def fixed(data: bytes) -> bytes | None:
    """Return a record with the ends of its sectors put back; None where they do not fit each other."""
    at, count = struct.unpack_from("<HH", data, 4)
    if count < 2 or at + 2 * count > len(data) or (count - 1) * STRIDE > len(data):
        return None
    whole = bytearray(data)
    for index in range(1, count):
        end = index * STRIDE
        if whole[end - 2 : end] != data[at : at + 2]:
            return None
        whole[end - 2 : end] = data[at + 2 * index : at + 2 * index + 2]
    return bytes(whole)


def attributes(record: bytes) -> Iterator[Attribute]:
    """Yield the attributes of a record that is `fixed`."""
    (at,) = struct.unpack_from("<H", record, 20)
    while at + 24 <= len(record):
        kind, length, outside, name_length, name_at, flags = struct.unpack_from("<IIBBHH", record, at)
        if kind == 0xFFFFFFFF or length < 24 or at + length > len(record):
            return
        body = record[at : at + length]
        name = body[name_at : name_at + 2 * name_length]
        packed = bool(flags & (COMPRESSED | ENCRYPTED))
        if not outside:
            size, start = struct.unpack_from("<IH", body, 16)
            yield Attribute(kind, name, size, body[start : start + size], (), 0, packed)
        elif length >= 64:
            first, _, start = struct.unpack_from("<QQH", body, 16)
            (size,) = struct.unpack_from("<Q", body, 48)
            yield Attribute(kind, name, size, None, tuple(_runs(body[start:])), first, packed)
        at += length


def _runs(data: bytes) -> Iterator[tuple[int | None, int]]:
    at = cluster = 0
    for _ in range(MOST_RUNS):
        head = data[at] if at < len(data) else 0
        length, offset = head & 15, head >> 4
        if not length or length > 8 or offset > 8 or at + 1 + length + offset > len(data):
            return
        count = int.from_bytes(data[at + 1 : at + 1 + length], "little")
        cluster += int.from_bytes(data[at + 1 + length : at + 1 + length + offset], "little", signed=True)
        yield (cluster if offset else None), count
        at += 1 + length + offset


def spans(place: Volume, attribute: Attribute, nowhere: int) -> list[Span] | None:
    """Return where the bytes of an attribute lie in the image; None where its runs make no sense.

    Zeros that nobody stores lie from ``nowhere`` on.
    """
    found: list[Span] = []
    left = attribute.size
    for cluster, count in attribute.runs:
        length = min(count * place.cluster, left)
        if length <= 0:
            break
        if cluster is not None and not 0 <= cluster <= place.clusters - count:
            return None
        start = nowhere if cluster is None else place.start + cluster * place.cluster
        found.append(Span(start, start + length))
        left -= length
    return found if left == 0 else None


class FileName(NamedTuple):
    """What stands in an attribute ``$FILE_NAME``, and in the entry of a folder.

    Attributes:
        folder: The record of its folder.
        name: UTF-8.
        size: Bytes of the file.
        created, modified: Nanoseconds since 1970 UTC.
        is_folder: It is a folder.
        short: It is the name for DOS.
    """

    folder: Reference
    name: bytes
    size: int
    created: int
    modified: int
    is_folder: bool
    short: bool


def file_name(data: bytes, at: int = 0) -> FileName | None:
    """Return the name that stands at ``at``; None where there is none that makes sense."""
    if at + 68 > len(data):
        return None
    parent, *times, _, size, flags, _ = struct.unpack_from("<QQQQQQQII", data, at)
    length, space = data[at + 64], data[at + 65]
    raw = data[at + 66 : at + 66 + 2 * length]
    sound = length and space <= 3 and len(raw) == 2 * length and size < LATEST
    if not sound or not all(EPOCH <= time < LATEST for time in times):
        return None
    name = raw.decode("utf-16-le", "surrogatepass").encode("utf-8", "surrogatepass")
    if any(byte < 32 or byte == ord("/") for byte in name):
        return None
    created, modified = ((time - EPOCH) * 100 for time in times[:2])
    is_folder = bool(flags & 0x10000000)
    return FileName(Reference.of(parent), name, size, created, modified, is_folder, space == 2)
