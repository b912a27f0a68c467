"""What shows that a key was unwrapped rightly, as data."""

from __future__ import annotations

import functools
import zlib
from typing import Literal

import msgspec

from unransom.catalog.schemes.data import Data, FieldName, Hex
from unransom.catalog.schemes.family import Mark
from unransom.core.messages import Message, say

ChecksumKind = Literal["crc32", "crc32-mpeg2", "adler32"]


class Proof(msgspec.Struct, frozen=True):
    """How strongly something is shown to be right, and by what."""

    bits: int
    why: Message


def checksum(kind: ChecksumKind, data: bytes) -> int:
    """Return a checksum of 32 bits.

    Args:
        kind: ``crc32-mpeg2`` takes the bits from the left and is not inverted at the end, as Proxima's.
        data: A few bytes; it is computed byte by byte.
    """
    if kind == "crc32":
        return zlib.crc32(data)
    if kind == "adler32":
        return zlib.adler32(data)
    value = 0xFFFFFFFF
    for byte in data:
        value = (value << 8 & 0xFFFFFFFF) ^ _left_table()[value >> 24 ^ byte]
    return value


@functools.cache
def _left_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = value << 1 ^ (0x104C11DB7 if value & 0x80000000 else 0)
        table.append(value)
    return tuple(table)


class Checksum(Data, frozen=True, tag="checksum"):
    """A checksum of an unwrapped part stands in the file.

    Attributes:
        part: Name of the part.
        field: Name of the field with the checksum, little-endian.
        kind: Which checksum.
    """

    part: str
    field: FieldName
    kind: ChecksumKind = "crc32"

    def __call__(self, mark: Mark, parts: dict[str, bytes]) -> Proof | None:
        """Return the proof, None where the checksum differs."""
        if checksum(self.kind, parts[self.part]) != int.from_bytes(mark.fields[self.field], "little"):
            return None
        return Proof(32, say("the checksum of the unwrapped key"))


class Repeated(Data, frozen=True, tag="repeated"):
    """An unwrapped part repeats a field of the file.

    Attributes:
        part: Name of the part.
        field: Name of the field.
    """

    part: str
    field: FieldName

    def __call__(self, mark: Mark, parts: dict[str, bytes]) -> Proof | None:
        """Return the proof, None where they differ."""
        if parts[self.part] != mark.fields[self.field]:
            return None
        return Proof(8 * len(parts[self.part]), say("the wrapped key repeats bytes of the file"))


class Constant(Data, frozen=True, tag="constant"):
    """An unwrapped part is the same in all files.

    Attributes:
        part: Name of the part.
        value: What it must be.
    """

    part: str
    value: Hex

    def __call__(self, _: Mark, parts: dict[str, bytes]) -> Proof | None:
        """Return the proof, None where it is something else."""
        if parts[self.part] != bytes.fromhex(self.value):
            return None
        return Proof(4 * len(self.value), say("fixed bytes in the wrapped key"))


Check = Checksum | Repeated | Constant
