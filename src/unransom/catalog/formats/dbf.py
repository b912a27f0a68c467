"""dBASE tables: a header, field descriptions, records of one size."""

from __future__ import annotations

import struct

import msgspec
import numpy as np

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._textscan import random_windows
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import CHUNK, Reader

VERSIONS = (0x02, 0x03, 0x04, 0x05, 0x30, 0x31, 0x32, 0x43, 0x63, 0x83, 0x8B, 0x8C, 0xCB, 0xE5, 0xF5, 0xFB)
FIELD_TYPES = b"CNDLMFBGPYTIVX@+OQW0"
DELETED = b" *"  # first byte of each record
DATED, FIELD, WIDTHS, MOST = 11, 5, 8, 40  # bits of version and date, of a field, of a size that fits, in all
BINARY = b"BGPYTIVX@+OQ0"  # types that are not kept as text


class Header(msgspec.Struct, frozen=True):
    """The fixed part of the header, whether all fields are text, and the bits that speak for it."""

    records: int
    start: int
    size: int
    text: bool
    bits: int

    @property
    def end(self) -> int:
        """Where the last record ends."""
        return self.start + self.records * self.size


def _header(head: bytes) -> Header | None:
    if len(head) < 65 or head[0] not in VERSIONS or not 1 <= head[2] <= 12 or not 1 <= head[3] <= 31:
        return None
    records, start, size = struct.unpack_from("<IHH", head, 4)
    fields = [head[at : at + 32] for at in range(32, min(start, len(head)) - 31, 32)]
    fields = [field for field in fields if field[0] != 13]
    if start < 65 or size < 2 or not fields or not _is_field(fields[0]):
        return None
    known = [field for field in fields if _is_field(field)]
    widths = sum(field[16] for field in known)
    whole = start <= len(head)
    if whole and not widths < size <= widths + 1 + 256 * len(known):
        return None
    # Fields in the middle may be lost, but random bytes are a field now and then, too: the first ones count.
    leading = next((number for number, field in enumerate(fields) if not _is_field(field)), len(fields))
    bits = min(DATED + FIELD * leading + WIDTHS * whole, MOST)
    return Header(records, start, size, not any(field[11] in BINARY for field in known), bits)


def _is_field(field: bytes) -> bool:
    return field[11] in FIELD_TYPES and 32 < field[0] < 128


def recognise(head: bytes) -> int:
    """Return the bits of the version, the date and the fields whose widths add up."""
    header = _header(head)
    return header.bits if header else 0


def measure(reader: Reader) -> Measure:
    """Return the end of the last record and the mark behind it."""
    header = _header(reader.read_at(0, 4096))
    if header is None or header.end > reader.size:
        return Measure(None, say("no dBASE table"))
    return Measure(_end(reader, header), say("by the number of records"))


def _end(reader: Reader, header: Header) -> int:
    """Return the end of the last record, and of the mark behind it where there is one."""
    return header.end + (reader.read_at(header.end, 1) == b"\x1a")


def validate(reader: Reader) -> Validation:
    """Check the first byte of every record, and that tables of text hold text."""
    header = _header(reader.read_at(0, 4096))
    if header is None:
        return bad(say("no dBASE table"), reader.size)
    findings = Findings(reader.size)
    findings.hold(header.bits)
    if header.end > reader.size:
        findings.fault(reader.size, reader.size, say("the table is cut off"))
    step = max(1, CHUNK // header.size) * header.size
    for start in range(header.start, min(header.end, reader.size), step):
        data = reader.read_at(start, min(step, header.end - start))
        marks = np.frombuffer(data, np.uint8)[:: header.size]
        wrong = np.flatnonzero(~np.isin(marks, np.frombuffer(DELETED, np.uint8)))
        for record in wrong.tolist():
            place = start + record * header.size
            findings.fault(
                place,
                min(place + header.size, reader.size),
                say("no record at offset {offset}", offset=place),
            )
        for span in random_windows(data) if header.text else ():
            findings.fault(
                start + span.start,
                start + span.end,
                say("no text from offset {offset} on", offset=start + span.start),
            )
        findings.hold(7 * (len(marks) - len(wrong)))
    end = _end(reader, header)
    if end <= reader.size:
        check_trailer(reader, end, findings)
    return findings.verdict(say("{records} records hold", records=header.records), end)


FORMAT = Format(
    name="dbf",
    title="dBASE table",
    extensions=("dbf",),
    recognise=recognise,
    measure=measure,
    validate=validate,
    references=("https://www.loc.gov/preservation/digital/formats/fdd/fdd000325.shtml",),
    limitations=("Fields that are not kept as text are not checked.",),
)
