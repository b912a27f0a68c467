"""Huffman tables of JPEG as the kernel takes them: what the next bits stand for, in one look-up."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats import _jpeg_kernel as kernel
from unransom.catalog.formats._jpeg_markers import Huffman, Tables

Array = NDArray[Any]
LENGTHS = np.arange(1, 17, dtype=np.int32)  # of codes, in bits


def _entries(table: Huffman, lengths: Array, kind: int, progressive: bool) -> Array:
    """Return how the kernel sees the symbols: their bits in all, the advance and the size of their value."""
    symbols = np.frombuffer(table.symbols, np.uint8).astype(np.int32)
    if not kind:
        return (lengths + symbols) | symbols << 16
    run, size = symbols >> 4, symbols & 15
    advance = run + 1
    if not progressive:
        advance[(size == 0) & (run < 15)] = kernel.END_OF_BLOCK
    return (lengths + size) | advance << 6 | size << 16


@lru_cache(maxsize=256)
def _row(table: Huffman, kind: int, progressive: bool) -> Array:
    """Return a Huffman table as the kernel's row."""
    row = np.zeros(kernel.TABLE, np.int32)
    lengths = np.repeat(LENGTHS, table.counts)
    entries = _entries(table, lengths, kind, progressive)
    row[kernel.SYMBOL : kernel.SYMBOL + len(entries)] = entries
    short = lengths[lengths <= kernel.LOOK]  # codes ascend: each is looked up behind the last
    looked = np.repeat(entries[: len(short)], 1 << (kernel.LOOK - short))
    row[kernel.SINGLE : kernel.SINGLE + len(looked)] = looked
    row[kernel.LONGEST : kernel.OFFSET] = -1
    code = index = 0
    for length, count in enumerate(table.counts, 1):
        row[kernel.OFFSET + length] = index - code
        code += count
        index += count
        if count:
            row[kernel.LONGEST + length] = code - 1
        code <<= 1
    if kind and not progressive:
        row[kernel.COMBINED : kernel.LONGEST] = kernel.combine(row[kernel.SINGLE : kernel.COMBINED])
    return row


def rows(tables: Tables, progressive: bool) -> Array:
    """Return the kernel's Huffman tables: rows 0 to 3 for DC, 4 to 7 for AC."""
    rows = np.zeros((8, kernel.TABLE), np.int32)
    for (kind, number), table in tables.huffman.items():
        rows[4 * kind + number] = _row(table, kind, progressive)
    return rows
