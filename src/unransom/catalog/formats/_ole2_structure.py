"""The file system inside an OLE2 compound file: sector chains, directory, streams."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats._findings import Findings
from unransom.core.messages import say
from unransom.core.streams import Reader

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
FREE, END, FAT_SECTOR, DIFAT_SECTOR = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFC
LAST = 0xFFFFFFFA  # highest sector number
HEADER = 512
ENTRY = 128
MINI_SECTOR = 64
NO_ENTRY = 0xFFFFFFFF
STORAGE, STREAM, ROOT = 1, 2, 5
KINDS = frozenset({STORAGE, STREAM, ROOT})

_HEADER = struct.Struct("<8s16s5H6s9I")
_ENTRY = struct.Struct("<64sHBBIII16sI8s8sIQ")

Table = NDArray[np.uint32]


class Header(msgspec.Struct):
    """The first sector, as far as the rest is found by it."""

    version: int
    sector: int
    fat_count: int
    directory: int
    cutoff: int
    mini_fat: int
    mini_fat_count: int
    difat: int
    difat_count: int


class Entry(msgspec.Struct):
    """A directory entry in use.

    Attributes:
        number: Its place in the directory.
        links: Left and right sibling and first child, ``NO_ENTRY`` where there is none.
        start, size: First sector (a mini sector for small streams) and bytes.
    """

    number: int
    name: str
    kind: int
    links: tuple[int, int, int]
    start: int
    size: int


def read_header(data: bytes) -> Header | None:
    """Parse the header; None where one of its fixed fields is not as it must be."""
    if len(data) < 76 or not data.startswith(MAGIC):
        return None
    fields = _HEADER.unpack_from(data)
    _, _, _, version, order, shift, mini_shift, reserved, _, fat_count, directory, _, cutoff = fields[:13]
    mini_fat, mini_fat_count, difat, difat_count = fields[13:17]
    if (version, shift) not in {(3, 9), (4, 12)} or order != 0xFFFE or mini_shift != 6 or any(reserved):
        return None
    return Header(
        version, 1 << shift, fat_count, directory, cutoff, mini_fat, mini_fat_count, difat, difat_count
    )


class Chained:
    """A reader over sectors of another reader that are strung together.

    ``runs`` are (offset, bytes) in order; the last run is cut so that there are ``size`` bytes.
    """

    def __init__(self, reader: Reader, runs: list[tuple[int, int]], size: int) -> None:
        self._reader = reader
        self._offsets: list[int] = []
        self._starts: list[int] = []
        total = 0
        for offset, length in runs:
            self._offsets.append(offset)
            self._starts.append(total)
            total += length
        self.size = min(size, total)

    def place(self, offset: int) -> int:
        """Return where in the reader below the byte at ``offset`` lies."""
        if not self._starts:
            return 0
        run = bisect_right(self._starts, offset) - 1
        return self._offsets[run] + offset - self._starts[run]

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the stream or the file ends."""
        length = min(length, self.size - offset)
        out = []
        while length > 0:
            run = bisect_right(self._starts, offset) - 1
            end = self._starts[run + 1] if run + 1 < len(self._starts) else self.size
            piece = self._reader.read_at(self.place(offset), min(length, end - offset))
            if not piece:
                break
            out.append(piece)
            offset += len(piece)
            length -= len(piece)
        return b"".join(out)


class Chains:
    """The chains of one allocation table; every sector may be used once.

    Attributes:
        table: For each sector the next one of its chain, or a mark.
        crossed: Sectors that more than one chain used.
    """

    def __init__(self, table: Table, count: int) -> None:
        self.table = table[:count]
        steps = np.arange(1, len(self.table) + 1, dtype=np.int64)
        self._turns = np.flatnonzero(self.table != steps)  # sectors whose next is not the one behind them
        self._used = np.zeros(len(self.table), np.bool_)
        self.crossed = 0

    def runs(self, start: int) -> tuple[list[tuple[int, int]], bool]:
        """Return the chain from sector ``start`` as runs of (sector, count), and whether it ends well."""
        runs: list[tuple[int, int]] = []
        while start < len(self.table):
            turn = int(np.searchsorted(self._turns, start))
            last = int(self._turns[turn]) if turn < len(self._turns) else len(self.table) - 1
            if self._used[start : last + 1].any():
                self.crossed += 1
                return runs, False
            self._used[start : last + 1] = True
            runs.append((start, last + 1 - start))
            start = int(self.table[last])
        return runs, start == END


