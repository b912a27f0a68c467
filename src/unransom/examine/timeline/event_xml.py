"""The XML of Windows events as it stands in logs: tokens, templates and the values that fill them.

Source: J. Metz, "Windows XML Event Log (EVTX) format".
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

MORE = 0x40  # flag of a token: attributes follow, or more of its kind
END, OPEN, CLOSE, EMPTY, END_ELEMENT, VALUE, ATTRIBUTE, CDATA = range(8)
CHARACTER, ENTITY, TARGET, INSTRUCTION, TEMPLATE, NORMAL, OPTIONAL, FRAGMENT = range(8, 16)
XML = 0x21  # type of a value: XML again
ARRAY = 0x80
DEEPEST = 32  # elements in each other, XML in values included
MOST_TOKENS = 20_000  # of one event
MOST_VALUES = 4096
LONGEST_NAME = 1024
ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
FILETIME_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


class DamagedEventError(ValueError):
    """The XML of an event makes no sense."""


class Substitution(NamedTuple):
    """A place that a value fills."""

    number: int


Part = str | Substitution


class Leaf(NamedTuple):
    """An element, or an attribute, with its text.

    Attributes:
        path: Names of the elements from the outermost on.
        attribute: Name of the attribute, "" for the element's own text.
        text: What it says.
    """

    path: tuple[str, ...]
    attribute: str
    text: str


class Piece(NamedTuple):
    """A leaf whose text may still have to be filled in; ``Leaf`` says what the fields are."""

    path: tuple[str, ...]
    attribute: str
    parts: tuple[Part, ...]


class Value(NamedTuple):
    """A value: its type, and where it is in the chunk."""

    kind: int
    start: int
    size: int


class EventXml:
    """The XML of the events of a chunk; templates are parsed once."""

    def __init__(self, chunk: bytes) -> None:
        self._chunk = chunk
        self._templates: dict[int, list[Piece]] = {}

    def leaves(self, start: int, end: int, depth: int = 0) -> Iterator[Leaf]:
        """Yield elements and attributes with text of the XML between two offsets of the chunk.

        Raises:
            DamagedEventError: It makes no sense.
        """
        try:
            if self._chunk[start] == FRAGMENT:
                start += 4
            if self._chunk[start] == TEMPLATE:
                yield from self._instance(start, end, depth)
                return
            for piece in self._parse(start, end):
                yield Leaf(
                    piece.path,
                    piece.attribute,
                    "".join(part for part in piece.parts if isinstance(part, str)),
                )
        except (struct.error, IndexError) as error:
            raise DamagedEventError(str(error)) from error

    def _instance(self, at: int, end: int, depth: int) -> Iterator[Leaf]:
        """Yield what a template says with the values that follow it."""
        (definition,) = struct.unpack_from("<I", self._chunk, at + 6)
        at += 10
        pieces = self._template(definition)
        if definition == at:  # it stands here for the first time
            at += 24 + struct.unpack_from("<I", self._chunk, at + 20)[0]
        values = self._values(at, end)
        for piece in pieces:
            numbers = [part.number for part in piece.parts if isinstance(part, Substitution)]
            inner = [values[each] for each in numbers if each < len(values) and values[each].kind == XML]
            for value in inner:
                if depth >= DEEPEST:
                    raise DamagedEventError("events in events")
                for leaf in self.leaves(value.start, value.start + value.size, depth + 1):
                    yield leaf._replace(path=piece.path + leaf.path)
            if not inner:
                yield Leaf(piece.path, piece.attribute, "".join(self._filled(piece.parts, values)))

    def _filled(self, parts: tuple[Part, ...], values: list[Value]) -> Iterator[str]:
        for part in parts:
            if isinstance(part, str):
                yield part
            elif part.number < len(values):
                value = values[part.number]
                yield text_of(value.kind, self._chunk[value.start : value.start + value.size])

    def _values(self, at: int, end: int) -> list[Value]:
        (count,) = struct.unpack_from("<I", self._chunk, at)
        if count > MOST_VALUES:
            raise DamagedEventError("too many values")
        place, found = at + 4 + 4 * count, []
        for number in range(count):
            size, kind = struct.unpack_from("<HB", self._chunk, at + 4 + 4 * number)
            if place + size > end:
                raise DamagedEventError("a value that is cut off")
            found.append(Value(kind, place, size))
            place += size
        return found

    def _template(self, offset: int) -> list[Piece]:
        if offset not in self._templates:
            (size,) = struct.unpack_from("<I", self._chunk, offset + 20)
            if offset + 24 + size > len(self._chunk):
                raise DamagedEventError("a template that is cut off")
            start = offset + 24
            start += 4 if self._chunk[start] == FRAGMENT else 0
            self._templates[offset] = list(self._parse(start, offset + 24 + size))
        return self._templates[offset]

    def _parse(self, start: int, end: int) -> Iterator[Piece]:
        return _Parser(self._chunk, start, end).pieces()


class _Parser:
    """Walks through tokens."""

    def __init__(self, chunk: bytes, start: int, end: int) -> None:
        self._chunk = chunk
        self._at = start
        self._end = min(end, len(chunk))
        self._path: list[str] = []
        self._texts: list[list[Part]] = []
        self._attribute: str | None = None
        self._parts: list[Part] = []  # of the attribute

    def pieces(self) -> Iterator[Piece]:
        """Yield each element and attribute that has text."""
        for _ in range(MOST_TOKENS):
            if self._at >= self._end:
                return
            token = self._chunk[self._at]
            kind = token & ~MORE
            if kind in {OPEN, CLOSE, EMPTY, END_ELEMENT, ATTRIBUTE, END} and self._attribute is not None:
                yield Piece(tuple(self._path), self._attribute, tuple(self._parts))
                self._attribute = None
            if kind == END:
                return
            if kind in {EMPTY, END_ELEMENT}:
                yield from self._closed()
                self._at += 1
            elif kind == CLOSE:
                self._at += 1
            else:
                self._step(kind, token)

    def _step(self, kind: int, token: int) -> None:
        if kind == OPEN:
            self._at += 7
            if len(self._path) >= DEEPEST:
                raise DamagedEventError("elements in elements")
            self._path.append(self._name())
            self._texts.append([])
            self._at += 4 if token & MORE else 0
        elif kind == ATTRIBUTE:
            self._at += 1
            self._attribute, self._parts = self._name(), []
        elif kind in {NORMAL, OPTIONAL}:
            self._say(Substitution(struct.unpack_from("<H", self._chunk, self._at + 1)[0]))
            self._at += 4
        elif kind in TEXTS:
            TEXTS[kind](self)
        else:
            raise DamagedEventError(f"an unknown token {token:#x}")

    def _closed(self) -> Iterator[Piece]:
        if not self._path:
            raise DamagedEventError("an end without a beginning")
        parts = self._texts.pop()
        if parts:
            yield Piece(tuple(self._path), "", tuple(parts))
        self._path.pop()

    def _say(self, part: Part) -> None:
        if self._attribute is not None:
            self._parts.append(part)
        elif self._texts:
            self._texts[-1].append(part)

    def _value(self) -> None:
        self._at += 1  # the type: text
        self._counted()

    def _counted(self) -> None:
        (count,) = struct.unpack_from("<H", self._chunk, self._at + 1)
        end = self._at + 3 + 2 * count
        if end > self._end:
            raise DamagedEventError("a text that is cut off")
        self._say(self._chunk[self._at + 3 : end].decode("utf-16-le", "replace"))
        self._at = end

    def _character(self) -> None:
        self._say(chr(struct.unpack_from("<H", self._chunk, self._at + 1)[0]))
        self._at += 3

    def _entity(self) -> None:
        self._at += 1
        name = self._name()
        self._say(ENTITIES.get(name, f"&{name};"))

    def _target(self) -> None:
        self._at += 1
        self._name()

    def _instruction(self) -> None:
        self._at += 3 + 2 * struct.unpack_from("<H", self._chunk, self._at + 1)[0]

    def _name(self) -> str:
        """Return the name that the next four bytes point to; go behind it where it stands here."""
        (offset,) = struct.unpack_from("<I", self._chunk, self._at)
        self._at += 4
        (count,) = struct.unpack_from("<H", self._chunk, offset + 6)
        if count > LONGEST_NAME or offset + 8 + 2 * count > len(self._chunk):
            raise DamagedEventError("a name that is cut off")
        if offset == self._at:
            self._at += 10 + 2 * count
        return self._chunk[offset + 8 : offset + 8 + 2 * count].decode("utf-16-le", "replace")


TEXTS: dict[int, Callable[[_Parser], None]] = {
    VALUE: _Parser._value,
    CDATA: _Parser._counted,
    CHARACTER: _Parser._character,
    ENTITY: _Parser._entity,
    TARGET: _Parser._target,
    INSTRUCTION: _Parser._instruction,
}


def text_of(kind: int, data: bytes) -> str:
    """Return what a value of a type says; bytes in hex where that is not known."""
    if kind & ARRAY:
        return _array(kind & ~ARRAY, data)
    if kind in NUMBERS:
        form, pattern = NUMBERS[kind]
        return pattern.format(*struct.unpack_from(form, data)) if len(data) >= struct.calcsize(form) else ""
    reader = READERS.get(kind)
    return reader(data) if reader else data.hex()


def _array(kind: int, data: bytes) -> str:
    if kind == 1:
        return ", ".join(_wide(data).split("\0"))
    size = struct.calcsize(NUMBERS[kind][0]) if kind in NUMBERS else {15: 16, 17: 8, 18: 16}.get(kind, 0)
    if not size:
        return data.hex()
    return ", ".join(text_of(kind, data[at : at + size]) for at in range(0, len(data), size))


def _wide(data: bytes) -> str:
    return data.decode("utf-16-le", "replace").rstrip("\0")


def _filetime(data: bytes) -> str:
    try:
        moment = FILETIME_EPOCH + timedelta(microseconds=int.from_bytes(data[:8], "little") // 10)
    except OverflowError:
        return data.hex()
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _systemtime(data: bytes) -> str:
    if len(data) < 16:
        return data.hex()
    year, month, _, day, hour, minute, second, thousandth = struct.unpack_from("<8H", data)
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{thousandth:03}Z"


def _identifier(data: bytes) -> str:
    return f"{{{uuid.UUID(bytes_le=data)}}}" if len(data) == 16 else data.hex()


def _account(data: bytes) -> str:
    """Return a security identifier as people write it."""
    count = data[1] if len(data) >= 8 else 0
    if not data or len(data) < 8 + 4 * count:
        return data.hex()
    parts = struct.unpack_from(f"<{count}I", data, 8)
    return "-".join(["S", str(data[0]), str(int.from_bytes(data[2:8], "big")), *map(str, parts)])


NUMBERS = {
    3: ("<b", "{}"),
    4: ("<B", "{}"),
    5: ("<h", "{}"),
    6: ("<H", "{}"),
    7: ("<i", "{}"),
    8: ("<I", "{}"),
    9: ("<q", "{}"),
    10: ("<Q", "{}"),
    11: ("<f", "{}"),
    12: ("<d", "{}"),
    20: ("<I", "{:#x}"),
    21: ("<Q", "{:#x}"),
}
READERS: dict[int, Callable[[bytes], str]] = {
    0: lambda data: "",
    1: _wide,
    2: lambda data: data.rstrip(b"\0").decode("cp1252", "replace"),
    13: lambda data: "true" if any(data) else "false",
    15: _identifier,
    16: lambda data: f"{int.from_bytes(data, 'little'):#x}",
    17: _filetime,
    18: _systemtime,
    19: _account,
}
