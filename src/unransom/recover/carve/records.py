"""What carving takes and yields."""

from __future__ import annotations

import msgspec

from unransom.core.hashing import Digests
from unransom.core.messages import Message
from unransom.core.records import FileRef, Record
from unransom.core.spans import Span
from unransom.recover.carve.found import Found
from unransom.recover.carve.scan import Scan

CLUSTERS = (4096, 2048, 1024, 512)  # bytes that a cluster may have, as far as that is found out


class Target(Record, frozen=True, kw_only=True):
    """A space to search.

    Attributes:
        ref: The image, as a file of its source.
        spans: The parts of it that are searched.
        cluster: Bytes of a cluster; files begin at multiples of it from the start of the space.
    """

    ref: FileRef
    spans: tuple[Span, ...]
    cluster: int = 4096


class Region(Record, frozen=True, kw_only=True):
    """A part of a space, looked at by one worker.

    Attributes:
        target: The space.
        span: The part.
        known: Folder with hashes of the clusters of files that are there, "" where there are none.
    """

    target: Target
    span: Span
    known: str = ""


class Looked(Record, frozen=True, kw_only=True):
    """What a worker saw in a region.

    Attributes:
        scan: What stands where.
        found: Whole files that begin in the region.
        skipped: Beginnings that were left out for want of budget.
        aligned: How many files surely begin, whole or not, at multiples of each of `CLUSTERS`.
        overlaid: Bytes with pages of databases, by their class, then with beginnings of files, by theirs.
    """

    scan: Scan
    found: tuple[Found, ...]
    skipped: int
    aligned: tuple[int, ...] = ()
    overlaid: tuple[int, ...] = ()


class Acquainted(Record, frozen=True, kw_only=True):
    """Files that are there, for the hashes of their clusters.

    Attributes:
        files: The files.
        locked: Of each, whether its name is that of a locked file.
        cluster: Bytes of a cluster.
    """

    files: tuple[FileRef, ...]
    locked: tuple[bool, ...]
    cluster: int


class Mapped(Record, frozen=True, kw_only=True):
    """The map of a space, in totals.

    Attributes:
        source: ``Source.id``.
        searched: Bytes that were looked at.
        holds: The same bytes by what they hold, see `mapping.holdings`.
    """

    source: str
    searched: int
    holds: dict[str, int]


class Puzzle(Record, frozen=True, kw_only=True):
    """Fragments to put together by one method.

    Attributes:
        target: The space.
        board: Folder in which the board was stored.
        method: Name of the method.
        part, parts: Which share of the work this is, and of how many.
    """

    target: Target
    board: str
    method: str
    part: int = 0
    parts: int = 1


class Lead(Record, frozen=True, kw_only=True):
    """What a file system still knows of a file that was deleted.

    Attributes:
        path: In the volume; only a name where its folder is not known, b"" where not even that is.
        size: Bytes, None where only its clusters are known.
        spans: Where its bytes lie in the image, in its own order.
        content: The bytes themselves, where the file system kept them.
        modified, deleted: Nanoseconds since 1970 UTC, None where unknown.
    """

    path: bytes
    size: int | None
    spans: tuple[Span, ...] = ()
    content: bytes = b""
    modified: int | None = None
    deleted: int | None = None


class Leads(Record, frozen=True, kw_only=True):
    """Leads to follow in a space."""

    target: Target
    leads: tuple[Lead, ...]


class Batch(Record, frozen=True, kw_only=True):
    """Files to write out, or only to be read for their digests where ``dry``."""

    target: Target
    found: tuple[Found, ...]
    dry: bool = False


class Carved(Record, frozen=True, kw_only=True):
    """A file that was carved.

    It has no entry in the list of the evidence's files, and no share in the sum of what became of those: it
    is counted by itself, until it is found to be the original of one of them.

    Attributes:
        source: ``Source.id``.
        path: Path below the folder of outputs.
        format: Name of the format.
        proof: ``checksum-proved``, ``structure-proved``, ``decoder-accepted`` or ``heuristic``.
        bits: Random bytes in its place would pass with probability 2**-bits.
        why: What holds.
        extents: Where its pieces lie in the image, in the file's order.
        original: The path that it had in the file system, b"" where unknown.
        named_by: What its path is known by: ``record`` of the file system, ``name``, ``size`` or ``order``.
        modified: When it was last changed, nanoseconds since 1970 UTC, None where unknown.
    """

    source: str
    path: bytes
    digests: Digests
    format: str
    proof: str
    bits: int
    why: Message
    extents: tuple[Span, ...]
    original: bytes = b""
    named_by: str = ""
    modified: int | None = None

    @property
    def fragments(self) -> int:
        """Pieces that it lay in."""
        return len(self.extents)


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Carved).decode
