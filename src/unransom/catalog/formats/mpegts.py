"""MPEG transport streams: packets of 188 bytes that begin alike, in M2TS with a time before each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import CHUNK, Reader

SYNC = 0x47
FIRST = bytes([SYNC])
LAYOUTS = ((188, 0), (192, 4))  # bytes of a packet with what stands before it, and of that
FEWEST = 5  # packets that make a stream
PACKET_BITS = 10  # the byte it begins with, and that neither an error nor the reserved control is set


def _layout(head: bytes) -> tuple[int, int] | None:
    """Return the layout whose packets ``head`` begins with, None where there is none."""
    for size, before in LAYOUTS:
        if head[before : before + 1] != FIRST:
            continue
        rows = np.frombuffer(head, np.uint8, len(head) // size * size).reshape(-1, size)[:, before:]
        if len(rows) >= FEWEST and _holds(rows).all():
            return size, before
    return None


def _holds(packets: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which packets have a header that makes sense."""
    return (packets[:, 0] == SYNC) & (packets[:, 1] < 0x80) & (packets[:, 3] & 0x30 != 0)


def recognise(head: bytes) -> int:
    """Return the bits of the headers of the first packets."""
    found = _layout(head)
    return len(head) // found[0] * PACKET_BITS if found else 0


def _rows(reader: Reader, size: int, before: int) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Yield offsets, and which of the whole packets from there on hold."""
    step = CHUNK // size * size
    for start in range(0, reader.size // size * size, step):
        data = reader.read_at(start, min(step, reader.size // size * size - start))
        rows = np.frombuffer(data, np.uint8, len(data) // size * size).reshape(-1, size)
        yield start, _holds(rows[:, before:])


def measure(reader: Reader) -> Measure:
    """Go on as long as packets hold."""
    layout = _layout(reader.read_at(0, 4096))
    if layout is None:
        return Measure(None, say("this is no MPEG transport stream"))
    end = reader.size // layout[0] * layout[0]
    for start, held in _rows(reader, *layout):
        if not held.all():
            end = start + int(np.argmin(held)) * layout[0]
            break
    return Measure(end, say("packets of the transport stream follow each other up to there"))


def validate(reader: Reader) -> Validation:
    """Check the header of every packet."""
    layout = _layout(reader.read_at(0, 4096))
    if layout is None:
        return bad(say("this is no MPEG transport stream"), reader.size)
    findings, size, count, last = Findings(reader.size), layout[0], 0, 0
    breaks: list[tuple[int, int]] = []
    for start, held in _rows(reader, *layout):
        count += int(held.sum())
        edges = np.flatnonzero(np.diff(np.concatenate(([1], held.view(np.int8), [1]))))
        breaks += [(start + first * size, start + end * size) for first, end in edges.reshape(-1, 2).tolist()]
        if held.any():
            last = start + (len(held) - int(np.argmax(held[::-1]))) * size
    findings.hold(count * PACKET_BITS)
    for first, end in breaks:
        if first < last:
            why = say("no packet of the transport stream is at byte {offset}", offset=first)
            findings.fault(first, end, why)
    check_trailer(reader, last, findings)
    return findings.verdict(say("{count} packets of the transport stream hold", count=count), last)


FORMAT = Format(
    name="mpegts",
    title="MPEG film (transport stream)",
    extensions=("ts", "m2ts", "mts", "m2t"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, bytes([SYNC]), 0.9),),
    compressed=True,
    references=("ISO/IEC 13818-1, section 2.4", "Blu-ray Disc BDAV: packets of 192 bytes"),
    limitations=(
        "Sound and pictures inside of packets are not decoded.",
        "A stream that is cut off between two packets looks whole.",
    ),
)
