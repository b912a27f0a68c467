"""What repairing a file is: what goes in, and what comes out besides the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from unransom.core.messages import Message
from unransom.core.spans import Origin, Span, merge
from unransom.core.streams import Reader, chunks

Piece = tuple[bytes, Origin]
LISTED = 10_000  # lost things that are named one by one


class Damaged(msgspec.Struct, frozen=True):
    """A file that is damaged or partly locked.

    Attributes:
        reader: Its bytes.
        name: Its name, for its extension.
        lost: Ranges that are known to be lost; others may be found.
        siblings: Sound files of the same origin: other pictures of the same camera, say.
        logs: What a database left beside it: its write-ahead log, its journal. They may be damaged.
    """

    reader: Reader
    name: bytes = b""
    lost: tuple[Span, ...] = ()
    siblings: tuple[Reader, ...] = ()
    logs: tuple[Reader, ...] = ()

    def lost_from(self, start: int, end: int) -> int:
        """Return where in ``start <= offset < end`` the first lost byte is, ``end`` where none is known."""
        for span in merge(self.lost):
            if span.end > start:
                return min(max(span.start, start), end)
        return end


class Count(msgspec.Struct, frozen=True):
    """How many things of a kind are left.

    Attributes:
        what: The kind: ``members``, ``cells``, ``pages``, ``rows``, ``objects``, ``records``, ``bytes``.
        left: How many came back.
        total: How many there were, None where that is not known.
    """

    what: str
    left: int
    total: int | None = None


class Beside(msgspec.Struct, frozen=True):
    """A further file that comes out: what the name of the output gets added, and the content."""

    suffix: str
    data: bytes


class Table(msgspec.Struct, frozen=True):
    """A table of a database.

    Attributes:
        name: Its name.
        create: The statement that made it, "" where that is lost.
        columns: How many columns the widest row has.
        rows: Yields (row's number, values).
    """

    name: str
    create: str
    columns: int
    rows: Callable[[], Iterator[tuple[int, tuple[object, ...]]]]


class Tables(msgspec.Struct, frozen=True):
    """Rows for a new database: its tables, and the statements that make indices and views."""

    tables: tuple[Table, ...]
    after: tuple[str, ...]


class Repaired(msgspec.Struct, frozen=True):
    """What comes out.

    Attributes:
        pieces: The rebuilt file in order, with where each piece is from; empty with ``tables``.
        did: What was rebuilt.
        counts: How much is left.
        missing: What is lost, one sentence each.
        lost: Names of single lost things: cells, members, pages; ``LISTED`` at most.
        beside: Further files.
        tables: A database to be written instead of ``pieces``.
        extension: Of the output where it differs from the input's.
        unproven: Why it may be wrong though its structure holds, None where that proves the content, too.
    """

    pieces: Iterable[Piece]
    did: Message
    counts: tuple[Count, ...] = ()
    missing: tuple[Message, ...] = ()
    lost: tuple[str, ...] = ()
    beside: tuple[Beside, ...] = ()
    tables: Tables | None = None
    extension: str = ""
    unproven: Message | None = None


class Repair(msgspec.Struct, frozen=True):
    """How files of some formats are repaired.

    Attributes:
        formats: Names of the formats.
        extensions: Of files whose content no longer says what they are.
        repair: Returns what can be rebuilt, None where there is nothing; never raises on any content, save
            ``UnreadableError`` from the reader.
        finds: Returns whether there is something for this repair in a file that nothing else tells of.
    """

    formats: tuple[str, ...]
    extensions: tuple[str, ...]
    repair: Callable[[Damaged], Repaired | None]
    finds: Callable[[Reader], bool]


def copied(reader: Reader, start: int, end: int) -> Iterator[Piece]:
    """Yield bytes of the damaged file as they are."""
    for piece in chunks(reader, start, end):
        yield piece, Origin.PLAIN
