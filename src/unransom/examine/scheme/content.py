"""What locked bytes tell by themselves: equal blocks, a keystream that repeats, or one that files share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from unransom.catalog.formats.format import HEAD
from unransom.catalog.formats.identify import identify
from unransom.core.spans import Span
from unransom.crypto.search.keystream.periods import periods_in
from unransom.crypto.search.keystream.sharing import Bytes, deviation, shares

LOOKED = 1 << 18  # first bytes of a file
BLOCK = 16  # bytes of a block of AES
REPEATED = 4  # equal blocks that no other cipher than one in ECB mode gives
PIECE = 4096
CERTAIN = 4 * PIECE  # bytes without a gap that no short key leaves looking random
PLAIN = 32  # bits of a format's beginning by which a file is not locked there
SIGMAS = 4.5


def blocks_of(data: Bytes) -> int:
    """Return how many blocks of 16 random bytes stand in ``data`` more than twice."""
    whole = data[: len(data) // BLOCK * BLOCK].reshape(-1, BLOCK)
    if not len(whole):
        return 0
    values, counts = np.unique(np.ascontiguousarray(whole).view("V16").ravel(), return_counts=True)
    # A block of plain bytes repeats too; under a cipher every block has many different bytes, and all values.
    often = values[counts > 2].view(np.uint8).reshape(-1, BLOCK)
    random = (np.diff(np.sort(often, axis=1), axis=1) != 0).sum(axis=1) >= BLOCK - 4
    if not random.any() or deviation(often[random].ravel()) > SIGMAS:
        return 0
    return int(counts[counts > 2][random].sum())


def period_in(data: Bytes) -> int:
    """Return the distance at which a key repeats, 0 where none does."""
    return next((length for length, _ in periods_in(data) if length > 1), 0)


def sharing(contents: Sequence[Bytes]) -> int:
    """Return how many of ``contents`` are under one keystream with another of them."""
    found: set[int] = set()
    for one, other in combinations(range(len(contents)), 2):
        if shares(contents[one], contents[other]):
            found |= {one, other}
    return len(found)


def locked_part(data: Bytes) -> Bytes:
    """Return the part of ``data`` that shows how it was locked, where not all of it was; it may be empty."""
    spans = random_spans(data)
    longest = max(spans, key=len, default=Span(0, 0))
    if CERTAIN <= len(longest) < len(data) - PIECE:
        return data[longest.start : longest.end]
    shown = identify(data[:HEAD].tobytes())
    return data[:0] if shown is not None and shown.bits >= PLAIN else data


def random_spans(data: Bytes) -> list[Span]:
    """Return where ``data`` looks random, by pieces of 4 KiB."""
    spans: list[Span] = []
    for start in range(0, len(data) - PIECE + 1, PIECE):
        if abs(deviation(data[start : start + PIECE])) > SIGMAS:
            continue
        if spans and spans[-1].end == start:
            spans[-1] = Span(spans[-1].start, start + PIECE)
        else:
            spans.append(Span(start, start + PIECE))
    return spans
