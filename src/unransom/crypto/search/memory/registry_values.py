"""Bare keys among the values of a registry hive: bytes as long as a key that look random."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import islice

from unransom.core.keys import KeyKind
from unransom.core.messages import say
from unransom.crypto.noise import is_noise
from unransom.crypto.search.memory.candidate import Candidate, Clues, Finder, Memory

NAME = "registry values"
MAGIC, BASE = b"regf", 4096  # of a hive; places in it are counted from the end of its first page
VALUE = re.compile(rb"vk(?=.{18})", re.S)
PLACED = 4  # bytes behind a multiple of 8 that a value begins at: the size of its cell stands before it
SIZES = range(16, 65)
LIMIT = 1 << 17  # values
BITS = 12


def find(memory: Memory, clues: Clues) -> Iterator[Candidate]:
    """Yield the values of a hive that may be keys, where ``memory`` is one."""
    del clues
    if memory[:4].tobytes() != MAGIC:
        return
    data = memory.tobytes()
    values = (found.start() for found in VALUE.finditer(data) if found.start() % 8 == PLACED)
    for at in islice(values, LIMIT):
        size, place = struct.unpack_from("<II", data, at + 4)
        if size not in SIZES:
            continue
        start = BASE + place + PLACED
        value = data[start : start + size]
        if len(value) == size and is_noise(value):
            yield Candidate(
                finder=NAME,
                kind=KeyKind.RAW,
                data=value,
                offset=start,
                bits=BITS,
                why=say("a value of a registry hive, as long as a key"),
            )


FINDER = Finder(NAME, 0, find)