class Compound:
    """A compound file: its tables and directory, read with every check that they have."""

    def __init__(self, reader: Reader, header: Header, findings: Findings) -> None:
        self.reader = reader
        self.header = header
        self.findings = findings
        self.count = max(0, -(-reader.size // header.sector) - 1)  # sectors that the file has room for
        self._fat_sectors = self._find_fat()
        table = self._read_table(self._fat_sectors)
        self.used = int(np.flatnonzero(table != FREE).max(initial=-1)) + 1  # sectors that are not free
        self._check_fat(table)
        self._fat = Chains(table, self.count)
        self.entries = list(self._read_directory())
        self._mini: Chained | None = None
        self._mini_fat = Chains(np.empty(0, np.uint32), 0)
        self._read_mini()

    @property
    def length(self) -> int:
        """Bytes of the file by its allocation table, whole sectors."""
        return (self.used + 1) * self.header.sector

    def place(self, sector: int) -> int:
        """Return the offset of ``sector``."""
        return (sector + 1) * self.header.sector

    def _find_fat(self) -> list[int]:
        """Return the sectors of the allocation table, from the header and the sectors that go on from it."""
        head = self.reader.read_at(0, HEADER)
        numbers = list(struct.unpack_from(f"<{(len(head) - 76) // 4}I", head, 76))
        sector, width = self.header.difat, self.header.sector // 4
        for _ in range(min(self.header.difat_count, self.count)):
            data = self.reader.read_at(self.place(sector), self.header.sector) if sector <= LAST else b""
            if len(data) < self.header.sector:
                self.findings.fault(0, HEADER, say("the list of the allocation table's sectors breaks off"))
                break
            *more, sector = struct.unpack(f"<{width}I", data)
            numbers += more
        numbers = [number for number in numbers if number != FREE]
        good = [number for number in numbers[: self.header.fat_count] if number < self.count]
        if len(good) < self.header.fat_count or len(set(good)) < len(good):
            self.findings.fault(0, HEADER, say("the list of the allocation table's sectors does not hold"))
        else:
            self.findings.hold(16 * len(good))
        return good

    def _read_table(self, sectors: list[int]) -> Table:
        data = b"".join(self.reader.read_at(self.place(sector), self.header.sector) for sector in sectors)
        return np.frombuffer(data[: len(data) // 4 * 4], "<u4").astype(np.uint32)

    def _check_fat(self, table: Table) -> None:
        """Entries name sectors that exist, no sector has two predecessors, the table lists itself."""
        width = self.header.sector // 4
        marks = (table > LAST) & (table != 0xFFFFFFFB)
        broken = np.unique(np.flatnonzero(~marks & (table >= max(self.count, self.used))) // width)
        for index in broken.tolist():
            start = self.place(self._fat_sectors[index])
            why = say("the allocation table at byte {offset} is damaged", offset=start)
            self.findings.fault(start, start + self.header.sector, why)
        following = table[table < len(table)]
        if len(following) and int(np.bincount(following).max()) > 1:
            start = self.place(self._fat_sectors[0]) if self._fat_sectors else 0
            self.findings.fault(start, start, say("two chains of the allocation table meet"))
        self.findings.hold(8 * min(len(following), 128))
        missing = [s for s in self._fat_sectors if s >= len(table) or table[s] not in {FAT_SECTOR, END}]
        if missing:
            start = self.place(missing[0])
            why = say("the allocation table at byte {offset} does not list itself", offset=start)
            self.findings.fault(start, start + self.header.sector, why)
        if self.used > self.count:
            why = say("the file is cut off: sector {sector} is missing", sector=self.used - 1)
            self.findings.fault(self.reader.size, self.reader.size, why)

    def _chain(self, start: int, size: int | None, what: str) -> Chained:
        """Return the chain of sectors from ``start`` as a reader of ``size`` bytes."""
        runs, whole = self._fat.runs(start)
        width = self.header.sector
        room = sum(count for _, count in runs) * width
        if not whole or (size is not None and room < size):
            last = self.place(runs[-1][0] + runs[-1][1] - 1) if runs else 0
            self.findings.fault(last, last + width, say("the sector chain of {name} breaks", name=what))
        else:
            self.findings.hold(16)
        placed = [(self.place(sector), count * width) for sector, count in runs]
        return Chained(self.reader, placed, room if size is None else size)

    def _read_directory(self) -> Iterator[Entry]:
        chain = self._chain(self.header.directory, None, "the directory")
        for number in range(chain.size // ENTRY):
            data = chain.read_at(number * ENTRY, ENTRY)
            if len(data) < ENTRY or not data[66]:
                continue
            entry = self._entry(number, data, chain.size // ENTRY)
            if entry is None:
                start = chain.place(number * ENTRY)
                why = say("directory entry {number} is damaged", number=number)
                self.findings.fault(start, start + ENTRY, why)
            else:
                self.findings.hold(32)
                yield entry

    def _entry(self, number: int, data: bytes, count: int) -> Entry | None:
        """Return the directory entry in ``data``; None where it does not hold."""
        name, length, kind, color, left, right, child, _, _, _, _, start, size = _ENTRY.unpack(data)
        if kind not in KINDS or color > 1 or not 2 <= length <= 64 or length % 2:
            return None
        if (kind == ROOT) != (number == 0) or any(name[length - 2 : length]):
            return None
        if any(count <= link != NO_ENTRY for link in (left, right, child)):
            return None
        if self.header.version == 3:
            size &= 0xFFFFFFFF  # the upper half is not defined
        title = name[: length - 2].decode("utf-16-le", "backslashreplace")
        return Entry(number, title, kind, (left, right, child), start, size)

    def _read_mini(self) -> None:
        if not self.entries or self.entries[0].kind != ROOT:
            self.findings.fault(0, HEADER, say("the directory has no root"))
            return
        root = self.entries[0]
        if self.header.mini_fat_count and self.header.mini_fat <= LAST:
            size = min(self.header.mini_fat_count, self.count) * self.header.sector
            chain = self._chain(self.header.mini_fat, size, "the table of small streams")
            table = np.frombuffer(chain.read_at(0, chain.size // 4 * 4), "<u4").astype(np.uint32)
            self._mini_fat = Chains(table, len(table))
        if root.size and root.start <= LAST:
            self._mini = self._chain(root.start, root.size, "the small streams")

    def stream(self, entry: Entry) -> Chained | None:
        """Return the content of a stream; None where it has none."""
        if entry.kind != STREAM or not entry.size:
            return None
        if entry.size >= self.header.cutoff:
            return self._chain(entry.start, entry.size, entry.name)
        if self._mini is None:
            self.findings.fault(0, 0, say("the sector chain of {name} breaks", name=entry.name))
            return None
        runs, whole = self._mini_fat.runs(entry.start)
        placed = [
            (self._mini.place(sector * MINI_SECTOR), count * MINI_SECTOR)
            for sector, count in self._split(runs)
        ]
        if not whole or sum(length for _, length in placed) < entry.size:
            self.findings.fault(0, 0, say("the sector chain of {name} breaks", name=entry.name))
        else:
            self.findings.hold(16)
        return Chained(self.reader, placed, entry.size)

    def _split(self, runs: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        """Split runs of mini sectors where the sectors that hold them may be apart."""
        per_sector = self.header.sector // MINI_SECTOR
        room = self._mini.size // MINI_SECTOR + 1 if self._mini else 0
        for first, count in runs:
            start, end = first, min(first + count, room)
            while start < end:
                step = min(per_sector - start % per_sector, end - start)
                yield start, step
                start += step
