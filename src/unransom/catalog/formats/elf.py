"""ELF programs, libraries, objects and kernel modules: headers, sections, tables, code."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec
import numpy as np

from unransom.catalog.formats._code import random_blocks, random_code
from unransom.catalog.formats._deflate import ZLIB, Budget, End, broken_from, inflate
from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._textscan import random_windows
from unransom.catalog.formats._trailing import check_trailer, random_between
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.spans import Span, gaps
from unransom.core.streams import CHUNK, Reader

MAGIC = b"\x7fELF"
SYMBOLS, STRINGS, RELA, NOTHING, DYNAMIC_SYMBOLS = 2, 3, 4, 8, 11  # types of sections
EXECUTABLE, COMPRESSED = 4, 0x800  # flags of sections
SECTIONS_CAP = 1 << 16
PLAIN = (b".eh_frame", b".debug_", b".gcc_except", b".stab", b".comment")  # never uniform unless compressed


class Layout(msgspec.Struct, frozen=True):
    """Word size and byte order of a file, and where its tables are."""

    wide: bool
    order: str
    program_offset: int
    program_count: int
    section_offset: int
    section_count: int
    names: int


class Section(msgspec.Struct, frozen=True):
    """One entry of the section table, with its name."""

    name: bytes
    kind: int
    flags: int
    offset: int
    size: int
    link: int

    @property
    def end(self) -> int:
        """Where its bytes in the file end, 0 where it has none."""
        return 0 if self.kind in (0, NOTHING) else self.offset + self.size


def recognise(head: bytes) -> int:
    """Return the bits of the signature and the fields with few values."""
    return 88 if _layout(head) else 0


def _layout(head: bytes) -> Layout | None:
    if len(head) < 52 or not head.startswith(MAGIC) or head[4] not in (1, 2) or head[5] not in (1, 2):
        return None
    wide, order = head[4] == 2, "<" if head[5] == 1 else ">"
    if head[6] != 1 or any(head[9:16]) or len(head) < (64 if wide else 52):
        return None
    form = order + ("QQ4xH" if wide else "II4xH")
    programs, sections, own = struct.unpack_from(form, head, 32 if wide else 28)
    _, count, size, total, names = struct.unpack_from(order + "5H", head, 54 if wide else 42)
    if own != (64 if wide else 52) or (total and size != (64 if wide else 40)):
        return None
    return Layout(wide, order, programs, count, sections, total, names)


def _sections(reader: Reader, layout: Layout) -> list[Section] | None:
    """Return the section table, None where it is cut off or names itself wrongly."""
    size = 64 if layout.wide else 40
    first = reader.read_at(layout.section_offset, size)
    if not layout.section_offset:
        return []
    if len(first) < size:
        return None
    count = layout.section_count or min(
        _entry(first, layout)[5], SECTIONS_CAP
    )  # the first has it where it is large
    table = reader.read_at(layout.section_offset, count * size)
    if len(table) < count * size:
        return None
    rows = [_entry(table[at : at + size], layout) for at in range(0, len(table), size)]
    index = rows[0][6] if layout.names == 0xFFFF and rows else layout.names
    if index >= len(rows):
        return None
    names = reader.read_at(rows[index][4], min(rows[index][5], CHUNK))
    return [Section(names[row[0] : row[0] + 64].split(b"\0")[0], row[1], row[2], *row[4:7]) for row in rows]


def _entry(raw: bytes, layout: Layout) -> tuple[int, ...]:
    """Return name, type, flags, address, offset, size and link of a section."""
    return struct.unpack_from(layout.order + ("IIQQQQI" if layout.wide else "7I"), raw)


def _end(reader: Reader, layout: Layout, sections: list[Section]) -> int:
    """Return the end of the last thing that a header points at."""
    size, row = (56, "8xQ16xQ") if layout.wide else (32, "4xI8xI")
    ends = [layout.section_offset + len(sections) * (64 if layout.wide else 40)] if sections else []
    ends += [section.end for section in sections]
    table = reader.read_at(layout.program_offset, layout.program_count * size)
    for at in range(0, len(table) - size + 1, size):
        offset, length = struct.unpack_from(layout.order + row, table, at)
        ends.append(offset + length)
    return max(ends, default=0)


def measure(reader: Reader) -> Measure:
    """Return the end of the last section, segment or table."""
    layout = _layout(reader.read_at(0, 64))
    sections = _sections(reader, layout) if layout else None
    if layout is None or sections is None:
        return Measure(None, say("no ELF header with a section table"))
    end = _end(reader, layout, sections)
    return Measure(end if 0 < end <= reader.size else None, say("by the last section, segment or table"))


def validate(reader: Reader) -> Validation:
    """Check the headers, then each section by its type."""
    layout = _layout(reader.read_at(0, 64))
    if layout is None:
        return bad(say("no ELF header"), reader.size)
    findings = Findings(reader.size)
    findings.hold(88)
    sections = _sections(reader, layout)
    if sections is None:
        findings.fault(layout.section_offset, reader.size, say("the section table is cut off or broken"))
        return findings.verdict(say("the sections hold"))
    end = _end(reader, layout, sections)
    if end > reader.size:
        findings.fault(
            reader.size, reader.size, say("the file is cut off: its sections end at {end}", end=end)
        )
    else:
        check_trailer(reader, end, findings)
    _check_sections(reader, layout, sections, findings)
    return findings.verdict(say("{count} sections hold", count=len(sections)), end)


def _check_sections(reader: Reader, layout: Layout, sections: list[Section], findings: Findings) -> None:
    budget = Budget(reader.size)
    for section in sections:
        if not section.size or not 0 < section.end <= reader.size or not budget.spend(section.size, 0):
            continue  # sections that overlap would take long to check
        findings.hold(16)
        for span in _broken(reader, layout, section, sections, budget):
            name = section.name.decode("latin-1")
            findings.fault(span.start, span.end, say("section {name} holds what it cannot", name=name))
    if sections:
        _check_gaps(reader, layout, sections, findings)


def _broken(
    reader: Reader, layout: Layout, section: Section, sections: list[Section], budget: Budget
) -> Iterator[Span]:
    """Yield where ``section`` does not hold."""
    if section.flags & COMPRESSED:
        yield from _no_stream(reader, layout, section, budget)
    elif section.kind == STRINGS:
        yield from _no_names(reader, section)
    elif section.kind in (SYMBOLS, DYNAMIC_SYMBOLS):
        names = sections[section.link].size if section.link < len(sections) else 0
        yield from _no_symbols(reader, layout, section, names)
    elif section.kind == RELA and layout.wide and layout.order == "<":
        yield from _no_relocations(reader, section)
    elif section.flags & EXECUTABLE or section.name.startswith(PLAIN):
        yield from random_code(reader, section.offset, section.end)
    else:
        yield from random_blocks(reader, section.offset, section.end)


def _no_stream(reader: Reader, layout: Layout, section: Section, budget: Budget) -> Iterator[Span]:
    """Yield where a section that is compressed with zlib does not inflate."""
    kind = int.from_bytes(reader.read_at(section.offset, 4), "little" if layout.order == "<" else "big")
    if kind == 1:
        start = section.offset + (24 if layout.wide else 12)
        done = inflate(reader, start, section.end, budget, window_bits=ZLIB)
        if done.end in (End.BROKEN, End.CUT):
            yield Span(broken_from(done, start), section.end)


def _no_names(reader: Reader, section: Section) -> Iterator[Span]:
    """Yield the parts of a string table that are no names."""
    for start in range(section.offset, section.end, CHUNK):
        for span in random_windows(reader.read_at(start, min(CHUNK, section.end - start))):
            yield Span(start + span.start, start + span.end)


def _no_symbols(reader: Reader, layout: Layout, section: Section, names: int) -> Iterator[Span]:
    """Yield symbols whose name is outside of the string table or whose type does not exist."""
    order = layout.order
    fields = (
        ("name", order + "u4"),
        ("info", "u1"),
        ("other", "u1"),
        ("section", order + "u2"),
        ("rest", "V16"),
    )
    narrow = (fields[0], ("rest", "V8"), *fields[1:4])
    row = np.dtype(list(fields if layout.wide else narrow))
    step = CHUNK // row.itemsize * row.itemsize
    for start in range(section.offset, section.end, step):
        data = reader.read_at(start, min(step, section.end - start))
        rows = np.frombuffer(data[: len(data) // row.itemsize * row.itemsize], row)
        wrong = (rows["name"] >= max(names, 1)) | (rows["info"] & 15 == 7) | ((rows["info"] >> 4) % 10 > 2)
        places = np.flatnonzero(wrong)
        if len(places) > len(rows) // 512 + 1:  # a few odd ones are some tool's own
            yield Span(start + int(places[0]) * row.itemsize, start + (int(places[-1]) + 1) * row.itemsize)


def _no_relocations(reader: Reader, section: Section) -> Iterator[Span]:
    """Yield relocations of types that no processor has."""
    step = CHUNK // 24 * 24
    for start in range(section.offset, section.end, step):
        data = reader.read_at(start, min(step, section.end - start))
        kinds = np.frombuffer(data[: len(data) // 24 * 24], "<u4").reshape(-1, 6)[:, 2]
        places = np.flatnonzero(kinds > 0xFFFF)
        if len(places):
            yield Span(start + int(places[0]) * 24, start + (int(places[-1]) + 1) * 24)


def _check_gaps(reader: Reader, layout: Layout, sections: list[Section], findings: Findings) -> None:
    """Look for random bytes in the padding between headers and sections."""
    entry, segment = (64, 56) if layout.wide else (40, 32)
    used = [Span(section.offset, section.end) for section in sections if section.end]
    used.append(Span(0, 64))
    used.append(Span(layout.section_offset, layout.section_offset + len(sections) * entry))
    used.append(Span(layout.program_offset, layout.program_offset + layout.program_count * segment))
    for gap in gaps(used, min(reader.size, max(span.end for span in used))):
        if random_between(reader, gap.start, gap.end):
            findings.fault(
                gap.start, gap.end, say("random bytes between the sections at offset {at}", at=gap.start)
            )


FORMAT = Format(
    name="elf",
    title="ELF program or library",
    extensions=("so", "o", "ko", "elf", "axf", "prx"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, MAGIC), Known(0, MAGIC + b"\2\1\1", 0.9)),
    references=("https://gabi.xinuos.com/",),
    limitations=(
        "Code is only told from uniformly random bytes, in stretches of 3 KiB and more.",
        "Constants and data may be random; only whole blocks of 4 KiB that stand out are noticed.",
    ),
)
