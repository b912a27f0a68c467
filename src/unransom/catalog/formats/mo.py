"""Compiled gettext catalogues: two tables of strings that must stand in the file, ended and readable."""

from __future__ import annotations

import struct

import numpy as np

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._textscan import random_windows
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import CHUNK, Reader

ORDERS = {b"\xde\x12\x04\x95": "<", b"\x95\x04\x12\xde": ">"}
STRINGS_CAP = 1 << 22


def recognise(head: bytes) -> int:
    """Return the bits of the signature and the revision."""
    order = ORDERS.get(head[:4])
    if order is None or len(head) < 28:
        return 0
    revision, _, originals, translations = struct.unpack_from(order + "4I", head, 4)
    known = revision >> 16 < 2 and revision & 0xFFFF < 2
    return 64 if known and min(originals, translations) >= 28 else 0


def _strings(reader: Reader) -> np.ndarray:
    """Return (length, offset) of all strings, originals first; fewer rows where the tables are cut off."""
    head = reader.read_at(0, 28)
    order = ORDERS[head[:4]]
    count, originals, translations = struct.unpack_from(order + "III", head, 8)
    size = min(count, STRINGS_CAP) * 8
    data = reader.read_at(originals, size)[: size // 8 * 8] + reader.read_at(translations, size)
    return np.frombuffer(data[: len(data) // 8 * 8], order + "u4").reshape(-1, 2).astype(np.int64)


def _end(reader: Reader, rows: np.ndarray) -> int:
    head = reader.read_at(0, 28)
    size, offset = struct.unpack_from(ORDERS[head[:4]] + "II", head, 20)
    last = int((rows.sum(axis=1) + 1).max()) if len(rows) else 28
    return max(last, offset + 4 * size if size else 0)


def measure(reader: Reader) -> Measure:
    """Return the end of the last string or of the hash table."""
    if not recognise(reader.read_at(0, 28)):
        return Measure(None, say("no compiled catalogue"))
    end = _end(reader, _strings(reader))
    return Measure(end if end <= reader.size else None, say("by the last string"))


def validate(reader: Reader) -> Validation:
    """Check that every string stands in the file, ends with a zero, and that all of them are text."""
    head = reader.read_at(0, 28)
    if not recognise(head):
        return bad(say("no compiled catalogue"), reader.size)
    findings = Findings(reader.size)
    findings.hold(64)
    count = struct.unpack_from(ORDERS[head[:4]] + "I", head, 8)[0]
    rows = _strings(reader)
    end = _end(reader, rows)
    wrong = rows[rows.sum(axis=1) >= reader.size]
    if len(rows) < 2 * min(count, STRINGS_CAP) or len(wrong):
        findings.fault(28, reader.size, say("the strings of the catalogue lie outside of the file"))
        return findings.verdict(say("all strings hold"))
    if len(rows):
        _check_text(reader, rows, findings)
    return findings.verdict(say("all strings hold"), end)


def _check_text(reader: Reader, rows: np.ndarray, findings: Findings) -> None:
    """Check from the first string on; behind the last one only strings for other systems may follow."""
    all_ends = np.sort(rows.sum(axis=1))
    for at in range(int(rows[:, 1].min()), reader.size, CHUNK):
        data = reader.read_at(at, CHUNK)
        for span in random_windows(data):
            findings.fault(
                at + span.start, at + span.end, say("no text from offset {offset} on", offset=at + span.start)
            )
        ends = all_ends[np.searchsorted(all_ends, at) : np.searchsorted(all_ends, at + len(data))] - at
        open_ends = ends[np.frombuffer(data, np.uint8)[ends] != 0]
        if len(open_ends):
            place = at + int(open_ends.min())
            findings.fault(place, place + 1, say("a string has no end at offset {offset}", offset=place))
        findings.hold(8 * (len(ends) - len(open_ends)))


FORMAT = Format(
    name="mo",
    title="Compiled translations",
    extensions=("mo", "gmo"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, b"\xde\x12\x04\x95\0\0\0\0", 0.98),),
    references=("https://www.gnu.org/software/gettext/manual/html_node/MO-Files.html",),
)
