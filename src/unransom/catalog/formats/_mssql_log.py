"""The virtual log files of an SQL Server transaction log (.ldf)."""

from __future__ import annotations

import struct

import numpy as np

from unransom.catalog.formats._findings import Findings
from unransom.core.messages import say
from unransom.core.streams import CHUNK, Reader

FIRST = 8192  # behind the file header page
SIGNATURE = 0xAB
GROUP = 4096  # eight sectors: random ones pass with 2**-38
_MARK = np.zeros(256, bool)  # first byte of a sector: parity, first and last sector of a block; or never used
_MARK[[0x00, 0xC0, *(parity | part for parity in (0x40, 0x80) for part in (0, 0x08, 0x10, 0x18))]] = True


def is_log(reader: Reader) -> bool:
    """Tell whether a virtual log file stands behind the file header."""
    return _span(reader, FIRST) is not None


def _span(reader: Reader, at: int) -> int | None:
    """Return the size of the virtual log file whose header is at ``at``, None where there is none."""
    head = reader.read_at(at, 32)
    if len(head) < 32 or head[0] != SIGNATURE:
        return None
    size, own = struct.unpack_from("<QQ", head, 16)
    return int(size) if size >= FIRST and size % 512 == 0 and own == at else None


def check_log(reader: Reader, findings: Findings) -> int:
    """Walk the chain of virtual log files and the marks of all sectors; return where the chain ends."""
    at = FIRST
    while at < reader.size:
        size = _span(reader, at)
        if size is None:
            findings.fault(
                at, min(at + FIRST, reader.size), say("no virtual log file at offset {offset}", offset=at)
            )
            break
        findings.hold(100)
        at += size
    if at > reader.size:
        findings.fault(reader.size, reader.size, say("the log is cut off"))
    _check_sectors(reader, findings)
    return at


def _check_sectors(reader: Reader, findings: Findings) -> None:
    """Check the marks of all sectors but headers, of two groups that keep old bytes."""
    end = reader.size // GROUP * GROUP
    for start in range(FIRST, end, CHUNK):
        data = np.frombuffer(reader.read_at(start, min(CHUNK, end - start)), np.uint8)
        marked = _MARK[data[::512]].reshape(-1, GROUP // 512).all(axis=1)
        for group in np.flatnonzero(~marked).tolist():
            place = start + group * GROUP
            if _span(reader, place) is None and _span(reader, place - GROUP) is None:
                findings.fault(place, place + GROUP, say("no log sectors at offset {offset}", offset=place))
        findings.hold(38 * int(marked.sum()))
