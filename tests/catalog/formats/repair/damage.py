"""Lock parts of files in memory, and say by other means than ours what is left of them."""

import io
import random
import re
import zipfile
import zlib

from tests.lockers import drawn
from unransom.catalog.formats.repair.repair import Damaged
from unransom.core.spans import Span
from unransom.core.streams import BytesReader

KIB64 = 64 * 1024
CELL = re.compile(rb'<c r="([A-Z]+\d+)"[^>]*?(?:/>|>.*?</c>)', re.DOTALL)


def holes(size, how):
    """Return the ranges that a locker takes: the head, the tail, or every second 64 KiB."""
    starts = {
        "head": [0],
        "tail": [max(size - KIB64, 0)],
        "even": range(0, size, 2 * KIB64),
        "odd": range(KIB64, size, 2 * KIB64),
    }[how]
    return [Span(start, min(start + KIB64, size)) for start in starts]


def locked(data, spans, seed=1):
    """Return ``data`` with random bytes in ``spans``."""
    out = bytearray(data)
    for number, span in enumerate(spans):
        out[span.start : span.end] = drawn(f"{seed} {number}", len(span))
    return bytes(out)


def damaged(data, spans=(), name=b"", told=False):
    return Damaged(BytesReader(locked(data, spans)), name, tuple(spans) if told else ())


def written(repaired):
    return b"".join(data for data, _ in repaired.pieces)


def heads_left(data, spans):
    """Yield (name, what zlib inflates in front of the first lost byte, whether that is all)."""
    for entry in zipfile.ZipFile(io.BytesIO(data)).infolist():
        names = data[entry.header_offset + 26 : entry.header_offset + 30]
        start = (
            entry.header_offset
            + 30
            + int.from_bytes(names[:2], "little")
            + int.from_bytes(names[2:], "little")
        )
        end = start + entry.compress_size
        stop = min(
            [max(span.start, start) for span in spans if span.end > start and span.start < end] or [end]
        )
        packed = data[start:stop]
        if entry.compress_type == zipfile.ZIP_STORED:
            yield entry.filename, packed, stop == end
        else:
            yield entry.filename, zlib.decompressobj(-15).decompress(packed), stop == end


def complete_cells(sheet):
    """Return the names of the cells whose elements are whole in the first bytes of a sheet."""
    return [found[1].decode() for found in CELL.finditer(sheet)]


def chance(seed):
    return random.Random(seed)
