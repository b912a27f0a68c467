"""Arrays of NumPy: a description of shape and type, then exactly that many bytes."""

from __future__ import annotations

import ast
import math
import re

import msgspec
import numpy as np

from unransom.catalog.formats._code import random_blocks
from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats._uniform import BLOCK
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import CHUNK, Reader

MAGIC = b"\x93NUMPY"
LONGEST = 1 << 16  # bytes of a description
LONG = re.compile(r"(\d)L\b")  # as Python 2 wrote numbers
DISTINCT = {4: 215, 8: 180}  # by width: a random block has more different top bytes of floats than this
PICKLED = "O"  # values that are Python objects, of unknown length


class Header(msgspec.Struct, frozen=True):
    """Where the values start, their bytes or None where the type does not tell, the width of floats."""

    start: int
    size: int | None
    float_width: int = 0
    big: bool = False

    @property
    def end(self) -> int:
        """Where the values end, or start if their size is not known."""
        return self.start + (self.size or 0)


def recognise(head: bytes) -> int:
    """Return the bits of the signature, the version and the start of the description."""
    known = len(head) >= 12 and head.startswith(MAGIC) and head[6] in (1, 2, 3) and head[7] == 0
    return 69 if known and b"{" in head[10:13] else 0


def _header(reader: Reader) -> Header | None:
    head = reader.read_at(0, 12)
    if not recognise(reader.read_at(0, 64)):
        return None
    wide = 2 if head[6] == 1 else 4
    length = int.from_bytes(head[8 : 8 + wide], "little")
    text = reader.read_at(8 + wide, min(length, LONGEST))
    try:
        fields = ast.literal_eval(LONG.sub(r"\1", text.decode("utf-8").strip()))
        kind, shape = fields["descr"], fields["shape"]
        count = math.prod(int(side) for side in shape)
    except (ValueError, SyntaxError, KeyError, TypeError, MemoryError, RecursionError):
        return None
    start = 8 + wide + length
    if not isinstance(kind, str) or kind[1:2] == PICKLED or not kind[2:].isdigit() or count < 0:
        return Header(start, None)
    width = int(kind[2:]) * (4 if kind[1] == "U" else 1)
    return Header(start, count * width, width if kind[1] == "f" else 0, kind[0] == ">")


def measure(reader: Reader) -> Measure:
    """Return the end of the last value."""
    header = _header(reader)
    if header is None or header.size is None or header.end > reader.size:
        return Measure(None, say("no NumPy array of known size"))
    return Measure(header.end, say("by the shape of the array"))


def validate(reader: Reader) -> Validation:
    """Check the description, the length, and look for random blocks that stand out."""
    header = _header(reader)
    if header is None:
        return bad(say("no NumPy array"), reader.size)
    findings = Findings(reader.size)
    findings.hold(72)
    if header.end > reader.size:
        findings.fault(reader.size, reader.size, say("the array is cut off"))
    elif header.size is not None:
        findings.hold(24)
        check_trailer(reader, header.end, findings)
    for span in random_blocks(reader, header.start, reader.size):
        findings.fault(span.start, span.end, say("random bytes in the array at offset {at}", at=span.start))
    if header.float_width in DISTINCT:
        _check_floats(reader, header, findings)
    return findings.verdict(say("the array has its size"), header.end if header.size is not None else None)


def _check_floats(reader: Reader, header: Header, findings: Findings) -> None:
    """Look for blocks whose floats have nearly every sign and exponent: real ones are of similar size."""
    end = min(header.end, reader.size) // BLOCK * BLOCK
    place = 0 if header.big else header.float_width - 1
    for start in range(-(-header.start // BLOCK) * BLOCK, end, CHUNK):
        data = np.frombuffer(reader.read_at(start, min(CHUNK, end - start)), np.uint8).reshape(-1, BLOCK)
        shift = (header.start + place - start) % header.float_width
        tops = np.sort(data[:, shift :: header.float_width], axis=1)
        distinct = 1 + np.count_nonzero(np.diff(tops, axis=1), axis=1)
        for block in np.flatnonzero(distinct > DISTINCT[header.float_width]).tolist():
            at = start + block * BLOCK
            findings.fault(at, at + BLOCK, say("random bytes in the array at offset {at}", at=at))


FORMAT = Format(
    name="npy",
    title="NumPy array",
    extensions=("npy",),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, MAGIC + b"\1\0"), Known(10, b"{'descr': ")),
    references=("https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html",),
    limitations=(
        "Whole numbers may be random; of them only whole blocks of 4 KiB that stand out are noticed.",
    ),
)
