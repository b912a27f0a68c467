"""QEMU disks, version 2 and 3: with backing files, compressed clusters, subclusters and data files.

Source: QEMU, docs/interop/qcow2.txt.
"""

from __future__ import annotations

import contextlib
import json
import struct
import zlib
from typing import NamedTuple

import numpy as np

from unransom.core.errors import UnreadableError
from unransom.core.messages import Message, say
from unransom.core.streams import BytesReader, Reader
from unransom.evidence.containers import qcow2_tables
from unransom.evidence.containers.mapped import Mapped, Part, Piece, Recent, same
from unransom.evidence.containers.opening import Opening, invalid, unsupported
from unransom.evidence.containers.qcow2_snapshots import OFFSET, Counts, first_tables
from unransom.evidence.containers.qcow2_tables import COMPRESSED, ZEROS

MARK = b"QFI\xfb"
HEADER = struct.Struct(">4sIQIIQIIQQIIQ")  # of version 2
MORE = struct.Struct(">QQQII")  # of version 3, behind it
CORRUPT, EXTERNAL, SUBCLUSTERS = 1 << 1, 1 << 2, 1 << 4  # features without which a disk cannot be read
KNOWN = 0b11111
DEFLATE, ZSTD = 0, 1
BACKING_FORMAT, DATA_FILE = 0xE2792ACA, 0x44415441  # extensions of the header
MOST_ENTRIES = 1 << 25  # of the first table
LONGEST_NAME = 1023
COUNT_ORDER = 4  # two to this are the bits of a count in version 2
KEPT_TABLES, KEPT_CLUSTERS = 256, 128


class Header(NamedTuple):
    """What the first cluster says.

    Attributes:
        bits: Of a cluster's size.
        size: Bytes of the disk.
        table, entries: Where the first table is, and its length.
        features: See ``CORRUPT`` and those beside it.
        method: How clusters are compressed.
        encrypted: Whether they are encrypted.
        backing: What the disk below is called, "" for none.
        backing_format: Of what kind that is, "" where it does not say.
        data_file: What the file with the clusters is called, "" where they are in this one.
        snapshots: How many earlier states of the disk are in the file.
        snapshots_at: Where they are listed.
        counts: Where it stands how often each cluster is used.
    """

    bits: int
    size: int
    table: int
    entries: int
    features: int
    method: int
    encrypted: bool
    backing: str
    backing_format: str
    data_file: str
    snapshots: int
    snapshots_at: int
    counts: Counts


def claims(head: bytes, tail: bytes, size: int) -> bool:
    """Return whether a file begins with the header of such a disk."""
    return head[:4] == MARK and head[4:7] == b"\0\0\0" and head[7:8] in {b"\2", b"\3"}


def open_disk(opening: Opening) -> Reader:
    """Open the disk.

    Raises:
        OSError: It makes no sense.
        UnsupportedImageError: It is encrypted, or needs what is not known here.
        UnreadableError: It cannot be read.
    """
    header = parse(opening.reader)
    if header.encrypted:
        raise unsupported(
            say("the image is encrypted by QEMU itself"),
            say("decrypt it with `qemu-img convert` and its passphrase first"),
        )
    if header.features & ~KNOWN or header.method not in {DEFLATE, ZSTD}:
        raise unsupported(
            say("the image needs a newer way of reading QCOW2"), say("convert it with `qemu-img convert`")
        )
    if header.features & CORRUPT:
        opening.note(
            say("QEMU has marked the image as corrupt"),
            say("it was read as it is"),
        )
    parent = None
    if header.backing:
        name, kind = _named(header.backing)
        opened = _raw if "raw" in {kind, header.backing_format} else None
        parent = opening.parent(name, header.size, opened)
    clusters = opening.reader
    if header.features & EXTERNAL:
        clusters = opening.open_beside(header.data_file or "?", header.size)
    if header.snapshots:
        opening.note(
            say("the image has {count} snapshots inside, which are not read", count=header.snapshots),
            say("make an image of each with `qemu-img convert -l NAME`, and name those, too"),
        )
    disk = ClusterDisk(opening.reader, clusters, header, parent)
    if disk.damaged:
        opening.note(
            say("{count} entries of the first table of the image are damaged", count=disk.damaged),
            _mending(disk.lost, header.snapshots),
        )
    return disk


