"""A dictionary of blocks that were locked each by itself: in ECB mode equal blocks stay equal."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
BLOCK = 16  # bytes


class Learned(NamedTuple):
    """What locked blocks and their originals told.

    Attributes:
        locked, plain: Rows of blocks, sorted by the locked ones, each once.
        agreed: How often a block came again with the same original.
        differed: How often with another one; such blocks are left out.
    """

    locked: Bytes
    plain: Bytes
    agreed: int
    differed: int


def rows_of(data: Bytes) -> Bytes:
    """Return the whole blocks of ``data`` as rows."""
    return data[: len(data) // BLOCK * BLOCK].reshape(-1, BLOCK)


def learned(locked: Bytes, plain: Bytes) -> Learned:
    """Return the dictionary that rows of locked blocks and the rows of their originals make."""
    values, first, places, counts = np.unique(
        _keys(locked), return_index=True, return_inverse=True, return_counts=True
    )
    same = (plain == plain[first][places]).all(axis=1)
    wrong = np.zeros(len(values), np.int64)
    np.add.at(wrong, places, ~same)
    kept = wrong == 0
    agreed = int((counts - 1)[kept].sum())
    return Learned(locked[first[kept]], plain[first[kept]], agreed, int(wrong.sum()))


def used(book: Learned, rows: Bytes) -> NDArray[np.int64]:
    """Return which entries of ``book`` occur among locked ``rows``."""
    return np.flatnonzero(np.isin(_keys(book.locked), _keys(rows)))


def looked_up(locked: Bytes, plain: Bytes, rows: Bytes) -> tuple[Bytes, NDArray[np.bool_]]:
    """Return the originals of locked ``rows``, zeros where there is none, and which of them there are.

    Args:
        locked: Rows of locked blocks, sorted as bytes.
        plain: Their originals.
        rows: Rows to look up.
    """
    keys, wanted = _keys(locked), _keys(rows)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found = keys[places] == wanted
    return np.where(found[:, None], plain[places], 0).astype(np.uint8), found


def _keys(rows: Bytes) -> NDArray[np.void]:
    """Return rows as single values that compare like bytes: two big-endian words, sorted by both."""
    words = np.ascontiguousarray(rows).view(">u8").astype(np.uint64).reshape(-1, 2)
    keys = np.empty(len(words), dtype=[("high", np.uint64), ("low", np.uint64)])
    keys["high"], keys["low"] = words[:, 0], words[:, 1]
    return keys
