"""Everything that a word of four bytes gives away, in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from unransom.crypto.search.memory import private_keys, stream_states, windows_keys
from unransom.crypto.search.memory.anchor_kernel import ANCHORS, find_anchors
from unransom.crypto.search.memory.candidate import Candidate, Clues, Finder, Memory

Read = Callable[[Memory, int], Iterator[Candidate]]

READERS: dict[bytes, Read] = {
    stream_states.ANCHOR: stream_states.read,
    windows_keys.KEY_OBJECT: windows_keys.key_object,
    windows_keys.KEY_DATA: windows_keys.key_data,
    **dict.fromkeys(windows_keys.ALGORITHMS, windows_keys.algorithm),
    **dict.fromkeys(private_keys.DER_ANCHORS, private_keys.der),
    **dict.fromkeys(private_keys.BLOB_ANCHORS, private_keys.blob),
    **dict.fromkeys(private_keys.TEXT_ANCHORS, private_keys.text),
}
WORDS = np.array([int.from_bytes(anchor, "little") for anchor in READERS], np.uint32)
LIMIT = 1 << 16  # anchors in one piece of memory; real memory has some thirty in a MiB


def find(memory: Memory, clues: Clues) -> Iterator[Candidate]:
    """Yield every structure in ``memory`` that holds a key."""
    places, which = np.empty(LIMIT, np.int64), np.empty(LIMIT, np.uint8)
    count = find_anchors(memory, np.resize(WORDS, ANCHORS), places, which)
    readers = tuple(READERS.values())
    for place, number in zip(places[:count].tolist(), which[:count].tolist(), strict=True):
        yield from readers[number](memory, place)
    for constants in clues.states:
        for at in _each(memory, constants):
            yield from stream_states.together(memory, at, constants)


def _each(memory: Memory, wanted: bytes) -> Iterator[int]:
    """Yield where ``wanted`` stands in ``memory``."""
    data = memory.tobytes() if wanted else b""
    at = data.find(wanted)
    while at >= 0 and wanted:
        yield at
        at = data.find(wanted, at + 1)


REACH = max(private_keys.REACH, stream_states.REACH, windows_keys.REACH)
FINDER = Finder("structures", REACH, find)
