"""Hive v1 and v2: XOR of two windows of the run's key table of 10 MiB, over blocks of 4 KiB.

Nothing is added to the file; its name ends with a dot and 43 or 44 characters of base64 for URLs, which say
16 bytes that are the same for a run and two random numbers of 64 bits, and then ``.hive``. The numbers are
where the windows of 1 MiB and of 1 KiB begin. A byte is under the byte of each window that has its offset in
the file, the windows repeating. Larger files have fewer blocks, with equal gaps; the last one ends the file.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

import numpy as np

from unransom.catalog.schemes.family import Family, FileKey, Keep, Locked, Lost, Mark, Piece, Plan, Unlock
from unransom.catalog.schemes.known import Slice, edges, known_of
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span

TABLE = 0xA00000  # bytes
FIRST, SECOND = 0x100000, 0x400  # bytes of the windows
STARTS = (0x900000, 0x9FFC00)  # where the windows begin is the numbers modulo these
BLOCK = 0x1000
# Files below a size, and the percentage of their blocks that are locked.
SHARES = ((0x20000, 100), (0x100000, 30), (0xA00000, 20), (0x6400000, 10), (0x40000000, 5))
SMALL_SHARE = 1  # of larger ones
RUN, NUMBERS = slice(0, 16), slice(16, 32)
METADATA = r"[A-Za-z0-9_-]{43}=?"
NAME = re.compile(rf".+\.({METADATA})\.hive(?:\..*)?".encode(), re.DOTALL)  # others may add to it
NAME_BITS = 32  # of a part of a name that is exactly so long and so mixed, and of the extension


def read(locked: Locked) -> Mark | None:
    """Return the mark that is in the name."""
    match = NAME.fullmatch(locked.name)
    if match is None:
        return None
    data = base64.urlsafe_b64decode(match[1].rstrip(b"=") + b"=")
    return Mark(
        bits=NAME_BITS,
        fields={"run": data[RUN], "numbers": data[NUMBERS]},
        plain_size=locked.size,
        wrapped=data[RUN],
        campaign=data[RUN].hex(),
    )


def places(numbers: bytes) -> tuple[int, int]:
    """Return where in the table the two windows begin."""
    first, second = (int.from_bytes(half, "little") for half in (numbers[:8], numbers[8:]))
    return first % STARTS[0], second % STARTS[1]


def blocks(size: int) -> Iterator[Span]:
    """Yield the locked blocks of a file of ``size`` bytes."""
    share = next((share for below, share in SHARES if size < below), SMALL_SHARE)
    count = (size // BLOCK) * share // 100
    if size <= BLOCK or count < 2:
        yield from [Span(0, min(size, BLOCK))] if size else []
        return
    gap = (size - count * BLOCK) // (count - 1)
    for index in range(count - 1):
        start = index * (BLOCK + gap)
        yield Span(start, start + BLOCK)
    yield Span(size - BLOCK, size)


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Take a key table, or one with a bit for each of its bytes behind it that says which are known."""
    if len(key.data) not in {TABLE, TABLE + TABLE // 8}:
        return None
    parts = {"table": key.data[:TABLE], "numbers": mark.fields["numbers"]}
    return FileKey(parts | ({"known": key.data[TABLE:]} if len(key.data) > TABLE else {}))


def plan(locked: Locked, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the blocks as far as the table is known."""
    del mark
    return Plan(locked.size, _pieces(locked.size, key))


def _pieces(size: int, key: FileKey) -> Iterator[Piece]:
    table = np.frombuffer(key.parts["table"], np.uint8)
    known = known_of(key.parts["known"], TABLE) if "known" in key.parts else None
    position = 0
    for span in blocks(size):
        if span.start > position:
            yield Keep(position, span.start - position)
        first, second = under(key.parts["numbers"], span)
        stream = table[first] ^ table[second]
        runs = [(0, len(span), True)] if known is None else edges(known[first] & known[second])
        for low, high, there in runs:
            if there:
                yield Unlock(span.start + low, high - low, Slice(stream, low))
            else:
                yield Lost(high - low)
        position = span.end
    if position < size:
        yield Keep(position, size - position)


def under(numbers: bytes, span: Span) -> tuple[np.ndarray, np.ndarray]:
    """Return for each byte of ``span`` of a file the two places in the table that it is under."""
    first, second = places(numbers)
    offsets = np.arange(span.start, span.end, dtype=np.int64)
    return (first + offsets % FIRST).astype(np.int32), (second + offsets % SECOND).astype(np.int32)


FAMILY = Family(
    name="hive1",
    title="Hive v1 and v2",
    extensions=(rf"\.{METADATA}\.hive",),
    notes=(r"(?i)how_to_decrypt\.txt",),
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the key table of the run, 10 MiB; originals of some of the files give most of it"),
    references=(
        "https://arxiv.org/abs/2202.08477",
        "https://github.com/agrendath/hive_tests",
    ),
    limitations=(
        "A renamed file carries no mark: the places in the key table are in its name only.",
        "Which hash of the table the name begins with is not documented: a table is proven on files.",
    ),
)
