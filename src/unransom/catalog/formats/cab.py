"""Microsoft cabinets: files in folders of blocks, each block with a checksum."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec
import numpy as np

from unransom.catalog.formats._deflate import RAW, Budget, End, Inflater, expand
from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader

MAGIC = b"MSCF"
HEADER = 36
PREVIOUS, NEXT, RESERVE = 1, 2, 4
BLOCK = 8
LONGEST = 38912  # bytes of a packed block: 32 KiB and 6 KiB for what does not compress
UNPACKED = 32768
MSZIP = 1
FILE = 16
NAME_CAP = 257

_HEADER = struct.Struct("<4sIIIIIBBHHHHH")


class Head(msgspec.Struct):
    """The cabinet's header.

    Attributes:
        size: Of the cabinet.
        files_at, files: Where the list of files is, and how many.
        folders_at, folders: Where the list of folders is, and how many.
        folder_reserve, block_reserve: Bytes of other programs' in each folder and block.
    """

    size: int
    files_at: int
    files: int
    folders_at: int
    folders: int
    folder_reserve: int = 0
    block_reserve: int = 0


def read_head(reader: Reader) -> Head | None:
    """Parse the header; None where one of its fixed fields is not as it must be."""
    data = reader.read_at(0, HEADER)
    if len(data) < HEADER:
        return None
    magic, zero1, size, zero2, files_at, zero3, minor, major, folders, files, flags, _, _ = _HEADER.unpack(
        data
    )
    if magic != MAGIC or zero1 or zero2 or zero3 or (major, minor) != (1, 3) or flags > 7:
        return None
    head = Head(size, files_at, files, HEADER, folders)
    if flags & RESERVE:
        extra, head.folder_reserve, head.block_reserve = struct.unpack(
            "<HBB", reader.read_at(HEADER, 4).ljust(4, b"\0")
        )
        head.folders_at += 4 + extra
    for flag in (PREVIOUS, NEXT):
        if flags & flag:
            for _ in range(2):  # the neighbour's file name and disk name
                head.folders_at += reader.read_at(head.folders_at, NAME_CAP).find(b"\0") + 1
    return head


def recognise(head: bytes) -> int:
    """Return the bits of the header's fixed fields that hold."""
    if len(head) < HEADER or not head.startswith(MAGIC) or head[4:8] != bytes(4) or head[12:16] != bytes(4):
        return 0
    return 32 + 32 + 32 + 32 + 16 + 13 if head[20:26] == b"\0\0\0\0\3\1" and head[30] < 8 else 0


def checksum(data: bytes, seed: int = 0) -> int:
    """Return the cabinet checksum: the exclusive or of 32-bit words, the last bytes from high to low."""
    whole = len(data) // 4 * 4
    value = seed ^ int(np.bitwise_xor.reduce(np.frombuffer(data[:whole], "<u4"), initial=0))
    return value ^ int.from_bytes(data[whole:], "big")


def _folders(reader: Reader, head: Head) -> Iterator[tuple[int, int, int]]:
    """Yield first block, count of blocks and method of each folder."""
    width = 8 + head.folder_reserve
    for index in range(head.folders):
        data = reader.read_at(head.folders_at + index * width, 8)
        if len(data) < 8:
            return
        start, count, method = struct.unpack("<IHH", data)
        yield start, count, method & 15


def _check_folder(reader: Reader, head: Head, start: int, count: int, method: int, findings: Findings) -> int:
    """Check the blocks of a folder; return where the last one ends."""
    inflating = _Inflating(reader) if method == MSZIP else None
    for number in range(count):
        fixed = reader.read_at(start, BLOCK)
        data = start + BLOCK + head.block_reserve
        if len(fixed) < BLOCK:
            findings.fault(reader.size, reader.size, say("the cabinet is cut off"))
            return reader.size
        expected, packed, size = struct.unpack("<IHH", fixed)
        if packed > LONGEST or size > UNPACKED or data + packed > reader.size:
            why = say("block {number} of the cabinet does not hold", number=number)
            findings.fault(start, reader.size, why)
            return reader.size
        content = reader.read_at(start + BLOCK, head.block_reserve + packed)
        held = checksum(fixed[4:], checksum(content)) == expected
        if expected and not held:
            why = say("block {number} of the cabinet has a wrong checksum", number=number)
            findings.fault(start, data + packed, why)
            inflating = None  # later blocks need this one's content
        elif expected:
            findings.hold(32)
        elif inflating is None:
            findings.doubt()  # nothing tells whether this is its content
        elif not inflating.holds(data, packed, size):
            why = say("block {number} of the cabinet does not inflate", number=number)
            findings.fault(start, data + packed, why)
            inflating = None
        start = data + packed
    return start


class _Inflating:
    """Inflates blocks without a checksum; each may refer to the block before."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._budget = Budget(reader.size)
        self._before = b""

    def holds(self, start: int, packed: int, size: int) -> bool:
        """Return whether the block inflates to ``size`` bytes."""
        if self._reader.read_at(start, 2) != b"CK":
            return False
        out: list[bytes] = []
        decoder = Inflater(RAW, self._before)
        result = expand(decoder, self._reader, start + 2, start + packed, self._budget, size, out.append)
        self._before = b"".join(out)
        return result.end is End.CAPPED or (result.end is End.WHOLE and result.length == size)


def _check_files(reader: Reader, head: Head, findings: Findings) -> int:
    """Check the list of files; return where it ends."""
    position = head.files_at
    for number in range(head.files):
        data = reader.read_at(position, FILE + NAME_CAP)
        name_end = data.find(b"\0", FILE)
        folder = int.from_bytes(data[8:10], "little")
        if name_end <= FILE or (folder >= head.folders and folder < 0xFFFD):
            why = say("entry {number} of the cabinet's list of files is damaged", number=number)
            findings.fault(position, position + FILE, why)
            break
        findings.hold(8)
        position += name_end + 1
    return position


def measure(reader: Reader) -> Measure:
    """Return the size that the header declares."""
    head = read_head(Cached(reader))
    if head is None or not HEADER <= head.size <= reader.size:
        return Measure(None, say("no header of a cabinet"))
    return Measure(head.size, say("the size in the cabinet's header"))


def validate(reader: Reader) -> Validation:
    """Check the list of files and the checksum of every block."""
    cached = Cached(reader)
    head = read_head(cached)
    if head is None:
        return bad(say("no header of a cabinet"), reader.size)
    findings = Findings(reader.size)
    findings.hold(recognise(cached.read_at(0, HEADER)))
    end = _check_files(cached, head, findings)
    blocks = 0
    for start, count, method in _folders(cached, head):
        blocks += count
        if blocks * BLOCK > reader.size:
            findings.fault(head.folders_at, head.folders_at + 8, say("the cabinet's folders do not hold"))
            break
        end = max(end, _check_folder(cached, head, start, count, method, findings))
    if end > reader.size or head.size > reader.size:
        findings.fault(reader.size, reader.size, say("the cabinet is cut off"))
    check_trailer(cached, max(end, head.size), findings)
    return findings.verdict(
        say("{count} blocks of the cabinet hold", count=blocks), min(head.size, reader.size)
    )


FORMAT = Format(
    name="cab",
    title="Microsoft cabinet",
    extensions=("cab", "msu"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, MAGIC + bytes(4)), Known(20, b"\0\0\0\0\3\1")),
    compressed=True,
    references=("MS-CAB",),
    limitations=("Blocks without a checksum are inflated where they are MSZIP; LZX and Quantum are not.",),
)
