"""Keys in the compressed pages of a Windows hibernation file.

Up to Windows 7 each block of pages is marked and compressed with plain Xpress. Since Windows 8 there are
compression sets without a mark, one after the other, with Xpress or Xpress and Huffman codes. Pages that
stand in the file as they are need nothing of this.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.crypto.search.memory import xpress_kernel
from unransom.crypto.search.memory.candidate import Candidate, Clues, Finder, Memory
from unransom.crypto.search.memory.xpress_kernel import HUFFMAN, MOST, PAGE

NAME = "hibernation files"
MARK = b"\x81\x81xpress"
HEADER = 32  # bytes of a marked block before its data
REACH = HEADER + 8 * MOST + PAGE * MOST
BATCH = 8 << 20  # bytes of pages that are looked through together
SETS = 1 << 16  # in one piece of memory


class _Packed(NamedTuple):
    """Compressed pages: where the data begin, how long they are, how many pages, with Huffman codes."""

    start: int
    size: int
    pages: int
    huffman: bool


def finder(finders: tuple[Finder, ...]) -> Finder:
    """Return what looks through compressed pages with ``finders``."""

    def find(memory: Memory, clues: Clues) -> Iterator[Candidate]:
        for places, pages in _batches(memory):
            for each in finders:
                for candidate in each.find(pages, clues):
                    start = places[np.searchsorted(places[:, 0], candidate.offset, "right") - 1, 1]
                    yield msgspec.structs.replace(candidate, finder=NAME, offset=int(start))

    return Finder(NAME, REACH, find)


def _batches(memory: Memory) -> Iterator[tuple[NDArray[np.int64], Memory]]:
    """Yield pages, and for each block of them where it begins there and where in ``memory``."""
    room, used = np.empty(BATCH, np.uint8), 0
    places: list[tuple[int, int]] = []
    for packed in _packed(memory):
        if used + PAGE * packed.pages > BATCH:
            yield np.array(places), _sealed(room[:used])
            room, places, used = np.empty(BATCH, np.uint8), [], 0
        size = _opened(memory, packed, room[used : used + PAGE * packed.pages])
        if size:
            places.append((used, packed.start))
            used += size
    if used:
        yield np.array(places), _sealed(room[:used])


def _sealed(pages: Memory) -> Memory:
    pages.flags.writeable = False  # one type for the compiler
    return pages


def _opened(memory: Memory, packed: _Packed, out: Memory) -> int:
    """Fill ``out`` with the pages; return how many bytes of them there are."""
    data = memory[packed.start : packed.start + packed.size]
    if len(data) == len(out):  # they did not become smaller
        out[:] = data
        return len(out)
    return int((xpress_kernel.huffman if packed.huffman else xpress_kernel.plain)(data, out))


def _packed(memory: Memory) -> Iterator[_Packed]:
    data = memory.data.cast("B") if memory.flags.c_contiguous else memoryview(memory.tobytes())
    marked = False
    for at in _marks(bytes(data)):
        head = bytes(data[at + 8 : at + 12]).ljust(4, b"\0")
        size, pages = (int.from_bytes(head, "little") >> 10) + 1, head[0] + 1
        if size <= PAGE * pages <= PAGE * MOST:
            marked = True
            yield _Packed(at + HEADER, size, pages, huffman=False)
    if not marked:
        found = np.zeros((SETS, 4), np.int64)
        count = xpress_kernel.sets(memory, found)
        for start, size, pages, method in found[:count].tolist():
            yield _Packed(start, size, pages, method >= HUFFMAN)


def _marks(data: bytes) -> Iterator[int]:
    at = data.find(MARK)
    while at >= 0:
        yield at
        at = data.find(MARK, at + 8)
