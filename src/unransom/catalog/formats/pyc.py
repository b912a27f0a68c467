"""Compiled Python modules: the marshalled tree of the code object, walked without being loaded."""

from __future__ import annotations

import msgspec

from unransom.catalog.formats._findings import Findings, bad
from unransom.catalog.formats._trailing import check_trailer
from unransom.catalog.formats.format import Format, Measure, Validation
from unransom.core.messages import say
from unransom.core.streams import Reader

LARGEST = 1 << 28  # bytes of a module that is read as a whole; real ones end far below
DEEPEST = 2000  # nested values, as marshal itself allows
REFERENCE = 0x80  # bit of a type: later values may refer to this one
MAGICS = ((62000, 62300, 8), (3000, 3392, 12), (3392, 5000, 16))  # (from, below, header)
CODE, END, UNCOUNTED = -3, -2, -1  # for a number of values: a code object's, a dictionary's end, its own
SIZES = {**dict.fromkeys("NFTS.", 0), **dict.fromkeys("irR", 4), "I": 8, "g": 8, "y": 16}  # of plain values
INNER = {"{": UNCOUNTED, "0": END, ":": 3}  # values in a dictionary, a null, a slice
COUNTED = {**dict.fromkeys("([<>", 4), ")": 1}  # bytes of the count of values
TEXTS = {**dict.fromkeys("sutaA", 4), **dict.fromkeys("zZf", 1)}  # bytes of the length
ASCII = "aAzZf"


class BrokenError(Exception):
    """The tree breaks at ``offset``."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


class Shape(msgspec.Struct, frozen=True):
    """How a version of Python writes a code object: numbers, values, a line number, values."""

    numbers: int
    values: int
    values_behind: int


def _shape(magic: int) -> Shape:
    if magic >= 62000:
        return Shape(4, 8, 1)
    if magic >= 3450:  # 3.11
        return Shape(5, 8, 2)
    return Shape(6 if magic >= 3410 else 5, 8, 1)  # positional-only arguments came with 3.8


def _header(head: bytes) -> tuple[int, int] | None:
    """Return (magic number, bytes of the header), None where this is no module."""
    if len(head) < 16 or head[2:4] != b"\r\n":
        return None
    magic = int.from_bytes(head[:2], "little")
    for first, below, size in MAGICS:
        if first <= magic < below:
            flags = int.from_bytes(head[4:8], "little") if size == 16 else 0
            return (magic, size) if flags <= 3 and head[size : size + 1] in (b"c", b"\xe3") else None
    return None


def recognise(head: bytes) -> int:
    """Return the bits of the magic number, the flags and the type of the tree's root."""
    return 32 if _header(head) else 0


def _walk(data: bytes, at: int, shape: Shape) -> int:
    """Return the end of the value at ``at``.

    The stack holds how many values are still to come at each level, ``UNCOUNTED`` for a dictionary; the
    line number of a code object stands between its values.

    Raises:
        BrokenError: There is no such value.
    """
    stack = [1]
    lines: list[int] = []  # levels of the code objects whose line number is still to come
    while stack:
        if stack[-1] == 0:
            at += _close(stack, lines, shape)
            continue
        if stack[-1] > 0:
            stack[-1] -= 1
        at, children = _value(data, at, shape)
        if children == END:
            stack[-1] = 0
        elif children == CODE:
            lines.append(len(stack))
            stack.append(shape.values)
        elif children:
            stack.append(children)
        if len(stack) > DEEPEST:
            raise BrokenError(at)
    return at


def _close(stack: list[int], lines: list[int], shape: Shape) -> int:
    """Leave the level that is complete; return the bytes of the line number where that follows."""
    stack.pop()
    if not lines or lines[-1] != len(stack):
        return 0
    lines.pop()
    stack.append(shape.values_behind)
    return 4


def _value(data: bytes, at: int, shape: Shape) -> tuple[int, int]:
    """Return (end of the value's own bytes, number of values in it).

    Raises:
        BrokenError: There is no such value.
    """
    if at >= len(data):
        raise BrokenError(at)
    kind = chr(data[at] & ~REFERENCE)
    if kind in SIZES:
        end, children = at + 1 + SIZES[kind], 0
    elif kind in INNER:
        end, children = at + 1, INNER[kind]
    elif kind == "c":
        end, children = at + 1 + 4 * shape.numbers, CODE
    elif kind in COUNTED:
        end = at + 1 + COUNTED[kind]
        children = int.from_bytes(data[at + 1 : end], "little")
    else:
        end, children = _text_end(data, at, kind), 0
    if end > len(data) or children > len(data) - end:
        raise BrokenError(at)
    return end, children


def _text_end(data: bytes, at: int, kind: str) -> int:
    """Return the end of a value that has a length: text, bytes, a long number, a number as text."""
    if kind in TEXTS:
        start = at + 1 + TEXTS[kind]
        length = int.from_bytes(data[at + 1 : start], "little")
        if kind in ASCII and not data[start : start + length].isascii():
            raise BrokenError(start)
        return start + length
    if kind == "l":
        return at + 5 + 2 * abs(int.from_bytes(data[at + 1 : at + 5], "little", signed=True))
    if kind == "x":  # two numbers as text
        middle = at + 2 + int.from_bytes(data[at + 1 : at + 2], "little")
        return middle + 1 + int.from_bytes(data[middle : middle + 1], "little")
    raise BrokenError(at)


def measure(reader: Reader) -> Measure:
    """Return the end of the tree."""
    data = reader.read_at(0, min(reader.size, LARGEST))
    header = _header(data)
    if header is None:
        return Measure(None, say("no compiled Python module"))
    try:
        return Measure(_walk(data, header[1], _shape(header[0])), say("by the tree of its code"))
    except BrokenError as error:
        return Measure(None, say("the code breaks at offset {offset}", offset=error.offset))


def validate(reader: Reader) -> Validation:
    """Walk the whole tree."""
    data = reader.read_at(0, min(reader.size, LARGEST))
    header = _header(data)
    if header is None:
        return bad(say("no compiled Python module"), reader.size)
    findings = Findings(reader.size)
    findings.hold(32)
    try:
        end = _walk(data, header[1], _shape(header[0]))
    except BrokenError as error:
        place = min(error.offset, reader.size)
        findings.fault(place, reader.size, say("the code breaks at offset {offset}", offset=place))
        return findings.verdict(say("the code holds"))
    findings.hold(64)
    check_trailer(reader, end, findings)
    return findings.verdict(say("the code holds"), end)


FORMAT = Format(
    name="pyc",
    title="Compiled Python module",
    extensions=("pyc", "pyo"),
    recognise=recognise,
    measure=measure,
    validate=validate,
    references=("https://docs.python.org/3/library/marshal.html",),
    limitations=("What stands inside of strings of bytecode is not checked.",),
)
