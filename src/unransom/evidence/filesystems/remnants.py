"""What file systems still know of files that were deleted: names, sizes, times, and where the bytes lay.

The records that a file system clears on deletion survive elsewhere: in its journal, in records that were not
given out again, in the gaps of folders. None of that says that the bytes are still there: whoever reads them
asks which of these clusters are free, and what the bytes are proof of.
"""

from __future__ import annotations

import enum

import msgspec

from unransom.core.spans import Span

NOWHERE = 1 << 62  # spans from here on stand for zeros that nobody stores


class Trace(enum.StrEnum):
    """Where a remnant stands."""

    JOURNAL = "journal"  # a copy of its inode in the journal
    NODE = "node"  # a block with its extents, which is free
    RECORD = "record"  # its own record, which is free but not yet given out again
    FOLDER = "folder"  # a name in the gap of a folder, with size and times
    LOG = "log"  # a name in a log of changes


class Remnant(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a file that was deleted.

    Attributes:
        path: In the volume; only a name where its folder is not known, b"" where not even that is.
        size: Bytes; None where only the clusters are known that it lay in.
        spans: Where its bytes lie in the image, in its own order; none where that is not known.
        content: The bytes themselves, where they stood in the record.
        modified, created, deleted: Nanoseconds since 1970 UTC.
        trace: Where this stands.
    """

    path: bytes
    size: int | None
    spans: tuple[Span, ...] = ()
    content: bytes = b""
    modified: int | None = None
    created: int | None = None
    deleted: int | None = None
    trace: Trace
