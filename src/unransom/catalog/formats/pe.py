"""Windows programs and libraries: headers, sections, relocations, unwind tables, checksum, code."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec
import numpy as np

from unransom.catalog.formats._code import random_blocks, random_code
from unransom.catalog.formats._deflate import Budget
from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._trailing import looks_random
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import Reader, chunks

EXECUTABLE = 0x20000020  # flags of a section with code
UNWIND, CERTIFICATES, RELOCATIONS = 3, 4, 5  # data directories
AMD64 = 0x8664
SECTIONS_CAP = 256
TABLE_CAP = 1 << 26  # bytes of a table that are looked at
SHORT_OVERLAY = 4096  # longer ones are an installer's payload
PACKERS = (b"UPX", b".MPRESS", b".aspack", b".adata", b".petite", b".vmp", b".themida")
STUB = b"This program cannot be run in DOS mode"


class Section(msgspec.Struct, frozen=True):
    """One entry of the section table; offsets in the file, ``address`` when loaded."""

    name: bytes
    address: int
    offset: int
    size: int
    flags: int

    @property
    def end(self) -> int:
        """Where its bytes in the file end."""
        return self.offset + self.size


class Image(msgspec.Struct, frozen=True):
    """The headers of a program.

    Attributes:
        machine: The processor.
        checksum: Of the whole file, 0 where not set.
        checksum_at: Its offset.
        headers: Bytes of all headers.
        directories: (address, size) of tables; for certificates the offset in the file.
        sections: In the order of the table.
    """

    machine: int
    checksum: int
    checksum_at: int
    headers: int
    directories: tuple[tuple[int, int], ...]
    sections: tuple[Section, ...]

    def locate(self, directory: int) -> Span | None:
        """Return where a data directory lies in the file, None where it has none."""
        if directory >= len(self.directories):
            return None
        address, size = self.directories[directory]
        for section in self.sections:
            if size and section.address <= address and address + size <= section.address + section.size:
                start = section.offset + address - section.address
                return Span(start, min(start + size, section.end))
        return None

    @property
    def end(self) -> int:
        """End of the last section or of the certificates behind them."""
        ends = [section.end for section in self.sections if section.size]
        if len(self.directories) > CERTIFICATES and self.directories[CERTIFICATES][1]:
            ends.append(sum(self.directories[CERTIFICATES]))
        return max(ends, default=self.headers)


def recognise(head: bytes) -> int:
    """Return the bits of the two signatures; those of the DOS stub where it is the usual one."""
    if len(head) < 64 or head[:2] != b"MZ":
        return 0
    (place,) = struct.unpack_from("<I", head, 60)
    signature = head[place : place + 4]
    if place < len(head) and signature != b"PE\0\0":
        return 0
    return 16 + (32 if signature else 0) + (64 if STUB in head else 0) if signature or STUB in head else 0


def _image(reader: Reader) -> Image | None:
    head = reader.read_at(0, 64)
    place = struct.unpack_from("<I", head, 60)[0] if len(head) == 64 and head[:2] == b"MZ" else 0
    raw = reader.read_at(place, 24 + 240 + SECTIONS_CAP * 40)
    if not place or len(raw) < 120 or raw[:4] != b"PE\0\0":
        return None
    machine, count, size, _ = struct.unpack_from("<HH12xHH", raw, 4)
    magic = struct.unpack_from("<H", raw, 24)[0]
    at = 24 + {0x10B: 92, 0x20B: 108}.get(magic, 0)
    if at == 24 or count > SECTIONS_CAP or size < at - 20 or len(raw) < 24 + size + count * 40:
        return None
    headers, checksum = struct.unpack_from("<II", raw, 24 + 60)
    entries = min(struct.unpack_from("<I", raw, at)[0], 16, (24 + size - at - 4) // 8)
    directories = tuple(struct.unpack_from("<II", raw, at + 4 + 8 * index) for index in range(entries))
    rows = (struct.unpack_from("<8sIIII12xI", raw, 24 + size + 40 * index) for index in range(count))
    sections = tuple(
        Section(name.rstrip(b"\0"), address, offset if length else 0, length, flags)
        for name, _, address, length, offset, flags in rows
    )
    return Image(machine, checksum, place + 24 + 64, headers, directories, sections)


def measure(reader: Reader) -> Measure:
    """Return the end of the last section or of the signature behind it."""
    image = _image(reader)
    if image is None:
        return Measure(None, say("no header of a Windows program"))
    return Measure(image.end if image.end <= reader.size else None, say("by the last section or signature"))


def validate(reader: Reader) -> Validation:
    """Check the headers, the tables that have an order, and that code is not random."""
    image = _image(reader)
    if image is None:
        return bad(say("no header of a Windows program"), reader.size)
    findings = Findings(reader.size)
    findings.hold(48)
    if image.end > reader.size:
        findings.fault(
            reader.size, reader.size, say("the file is cut off: its sections end at {end}", end=image.end)
        )
    if image.checksum and findings.clean and image.checksum == checksum(reader, image.checksum_at):
        findings.hold(32)
        return findings.verdict(say("the checksum of the program fits"), image.end)
    budget = Budget(reader.size)
    for section in image.sections:
        fits = budget.spend(section.size, 0)  # sections that overlap would take long to check
        for span in _random(reader, section) if fits else ():
            name = section.name.decode("latin-1")
            findings.fault(span.start, span.end, say("section {name} holds what it cannot", name=name))
    _check_relocations(reader, image, findings)
    _check_unwinding(reader, image, findings)
    _check_overlay(reader, image, findings)
    return findings.verdict(say("{count} sections hold", count=len(image.sections)), image.end)


def checksum(reader: Reader, place: int) -> int:
    """Return the file's checksum: its 16-bit words added with carry, without its own place, plus the size."""
    total, position = 0, 0
    for piece in chunks(reader):
        data = bytearray(piece + b"\0" * (len(piece) % 2))
        for byte in range(max(place, position), min(place + 4, position + len(piece))):
            data[byte - position] = 0
        total += int(np.frombuffer(data, "<u2").sum(dtype=np.uint64))
        position += len(piece)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total + reader.size


