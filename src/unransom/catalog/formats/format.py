"""What a file format is to unransom: how to recognise, measure and validate it, and what bytes it has."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from unransom.core.messages import Message
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.core.streams import Reader

HEAD = 4096  # bytes of a file's head that `recognise` is given, fewer where the file is shorter


class Measure(msgspec.Struct, frozen=True):
    """How long the file is that starts at a reader's first byte, by its own structure.

    Attributes:
        length: Bytes, or None where the structure does not tell; never more than the reader has.
        why: What the end was found by, or why it was not.
        alternatives: Other ends that the structure allows.
    """

    length: int | None
    why: Message
    alternatives: tuple[int, ...] = ()


class Validation(msgspec.Struct, frozen=True):
    """How far the content of a reader is what its format demands.

    Attributes:
        grade: GOOD, the whole file holds; PARTIAL, a part does; BAD, it is not such a file or nothing
            of it holds; UNKNOWN, the format has too little structure to say.
        bits: Strength: random bytes in place of this content would pass with probability 2**-bits.
            For PARTIAL the strength of what did hold.
        why: Which checks held, or the first that did not and where.
        length: Bytes of the file by its own structure, None where it does not tell.
        damage: Where the structure does not hold, as far as that can be located; sorted.
        doubted: GOOD, but a check over some part fails that fails in real files too: ``bits`` are those
            of the other parts, and that part may be anything.
    """

    grade: Grade
    bits: int
    why: Message
    length: int | None = None
    damage: tuple[Span, ...] = ()
    doubted: bool = False


class Known(msgspec.Struct, frozen=True):
    """Bytes that files of a format have at an offset: known plaintext for the attacks on keys.

    Attributes:
        offset: From the start of the file; negative counts from its end.
        data: The bytes.
        share: Which part of real files of the format has them, 0.0 to 1.0.
    """

    offset: int
    data: bytes
    share: float = 1.0


class Format(msgspec.Struct, frozen=True):
    """A file format.

    Attributes:
        name: Lower-case short name, the same as its module's.
        title: What people call it.
        extensions: Lower case, without the dot, the usual one first.
        recognise: Takes the first ``HEAD`` bytes; returns how many bits of them are as the format
            demands, 0 where it is not this format. A 4-byte signature gives 32.
        measure: Takes a reader that starts at the file's first byte and may go on behind its last.
        validate: Takes a reader that holds the file and nothing else. Streams; bounded in time by the
            reader's size and in memory by a constant; never raises on any content, save
            ``UnreadableError`` from the reader.
        known: Bytes that are the same in most files.
        compressed: The content is compressed or encoded so that entropy says nothing about locking.
        references: Where the layout is written down.
        limitations: What is not checked or not supported.
    """

    name: str
    title: str
    extensions: tuple[str, ...]
    recognise: Callable[[bytes], int]
    measure: Callable[[Reader], Measure]
    validate: Callable[[Reader], Validation]
    references: tuple[str, ...]
    known: tuple[Known, ...] = ()
    compressed: bool = False
    limitations: tuple[str, ...] = ()
