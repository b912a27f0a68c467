"""Huffman tables of JPEG as the kernel takes them: what the next bits stand for, in one look-up."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats import _jpeg_kernel as kernel
from unransom.catalog.formats._jpeg_markers import Huffman, Tables

Array = NDArray[Any]


def _entry(symbol: int, length: int, progressive: bool) -> int:
    """Return how the kernel sees a symbol: its bits in all, the advance and the size of its value."""
    run, size = symbol >> 4, symbol & 15
    advance = run + 1
    if size == 0 and run < 15 and not progressive:
        advance = kernel.END_OF_BLOCK
    return (length + size) | advance << 6 | size << 16


@lru_cache(maxsize=64)
def _row(table: Huffman, kind: int, progressive: bool) -> Array:
    """Return a Huffman table as the kernel's row."""
    row = np.zeros(kernel.TABLE, np.int32)
    row[kernel.LONGEST : kernel.OFFSET] = -1
    code = index = 0
    for length, count in enumerate(table.counts, 1):
        row[kernel.OFFSET + length] = index - code
        for symbol in table.symbols[index : index + count]:
            entry = _entry(symbol, length, progressive) if kind else (length + symbol) | symbol << 16
            row[kernel.SYMBOL + index] = entry
            spread = kernel.LOOK - length
            if spread >= 0:
                row[kernel.SINGLE + (code << spread) : kernel.SINGLE + ((code + 1) << spread)] = entry
            code += 1
            index += 1
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