def _random(reader: Reader, section: Section) -> Iterator[Span]:
    """Yield where ``section`` is uniformly random though it is neither packed nor resources."""
    if section.name.startswith(PACKERS) or section.name == b".rsrc":
        return
    if section.flags & EXECUTABLE:
        yield from random_code(reader, section.offset, min(section.end, reader.size))
    else:
        yield from random_blocks(reader, section.offset, min(section.end, reader.size))


def _check_relocations(reader: Reader, image: Image, findings: Findings) -> None:
    """Walk the blocks of relocations: ascending pages, each with the size of its list."""
    span = image.locate(RELOCATIONS)
    if span is None or span.end > reader.size:
        return
    data = reader.read_at(span.start, min(len(span), TABLE_CAP))
    at, before = 0, -1
    while at + 8 <= len(data):
        page, size = struct.unpack_from("<II", data, at)
        if size == 0 and not any(data[at : at + 64]):
            break
        if size < 8 or size % 2 or page % 4096 or page <= before or at + size > len(data) + 8:
            findings.fault(
                span.start + at, span.end, say("the relocations break at offset {at}", at=span.start + at)
            )
            return
        findings.hold(16)
        at, before = at + size, page


def _check_unwinding(reader: Reader, image: Image, findings: Findings) -> None:
    """Check that the functions of the unwind table ascend."""
    span = image.locate(UNWIND)
    if span is None or span.end > reader.size or image.machine != AMD64:
        return
    data = reader.read_at(span.start, min(len(span), TABLE_CAP))
    rows = np.frombuffer(data[: len(data) // 12 * 12], "<u4").reshape(-1, 3).astype(np.int64)
    starts, ends = rows[rows[:, 0] > 0, 0], rows[rows[:, 0] > 0, 1]
    used = len(starts)
    wrong = np.flatnonzero((starts > ends) | (np.diff(starts, prepend=0) < 0))
    for row in wrong[: len(wrong) and 1].tolist():
        place = span.start + row * 12
        findings.fault(place, span.end, say("the unwind table breaks at offset {at}", at=place))
    findings.hold(min(used, 64))


def _check_overlay(reader: Reader, image: Image, findings: Findings) -> None:
    """Look for a locker's footer behind the program; a long overlay belongs to an installer."""
    extra = reader.size - image.end
    if 0 < extra <= SHORT_OVERLAY and looks_random(reader.read_at(image.end, extra)):
        why = say("{count} bytes that look encrypted follow the program", count=extra)
        findings.fault(image.end, reader.size, why)


FORMAT = Format(
    name="pe",
    title="Windows program or library",
    extensions=("exe", "dll", "sys", "ocx", "pyd", "scr", "cpl", "efi", "mui"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0", 0.9), Known(78, STUB, 0.9)),
    references=("https://learn.microsoft.com/en-us/windows/win32/debug/pe-format",),
    limitations=(
        "Where the file's checksum does not fit, resources, packed sections and overlays are not checked.",
        "Constants and data may be random; only whole blocks of 4 KiB that stand out are noticed.",
    ),
)
