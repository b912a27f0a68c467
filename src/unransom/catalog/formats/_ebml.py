"""EBML, the elements of Matroska: identifiers and sizes of variable length."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import msgspec

from unransom.core.streams import Reader, chunks

CRC_32, VOID = 0xBF, 0xEC
UNKNOWN = -1  # the end of an element whose writer did not know it


class Element(msgspec.Struct, frozen=True):
    """An element: its identifier, where it begins, where its data begins and ends."""

    id: int
    begin: int
    start: int
    end: int


def number_at(data: bytes, position: int, *, keep: bool = False) -> tuple[int, int]:
    """Return a number of variable length and how many bytes it has, 0 where there is none.

    With ``keep`` its length marker stays, as in identifiers; a number of all ones is ``UNKNOWN``.
    """
    first = data[position] if position < len(data) else 0
    length = 9 - first.bit_length()
    if first == 0 or position + length > len(data):
        return 0, 0
    value = int.from_bytes(data[position : position + length])
    if keep:
        return value, length
    value &= (1 << 7 * length) - 1
    return (UNKNOWN if value == (1 << 7 * length) - 1 else value), length


def element_at(reader: Reader, position: int) -> Element | None:
    """Return the element at ``position``; None where there is none."""
    data = reader.read_at(position, 12)
    identifier, length = number_at(data, 0, keep=True)
    if not 1 <= length <= 4:
        return None
    size, width = number_at(data, length)
    if not width:
        return None
    start = position + length + width
    return Element(identifier, position, start, UNKNOWN if size == UNKNOWN else start + size)


def elements(reader: Reader, start: int, end: int) -> Iterator[Element | int]:
    """Yield the elements that fill ``start`` to ``end``; last the offset where one does not fit, if any."""
    position = start
    while position < end:
        element = element_at(reader, position)
        if element is None or element.end > end or element.end == UNKNOWN:
            yield position
            return
        yield element
        position = element.end


def crc_holds(reader: Reader, parent: Element) -> bool | None:
    """Return whether the CRC-32 that ``parent`` begins with is right; None where it has none."""
    first = element_at(reader, parent.start)
    if first is None or first.id != CRC_32 or first.end - first.start != 4 or first.end > parent.end:
        return None
    crc = 0
    for piece in chunks(reader, first.end, parent.end):
        crc = zlib.crc32(piece, crc)
    return crc == int.from_bytes(reader.read_at(first.start, 4), "little")
