"""Keys in memory: dumps, hibernation and page files, captures, free space, anything.

``scan`` looks at one piece of memory, ``scan_pieces`` at any number of them that overlap. Everything is a
pure function of bytes, and the kernels let other threads run, so pieces may be looked at side by side.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator

import numpy as np

from unransom.core.keys import KeyKind
from unransom.crypto.search.memory import (
    aes_schedules,
    bare_primes,
    beside,
    chacha_contexts,
    hibernation,
    registry_values,
    structures,
    text_keys,
    written_blobs,
)
from unransom.crypto.search.memory.candidate import Candidate, Clues, Finder, Memory

__all__ = ["FINDERS", "OVERLAP", "Candidate", "Clues", "Finder", "Memory", "scan", "scan_pieces"]

IN_MEMORY: tuple[Finder, ...] = (
    aes_schedules.FINDER,
    structures.FINDER,
    chacha_contexts.FINDER,
    bare_primes.FINDER,
    beside.FINDER,
    text_keys.FINDER,
)
IN_FILES: tuple[Finder, ...] = (registry_values.FINDER, written_blobs.FINDER)
FINDERS: tuple[Finder, ...] = (*IN_MEMORY, hibernation.finder(IN_MEMORY), *IN_FILES)
NO_CLUES = Clues()
BEHIND_ALL = (sys.maxsize, b"")  # a piece
OVERLAP = -(-max(finder.reach for finder in FINDERS) // 4096) * 4096  # bytes, whole pages


def scan(
    piece: bytes | bytearray | memoryview | Memory,
    clues: Clues = NO_CLUES,
    *,
    base: int = 0,
    overlap: int = 0,
    finders: tuple[Finder, ...] = FINDERS,
) -> list[Candidate]:
    """Return what may be a key in ``piece``, each key once, the strongest first.

    Args:
        piece: Any bytes; they are not copied.
        clues: What is known about the key.
        base: Offset of the piece in the dump: added to the candidates'.
        overlap: Bytes at the end that stand at the beginning of the next piece as well: what begins there
            is left to it. ``OVERLAP`` misses nothing; 0 for the last piece.
        finders: What to look for.
    """
    memory = piece if isinstance(piece, np.ndarray) else np.frombuffer(piece, np.uint8)
    memory = memory.view()
    memory.flags.writeable = False  # one type for the compiler, and a promise
    end = len(memory) - overlap
    found: dict[tuple[KeyKind, bytes, bytes], Candidate] = {}
    for finder in finders:
        for candidate in finder.find(memory, clues):
            if candidate.offset >= end:
                continue
            name = _identity(candidate)
            if name not in found or found[name].bits < candidate.bits:
                found[name] = candidate
    placed = sorted(found.values(), key=lambda each: (-each.bits, each.offset))
    return [_moved(candidate, base) for candidate in placed]


def scan_pieces(
    pieces: Iterable[tuple[int, bytes | memoryview]], clues: Clues = NO_CLUES
) -> Iterator[Candidate]:
    """Yield each key of a dump once, as soon as the piece with it was looked at.

    Args:
        pieces: Offset and bytes of each, in order; they overlap by ``OVERLAP`` bytes to miss nothing.
        clues: What is known about the key.
    """
    seen: set[tuple[KeyKind, bytes, bytes]] = set()
    for (base, data), (following, _) in itertools.pairwise(itertools.chain(pieces, [BEHIND_ALL])):
        overlap = max(0, base + len(data) - following)
        for candidate in scan(data, clues, base=base, overlap=overlap):
            if _identity(candidate) not in seen:
                seen.add(_identity(candidate))
                yield candidate


def _identity(candidate: Candidate) -> tuple[KeyKind, bytes, bytes]:
    """Return what makes two candidates the same key; nonces beside them do not count."""
    return candidate.kind, candidate.data, candidate.parts.get("pointer", b"")


def _moved(candidate: Candidate, base: int) -> Candidate:
    """Return ``candidate`` with its offset counted from the beginning of the dump."""
    return Candidate(
        finder=candidate.finder,
        kind=candidate.kind,
        data=candidate.data,
        offset=candidate.offset + base,
        bits=candidate.bits,
        why=candidate.why,
        parts=candidate.parts,
    )
