"""tar: members of 512-byte blocks, each with a header that has a checksum."""

from __future__ import annotations

import re

import msgspec
import numpy as np

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._reading import Cached
from unransom.catalog.formats._trailing import check_trailer, looks_random
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import CHUNK, Reader

BLOCK = 512
RECORD = 20 * BLOCK  # tar fills its output up to a multiple of this
CHECKSUM = slice(148, 156)
HEADER_BITS = 48  # the checksum's digits in their places
EXTENDED_CAP = 1 << 20  # bytes of an extended header
LINKS = b"123456"  # types without data: links, devices, directories, pipes

_PAX_SIZE = re.compile(rb"(?:^|\n)\d+ size=(\d{1,20})\n")
_DIGITS = re.compile(rb"[ \0]*[0-7]*[ \0]*")


class Member(msgspec.Struct):
    """What a header says: type, bytes of data, and whether blocks of a sparse map follow."""

    kind: bytes
    size: int
    sparse: bool


def read_header(block: bytes) -> Member | None:
    """Parse a header; None where its checksum is wrong or a field is no number."""
    if len(block) < BLOCK or not _DIGITS.fullmatch(block[CHECKSUM]) or not block[CHECKSUM].strip(b" \0"):
        return None
    declared = int(block[CHECKSUM].strip(b" \0") or b"0", 8)
    values = np.frombuffer(block, np.uint8).copy()
    values[CHECKSUM] = 32
    if declared not in {int(values.sum()), int(values.astype(np.int8).sum())}:  # some wrote signed sums
        return None
    size = _number(block[124:136])
    return None if size is None else Member(block[156:157], size, bool(block[482]) and block[156:157] == b"S")


def _number(field: bytes) -> int | None:
    """Return an octal number, or a large one in base 256; None where it is neither."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x3F]) + field[1:], "big")
    digits = field.split(b"\0")[0].strip(b" ")
    return int(digits or b"0", 8) if re.fullmatch(rb"[0-7]*", digits) else None


def recognise(head: bytes) -> int:
    """Return the bits of the first header that hold."""
    if len(head) < BLOCK or not head[0] or read_header(head[:BLOCK]) is None:
        return 0
    return HEADER_BITS + (40 if head[257:262] == b"ustar" else 0)


class _Walk:
    """The walk from header to header.

    Attributes:
        members: Members whose headers hold.
        end: Behind the last member or the two empty blocks that end the archive.
        closed: Those two blocks were there.
    """

    def __init__(self, reader: Reader, findings: Findings, *, resync: bool) -> None:
        self._reader = Cached(reader)
        self._findings = findings
        self._next_size: int | None = None
        self.members = 0
        self.end = 0
        self.closed = False
        while self.end < reader.size and not self.closed:
            if not self._step() and not (resync and self._resync()):
                break

    def _step(self) -> bool:
        """Take one member, or the end mark; False where there is neither."""
        block = self._reader.read_at(self.end, BLOCK)
        if not any(block):
            following = self._reader.read_at(self.end + BLOCK, BLOCK)
            self.closed = not any(following)  # at the very end one empty block will do
            self.end += len(block) + (len(following) if self.closed else 0)
            return True
        member = read_header(block)
        if member is None:
            return False
        self.members += 1
        self._findings.hold(HEADER_BITS)
        self.end += BLOCK
        if member.sparse:
            self._skip_sparse_map()
        self._skip_data(member)
        return True

    def _skip_sparse_map(self) -> None:
        while self._reader.read_at(self.end + 504, 1) not in {b"\0", b""}:
            self.end += BLOCK
        self.end += BLOCK

    def _skip_data(self, member: Member) -> None:
        size = member.size
        if member.kind in {b"x", b"X"} and size <= EXTENDED_CAP:
            found = _PAX_SIZE.search(self._reader.read_at(self.end, size))
            self._next_size = int(found[1]) if found else None
        elif member.kind not in {b"g", b"L", b"K"}:
            size = size if self._next_size is None else self._next_size
            self._next_size = None
            if member.kind in LINKS:
                size = 0
        padding = -size % BLOCK
        rest = self._reader.read_at(self.end + size, padding)
        if looks_random(rest):
            start = self.end + size
            why = say("the padding behind a member at byte {offset} is damaged", offset=start)
            self._findings.fault(start, start + padding, why)
        self.end += size + padding
        if self.end - padding > self._reader.size:
            self._findings.fault(
                self._reader.size, self._reader.size, say("the last member of the tar archive is cut off")
            )
            self.end = self._reader.size

    def _resync(self) -> bool:
        """Go on to the next block that is a header, and record what lies between as damaged."""
        start = position = self.end + BLOCK
        found = None
        while position < self._reader.size and found is None:
            data = self._reader.read_at(position, CHUNK)
            blocks = np.frombuffer(data[: len(data) // BLOCK * BLOCK], np.uint8).reshape(-1, BLOCK)
            likely = (blocks[:, 257:262] == np.frombuffer(b"ustar", np.uint8)).all(axis=1)
            for index in np.flatnonzero(likely).tolist():
                if read_header(blocks[index].tobytes()) is not None:
                    found = position + index * BLOCK
                    break
            position += max(len(data) // BLOCK * BLOCK, BLOCK)
        self.end = self._reader.size if found is None else found
        why = say("there is no header of the tar archive at byte {offset}", offset=start - BLOCK)
        self._findings.fault(start - BLOCK, self.end, why)
        return found is not None


def _filled_end(reader: Reader, end: int) -> int:
    """Return the end of the record that ``end`` lies in, if zeros fill it up; else ``end``."""
    filling = -end % RECORD
    return end + filling if reader.read_at(end, filling) == bytes(filling) else end


def measure(reader: Reader) -> Measure:
    """Go from header to header to the two empty blocks, and on to the end of the record if that is empty."""
    walk = _Walk(reader, Findings(reader.size), resync=False)
    if not walk.members or not walk.closed:
        return Measure(None, say("the tar archive breaks off before its end mark"))
    end = _filled_end(reader, walk.end)
    others = (walk.end,) if walk.end != end else ()
    return Measure(end, say("the tar archive ends with its end mark"), others)


def validate(reader: Reader) -> Validation:
    """Check the checksum of every header and the padding of every member."""
    findings = Findings(reader.size)
    walk = _Walk(reader, findings, resync=True)
    if not walk.members:
        return bad(say("no header of a tar archive"), reader.size)
    if not walk.closed and findings.clean:
        why = say("the tar archive has no end mark and may be cut off")
        findings.fault(reader.size, reader.size, why)
    end = min(_filled_end(reader, walk.end), reader.size)
    check_trailer(reader, end, findings)
    return findings.verdict(say("the headers of {count} members hold", count=walk.members), end)


FORMAT = Format(
    name="tar",
    title="tar archive",
    extensions=("tar",),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(257, b"ustar", 0.98),),
    references=("POSIX.1-2017 pax", "https://www.gnu.org/software/tar/manual/html_node/Standard.html"),
    limitations=("The contents of members have no checksum and are not checked.",),
)