def _mending(lost: int, snapshots: int) -> Message:
    if snapshots:
        return say(
            "the snapshots inside tell which tables are whose, and {lost} are lost: where more than one"
            " may be meant, none was put there",
            lost=lost,
        )
    return say(
        "tables that nothing names were put there in the order of the file, {lost} are lost:"
        " check files that matter",
        lost=lost,
    )


def parse(reader: Reader) -> Header:
    """Return what the header says.

    Raises:
        OSError: It makes no sense.
    """
    head = reader.read_at(0, 4096)
    if len(head) < HEADER.size:
        raise invalid("no header")
    (_, version, name_at, name_size, bits, size, method, entries, table, used, blocks, snapshots, listed) = (
        HEADER.unpack_from(head)
    )
    features, order, packed, extensions = 0, COUNT_ORDER, DEFLATE, HEADER.size
    if version >= 3 and len(head) >= HEADER.size + MORE.size:
        features, _, _, order, extensions = MORE.unpack_from(head, HEADER.size)
        packed = head[104] if extensions >= 112 and len(head) > 104 else DEFLATE
    sound = 9 <= bits <= 21 and 0 < size < 1 << 60 and entries <= MOST_ENTRIES
    if not sound or extensions > len(head):
        raise invalid("a header that makes no sense")
    names = _extensions(head, extensions)
    backing = reader.read_at(name_at, min(name_size, LONGEST_NAME)).decode("utf-8", "surrogateescape")
    return Header(
        bits,
        size,
        table,
        entries,
        features,
        packed,
        bool(method),
        backing if name_at and name_size else "",
        names.get(BACKING_FORMAT, ""),
        names.get(DATA_FILE, ""),
        snapshots,
        listed,
        Counts(used, blocks << max(bits - 3, 0), order, bits),
    )


