"""Where a locker puts its metadata: fields of fixed size at the head or the tail of a locked file."""

from __future__ import annotations

import msgspec

from unransom.catalog.schemes.family import Mark
from unransom.core.streams import Reader


class Field(msgspec.Struct, frozen=True, tag="field"):
    """Bytes that differ from file to file."""

    name: str
    size: int


class Number(msgspec.Struct, frozen=True, tag="number"):
    """A little-endian unsigned number."""

    name: str
    size: int


class Magic(msgspec.Struct, frozen=True, tag="magic"):
    """Bytes that are the same in every locked file."""

    value: bytes

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.value)


Part = Field | Number | Magic


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
            position += part.size
            if len(value) != part.size:
                return None
            match part:
                case Magic():
                    if value != part.value:
                        return None
                    bits += 8 * part.size
                case Field():
                    fields[part.name] = value
                case Number():
                    numbers[part.name] = int.from_bytes(value, "little")
        return Mark(
            bits=bits,
            fields=fields,
            numbers=numbers,
            plain_size=plain_size,
            wrapped=fields.get(self.wrapped, b""),
            campaign=fields[self.campaign].hex() if self.campaign else "",
        )


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
