"""Where a locker puts its metadata: fields of fixed size at the head or the tail of a locked file."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta

from unransom.catalog.schemes.checks import ChecksumKind, checksum
from unransom.catalog.schemes.data import MOST_METADATA, Data, Fault, FieldName, Hex, Length, Name
from unransom.catalog.schemes.family import Mark
from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.crypto.noise import is_noise_all_over

IMPOSSIBLE = -1


class Field(Data, frozen=True, tag="field"):
    """Bytes that differ from file to file.

    Attributes:
        name: What it is called.
        size: Bytes in the file.
        encoding: Whether it is written as text; what it is a name for are the bytes behind that.
        random: Whether it must look like random bytes, as keys and encrypted blocks do.
    """

    name: Name
    size: Annotated[int, Meta(ge=1, le=MOST_METADATA)]
    encoding: Literal["raw", "hex", "base64"] = "raw"
    random: bool = False

    def decoded(self, value: bytes) -> bytes | None:
        """Return the bytes that ``value`` in the file stands for, None where it is no such text."""
        try:
            if self.encoding == "hex":
                return binascii.unhexlify(value)
            if self.encoding == "base64":
                return base64.b64decode(value, validate=True)
        except ValueError:
            return None
        return value

    def bits(self, value: bytes) -> int:
        """Return how many bits of ``value`` in the file are as they must be."""
        decoded = self.decoded(value)
        if decoded is None or (self.random and not is_noise_all_over(decoded)):
            return IMPOSSIBLE
        free = {"raw": 8, "hex": 4, "base64": 6}[self.encoding]  # bits of a byte that may be anything
        return (8 - free) * self.size


class Number(Data, frozen=True, tag="number"):
    """An unsigned number.

    Attributes:
        name: What it is called.
        size: Bytes in the file; up to 8, or up to 20 digits.
        order: Of the bytes; or ``digits`` for a decimal number as text, filled up with spaces or zeros.
        values: The only values it can have; any where empty.
        most: The largest value it can have; -1 for any.
    """

    name: Name
    size: Annotated[int, Meta(ge=1, le=20)]
    order: Literal["little", "big", "digits"] = "little"
    values: tuple[Length, ...] = ()
    most: Annotated[int, Meta(ge=-1)] = -1

    def faults(self) -> Iterator[Fault]:
        """Yield a size that no number has."""
        if self.order != "digits" and self.size > 8:
            yield Fault(("size",), say("a number has at most 8 bytes, or 20 digits"))

    def value(self, data: bytes) -> int | None:
        """Return the number in ``data``, None where it is no digits."""
        if self.order != "digits":
            return int.from_bytes(data, self.order)
        digits = data.strip(b" ")
        return int(digits) if digits.isdigit() else None

    def bits(self, value: int | None) -> int:
        """Return how many bits of ``value`` are as they must be; -1 where it is impossible."""
        if value is None or (self.values and value not in self.values) or 0 <= self.most < value:
            return IMPOSSIBLE
        allowed = len(self.values) or self.most + 1 or (10**self.size if self.order == "digits" else 0)
        return max(8 * self.size - math.ceil(math.log2(allowed)), 0) if allowed else 0


class Magic(Data, frozen=True, tag="magic"):
    """Bytes that are the same in every locked file."""

    value: Hex

    def faults(self) -> Iterator[Fault]:
        """Yield a magic without bytes."""
        if not self.value:
            yield Fault(("value",), say("there must be at least one byte"))

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.value) // 2


class Sum(Data, frozen=True, tag="sum"):
    """A little-endian checksum of 32 bits over a field before it.

    Attributes:
        of: Name of the field; "" for all the metadata before the checksum.
        kind: Which checksum.
    """

    of: FieldName = ""
    kind: ChecksumKind = "crc32"

    @property
    def size(self) -> int:
        """Bytes."""
        return 4


Part = Field | Number | Magic | Sum


class _Parts(Data, frozen=True):
    """Metadata of fixed size."""

    parts: Annotated[tuple[Part, ...], Meta(min_length=1, max_length=64)]
    wrapped: FieldName = ""
    campaign: FieldName = ""

    @property
    def size(self) -> int:
        """Bytes of the metadata."""
        return sum(part.size for part in self.parts)

    def faults(self) -> Iterator[Fault]:
        """Yield names that two parts have, and those of fields that are not there, or not before a sum."""
        names: set[str] = set()
        fields = {""}
        for index, part in enumerate(self.parts):
            if isinstance(part, Sum) and part.of not in fields:
                yield Fault(
                    ("parts", index, "of"), say("there is no field called {name} before it", name=part.of)
                )
            if not isinstance(part, Field | Number):
                continue
            if part.name in names:
                yield Fault(("parts", index, "name"), say("two parts are called {name}", name=part.name))
            names.add(part.name)
            if isinstance(part, Field):
                fields.add(part.name)
        for own in ("wrapped", "campaign"):
            if (name := getattr(self, own)) not in fields:
                yield Fault((own,), say("there is no field called {name} here", name=name))

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
                fields[part.name] = part.decoded(value) or b""
            elif isinstance(part, Number):
                numbers[part.name] = part.value(value) or 0
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
            return 8 * part.size if value == bytes.fromhex(part.value) else IMPOSSIBLE
        case Number():
            return part.bits(part.value(value))
        case Sum():
            return 32 if checksum(part.kind, summed) == int.from_bytes(value, "little") else IMPOSSIBLE
        case Field():
            return part.bits(value)


class Tail(_Parts, frozen=True):
    """Metadata behind the original's bytes.

    Attributes:
        parts: In the order of the file.
        wrapped: Name of the field with the wrapped key.
        campaign: Name of the field that identifies victim or run, shown in hexadecimal.
    """

    def __call__(self, locked: Reader) -> Mark | None:
        """Return the mark of ``locked``, None where a magic is missing or the file is too short."""
        plain_size = locked.size - self.size
        if plain_size < 0:
            return None
        return self.mark(locked.read_at(plain_size, self.size), plain_size)


class Head(_Parts, frozen=True):
    """Metadata before the locked bytes; how long the original is, only its fields tell.

    Attributes:
        parts: In the order of the file.
        wrapped: Name of the field with the wrapped key.
        campaign: Name of the field that identifies victim or run, shown in hexadecimal.
    """

    def __call__(self, locked: Reader) -> Mark | None:
        """Return the mark of ``locked``, None where a magic is missing or the file is too short."""
        return self.mark(locked.read_at(0, self.size))
