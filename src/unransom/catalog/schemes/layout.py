"""Where a locker puts its metadata: fields of fixed size at the head or the tail of a locked file."""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from unransom.catalog.schemes.checks import ChecksumKind, checksum
from unransom.catalog.schemes.family import Mark
from unransom.core.streams import Reader


class Field(msgspec.Struct, frozen=True, tag="field"):
    """Bytes that differ from file to file."""

    name: str
    size: int


class Number(msgspec.Struct, frozen=True, tag="number"):
    """An unsigned number.

    Attributes:
        name: What it is called.
        size: Bytes.
        order: Of the bytes.
        values: The only values it can have; any where empty.
        most: The largest value it can have; -1 for any.
    """

    name: str
    size: int
    order: Literal["little", "big"] = "little"
    values: tuple[int, ...] = ()
    most: int = -1

    def bits(self, value: int) -> int:
        """Return how many bits of ``value`` are as they must be; -1 where it is impossible."""
        if (self.values and value not in self.values) or 0 <= self.most < value:
            return -1
        allowed = len(self.values) or self.most + 1
        return 8 * self.size - math.ceil(math.log2(allowed)) if allowed else 0


class Magic(msgspec.Struct, frozen=True, tag="magic"):
    """Bytes that are the same in every locked file."""

    value: bytes

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.value)


class Sum(msgspec.Struct, frozen=True, tag="sum"):
    """A little-endian checksum of 32 bits over a field before it.

    Attributes:
        of: Name of the field; "" for all the metadata before the checksum.
        kind: Which checksum.
    """

    of: str = ""
    kind: ChecksumKind = "crc32"

    @property
    def size(self) -> int:
        """Bytes."""
        return 4


Part = Field | Number | Magic | Sum


class _Parts(msgspec.Struct, frozen=True):
    """Metadata of fixed size.

    Attributes:
        parts: In the order of the file.
        wrapped: Name of the field with the wrapped key.
        campaign: Name of the field that identifies victim or run, shown in hexadecimal.
    """

    parts: tuple[Part, ...]
    wrapped: str = ""
    campaign: str = ""

    @property
    def size(self) -> int:
        """Bytes of the metadata."""
        return sum(part.size for part in self.parts)

    def mark(self, data: bytes, plain_size: int | None = None) -> Mark | None:
        """Return what the bytes of the metadata say, None where a magic or bytes are missing."""
        fields: dict[str, bytes] = {}
        numbers: dict[str, int] = {}
        bits = position = 0
        for part in self.parts:
            value = data[position : position + part.size]
            if len(value) != part.size:
                return None
            sure = _sure(part, value, fields.get(part.of, data[:position]) if isinstance(part, Sum) else b"")
            if sure < 0:
                return None
            bits += sure
            position += part.size
            if isinstance(part, Field):
                fields[part.name] = value
            elif isinstance(part, Number):
                numbers[part.name] = int.from_bytes(value, part.order)
        return Mark(
            bits=bits,
            fields=fields,
            numbers=numbers,
            plain_size=plain_size,
            wrapped=fields.get(self.wrapped, b""),
            campaign=fields[self.campaign].hex() if self.campaign else "",
        )


def _sure(part: Part, value: bytes, summed: bytes) -> int:
    """Return how many bits of ``value`` are as ``part`` demands, -1 where it is not that part."""
    match part:
        case Magic():
            return 8 * part.size if value == part.value else -1
        case Number():
            return part.bits(int.from_bytes(value, part.order))
        case Sum():
            return 32 if checksum(part.kind, summed) == int.from_bytes(value, "little") else -1
        case Field():
            return 0


class Tail(_Parts, frozen=True):
    """Metadata behind the original's bytes."""

    def __call__(self, locked: Reader) -> Mark | None:
        """Return the mark of ``locked``, None where a magic is missing or the file is too short."""
        plain_size = locked.size - self.size
        if plain_size < 0:
            return None
        return self.mark(locked.read_at(plain_size, self.size), plain_size)


class Head(_Parts, frozen=True):
    """Metadata before the locked bytes; how long the original is, only its fields tell."""

    def __call__(self, locked: Reader) -> Mark | None:
        """Return the mark of ``locked``, None where a magic is missing or the file is too short."""
        return self.mark(locked.read_at(0, self.size))
