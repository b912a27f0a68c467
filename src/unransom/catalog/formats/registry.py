"""Windows registry hives: base block, chain of bins, chain of cells in each bin."""

from __future__ import annotations

import struct

import numpy as np

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader

MAGIC, BIN = b"regf", b"hbin"
PAGE = 4096
LARGEST = 1 << 26  # bytes of a bin; real ones have a few pages, or one value of a few MiB


def recognise(head: bytes) -> int:
    """Return the bits of the signature, the fixed fields and the base block's checksum."""
    if len(head) < 512 or not head.startswith(MAGIC):
        return 0
    major, minor, kind, form = struct.unpack_from("<4I", head, 20)
    if major != 1 or minor > 6 or kind > 8 or form != 1:
        return 0
    return 160 if _checksum(head) == struct.unpack_from("<I", head, 508)[0] else 128


def _checksum(head: bytes) -> int:
    total = int(np.bitwise_xor.reduce(np.frombuffer(head, "<u4", 127)))
    return {0: 1, 0xFFFFFFFF: 0xFFFFFFFE}.get(total, total)


def _stated(head: bytes) -> int:
    """Return the length of the hive by its base block."""
    return PAGE + int(struct.unpack_from("<I", head, 40)[0])


def measure(reader: Reader) -> Measure:
    """Return the base block and the bins that it counts."""
    head = reader.read_at(0, PAGE)
    if not recognise(head):
        return Measure(None, say("no registry hive"))
    end = _stated(head)
    return Measure(end if end <= reader.size else None, say("by the size of the bins"))


def validate(reader: Reader) -> Validation:
    """Walk all bins and all cells in them."""
    head = reader.read_at(0, PAGE)
    findings = Findings(reader.size)
    bits = recognise(head)
    findings.hold(bits)
    end = _stated(head) if bits else reader.size // PAGE * PAGE
    if bits < 160:
        findings.fault(0, min(PAGE, reader.size), say("the base block of the hive does not hold"))
    if end > reader.size:
        findings.fault(reader.size, reader.size, say("the hive is cut off"))
    at, bins = PAGE, 0
    while at < min(end, reader.size):
        size = _bin_size(reader, at)
        if not size:
            findings.fault(
                at, min(at + PAGE, reader.size), say("no bin of a hive at offset {offset}", offset=at)
            )
        else:
            bins += 1
            findings.hold(64)
            _check_cells(reader.read_at(at, size), at, findings)
        at += size or PAGE
    if not bits and not bins:
        return bad(say("neither a base block nor bins of a registry hive"), reader.size)
    check_trailer(reader, min(end, reader.size), findings)
    return findings.verdict(say("{bins} bins of the hive hold", bins=bins), end)


def _bin_size(reader: Reader, at: int) -> int:
    """Return the size of the bin at ``at``, 0 where there is none."""
    head = reader.read_at(at, 12)
    if len(head) < 12 or not head.startswith(BIN):
        return 0
    own, size = struct.unpack_from("<II", head, 4)
    return size if own == at - PAGE and 0 < size <= LARGEST and size % PAGE == 0 else 0


def _check_cells(data: bytes, start: int, findings: Findings) -> None:
    """Walk the cells of a bin: sizes, negative where in use, that fill it to its last byte."""
    at, cells = 32, 0
    while at + 4 <= len(data):
        size = abs(int.from_bytes(data[at : at + 4], "little", signed=True))
        if size < 8 or size % 8 or at + size > len(data):
            why = say("the cells of the hive break at offset {offset}", offset=start + at)
            findings.fault(start + at, start + len(data), why)
            return
        cells += 1
        at += size
    findings.hold(8 * cells)


FORMAT = Format(
    name="registry",
    title="Windows registry hive",
    extensions=("dat", "hiv", "hive"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, MAGIC), Known(20, b"\1\0\0\0"), Known(PAGE, BIN + bytes(4))),
    references=(
        "https://github.com/msuhanov/regf/blob/master/Windows%20registry%20file%20format%20specification.md",
    ),
    limitations=("Keys and values inside of cells are not checked.", "Transaction logs are not read."),
)