def _extensions(head: bytes, offset: int) -> dict[int, str]:
    found: dict[int, str] = {}
    while offset + 8 <= len(head):
        kind, length = struct.unpack_from(">II", head, offset)
        if not kind or offset + 8 + length > len(head):
            break
        found[kind] = head[offset + 8 : offset + 8 + length].decode("utf-8", "surrogateescape")
        offset += 8 + -(-length // 8) * 8
    return found


def _named(backing: str) -> tuple[str, str]:
    """Return name and kind of the file that a backing file stands for: that may be a URL or a JSON object."""
    if not backing.startswith("json:"):
        return backing.removeprefix("file:"), ""
    kind, found = "", None
    with contextlib.suppress(ValueError, RecursionError):
        found = json.loads(backing.removeprefix("json:"))
        kind = str(found.get("driver", "")) if isinstance(found, dict) else ""
    while isinstance(found, dict) and "file" in found and not found.keys() & {"offset", "size"}:
        found = found["file"]
    if isinstance(found, dict) and not found.keys() & {"offset", "size"}:  # a part of a file is another disk
        found = found.get("filename") or found.get("file.filename") or found.get("file.file.filename")
    return (found, kind) if isinstance(found, str) else (backing, "")


def _raw(lower: Opening) -> Reader:
    return Part(lower.reader, 0, lower.reader.size)


class ClusterDisk(Mapped):
    """A disk in clusters that two levels of tables place.

    Attributes:
        size: Bytes.
        damaged: How many entries of the first table are.
        lost: For how many of those nothing was found.
    """

    def __init__(self, reader: Reader, clusters: Reader, header: Header, parent: Reader | None) -> None:
        """Open the disk of which ``reader`` has the tables and ``clusters`` the clusters.

        Raises:
            OSError: The first table is not there.
        """
        self.size = header.size
        self._reader = reader
        self._clusters = clusters
        self._parent = parent
        self._cluster = 1 << header.bits
        self._bits = header.bits
        self._method = header.method
        self._words = 2 if header.features & SUBCLUSTERS else 1  # of an entry
        self._entries = self._cluster // 8 // self._words
        needed = -(-header.size // (self._cluster * self._entries))
        if header.entries < needed or header.table + needed * 8 > reader.size:
            raise invalid("a table that does not fit")
        self._first = np.frombuffer(reader.read_at(header.table, needed * 8), ">u8")
        own = range(header.table, header.table + needed * 8)
        wrong = qcow2_tables.damaged(self._first, self._cluster, own, reader.size)
        self.damaged, self.lost = int(wrong.sum()), 0
        if self.damaged:
            layout = qcow2_tables.Layout(self._cluster, self._words)
            snapshots = first_tables(reader, header.snapshots_at, header.snapshots, needed)
            around = qcow2_tables.Around(own, header.counts, snapshots)
            self._first, self.lost = qcow2_tables.mended(reader, self._first, layout, wrong, around)
        self._second = Recent(self._load, KEPT_TABLES)
        self._unpacked = Recent(self._unpack, KEPT_CLUSTERS)

    def piece_at(self, offset: int) -> Piece:
        """Return where byte ``offset`` is: a cluster, the disk below, or nowhere."""
        number, inside = divmod(offset, self._cluster)
        which, entry = divmod(number, self._entries)
        place = int(self._first[which]) & OFFSET
        if not place:
            end = (which + same(self._first, which)) * self._entries * self._cluster
            return self._below(offset, end - offset)
        table = self._second(place)
        word = int(table[entry * self._words])
        left = min(self._cluster - inside, self.size - offset)
        if word & COMPRESSED:
            return Piece(left, BytesReader(self._unpacked(word)), inside)
        if self._words == 2:
            return self._subcluster(offset, word & OFFSET, int(table[entry * 2 + 1]))
        if word & ZEROS:
            return Piece(left)
        if not word:
            run = same(table, entry) * self._cluster - inside
            return self._below(offset, min(run, self.size - offset))
        if not word & OFFSET:
            return self._below(offset, left)
        return Piece(left, self._clusters, (word & OFFSET) + inside)

    def _subcluster(self, offset: int, place: int, bitmap: int) -> Piece:
        """Return where a byte of a cluster in 32 parts is: each is there, zeros, or below."""
        size = self._cluster // 32
        inside = offset % self._cluster
        part = inside // size
        pair = 1 << 32 | 1
        alike = next((to for to in range(part, 32) if (bitmap >> part ^ bitmap >> to) & pair), 32)
        left = min(alike * size - inside, self.size - offset)
        if bitmap >> (32 + part) & 1:
            return Piece(left)
        if bitmap >> part & 1:
            return Piece(left, self._clusters, place + inside)
        return self._below(offset, left)

    def _below(self, offset: int, length: int) -> Piece:
        length = min(length, self.size - offset)
        if self._parent is None or offset >= self._parent.size:
            return Piece(length)
        return Piece(min(length, self._parent.size - offset), self._parent, offset)

    def _load(self, place: int) -> np.ndarray:
        data = self._reader.read_at(place, self._cluster)
        if len(data) < self._cluster:
            raise UnreadableError(0, self._cluster, "a table of clusters is not there")
        return np.frombuffer(data, ">u8")

    def _unpack(self, word: int) -> bytes:
        """Return the cluster that a compressed entry stands for."""
        bits = 62 - (self._bits - 8)
        start = word & ((1 << bits) - 1)
        sectors = (word & (COMPRESSED - 1)) >> bits
        packed = self._reader.read_at(start, (sectors + 1) * 512 - start % 512)
        data = (_zstd if self._method == ZSTD else _deflate)(packed, self._cluster)
        if len(data) < self._cluster:
            raise UnreadableError(0, self._cluster, "a damaged cluster")
        return data


def _deflate(packed: bytes, size: int) -> bytes:
    try:
        return zlib.decompressobj(-12).decompress(packed, size)
    except zlib.error as error:
        raise UnreadableError(0, size, str(error)) from error


def _zstd(packed: bytes, size: int) -> bytes:
    import zstandard  # noqa: PLC0415 an extra

    try:
        with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(packed) as reader:
            return bytes(reader.read(size))
    except zstandard.ZstdError as error:
        raise UnreadableError(0, size, str(error)) from error
