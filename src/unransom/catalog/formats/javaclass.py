"""Java classes: the pool of constants, fields, methods and attributes, walked to the last byte."""

from __future__ import annotations

import struct

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Known, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader

MAGIC = b"\xca\xfe\xba\xbe"
LARGEST = 1 << 26  # bytes; a class cannot be much larger
TEXT = 1
SIZES = {
    3: 4,
    4: 4,
    5: 8,
    6: 8,
    7: 2,
    8: 2,
    9: 4,
    10: 4,
    11: 4,
    12: 4,
    15: 3,
    16: 2,
    17: 4,
    18: 4,
    19: 2,
    20: 2,
}
WIDE = (5, 6)  # numbers that take two places in the pool


class BrokenError(Exception):
    """The structure breaks at ``offset``."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


def recognise(head: bytes) -> int:
    """Return the bits of the signature and of a version that exists."""
    if len(head) < 12 or not head.startswith(MAGIC):
        return 0
    minor, major, count = struct.unpack_from(">HHH", head, 4)
    return (
        44
        if 45 <= major <= 80 and minor in (0, 3, 0xFFFF) and count > 1 and head[10] in (TEXT, *SIZES)
        else 0
    )


def _number(data: bytes, at: int, size: int) -> int:
    if at + size > len(data):
        raise BrokenError(at)
    return int.from_bytes(data[at : at + size], "big")


def _pool(data: bytes) -> int:
    """Return the end of the pool of constants."""
    index, count, at = 1, _number(data, 8, 2), 10
    while index < count:
        kind = _number(data, at, 1)
        if kind == TEXT:
            size = 2 + _number(data, at + 1, 2)
            if b"\0" in data[at + 3 : at + 1 + size]:  # zero is written as two bytes
                raise BrokenError(at)
        elif kind in SIZES:
            size = SIZES[kind]
        else:
            raise BrokenError(at)
        at += 1 + size
        index += 2 if kind in WIDE else 1
    return at


def _attributes(data: bytes, at: int) -> int:
    """Return the end of a list of attributes."""
    for _ in range(_number(data, at, 2)):
        at += 6 + _number(data, at + 4, 4)
        if at + 2 > len(data):
            raise BrokenError(min(at, len(data)))
    return at + 2


def walk(data: bytes) -> int:
    """Return the end of the class.

    Raises:
        BrokenError: It breaks before.
    """
    at = _pool(data) + 6
    at += 2 + 2 * _number(data, at, 2)  # interfaces
    for _ in range(2):  # fields, methods
        count = _number(data, at, 2)
        at += 2
        for _ in range(count):
            at = _attributes(data, at + 6)
    at = _attributes(data, at)
    if at > len(data):
        raise BrokenError(len(data))
    return at


def measure(reader: Reader) -> Measure:
    """Return the end of the last attribute."""
    data = reader.read_at(0, min(reader.size, LARGEST))
    if not recognise(data):
        return Measure(None, say("no Java class"))
    try:
        return Measure(walk(data), say("by the last attribute"))
    except BrokenError as error:
        return Measure(None, say("the class breaks at offset {offset}", offset=error.offset))


def validate(reader: Reader) -> Validation:
    """Walk the whole class."""
    data = reader.read_at(0, min(reader.size, LARGEST))
    if not recognise(data):
        return bad(say("no Java class"), reader.size)
    findings = Findings(reader.size)
    findings.hold(44)
    try:
        end = walk(data)
    except BrokenError as error:
        place = min(error.offset, reader.size)
        findings.fault(place, reader.size, say("the class breaks at offset {offset}", offset=place))
        return findings.verdict(say("the class holds"))
    findings.hold(64)
    check_trailer(reader, end, findings)
    return findings.verdict(say("the class holds"), end)


FORMAT = Format(
    name="javaclass",
    title="Java class",
    extensions=("class",),
    recognise=recognise,
    measure=measure,
    validate=validate,
    known=(Known(0, MAGIC + bytes(2)),),
    references=("https://docs.oracle.com/javase/specs/jvms/se21/html/jvms-4.html",),
    limitations=("Contents of attributes, such as bytecode, are not checked.",),
)
