"""A file that was found in the space, how far that is proven, and which of those that overlap stay."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.core.messages import Message, say
from unransom.core.spans import Span


class Proof(enum.IntEnum):
    """How sure it is that every byte is right. A decoder that accepts is no proof."""

    HEURISTIC = 1  # it looks right
    DECODER = 2  # a decoder takes it to its end
    STRUCTURE = 3  # lengths, offsets and counts agree everywhere
    CHECKSUM = 4  # checksums hold over the content

    @property
    def title(self) -> str:
        """The level as people and programs read it."""
        return {1: "heuristic", 2: "decoder-accepted", 3: "structure-proved", 4: "checksum-proved"}[self]


CHECKSUMS = frozenset(
    {
        "png",
        "zip",
        "ooxml",
        "gzip",
        "xz",
        "bzip2",
        "rar",
        "sevenzip",
        "flac",
        "ogg",
        "evtx",
        "innodb",
        "mssql",
        "pst",
        "wal",
    }
)
STRUCTURES = frozenset({"pdf", "font", "registry", "mo", "cab", "dex", "javaclass"})
DECODERS = frozenset({"jpeg", "ole2", "gif", "mp3", "tiff", "sqlite", "elf", "flv", "asf", "mpeg", "rtf"})
ENOUGH = 64  # bits by which something counts as proven


class Found(msgspec.Struct):
    """A file in the space.

    Attributes:
        format: Name of its format.
        spans: Where it lies in the space, in its own order.
        proof: How far it is proven.
        bits: Random bytes in its place would pass with probability 2**-bits.
        why: What holds.
        path: Its path in the file system, or only its name, b"" where unknown.
        named_by: What the path is known by, see `Carved`.
        modified: Nanoseconds since 1970 UTC, None where unknown.
        traced: The file system itself says where it lies.
        extension: That it should have; "" where that was not looked at.
        content: Its bytes where they stand in a record of the file system, and nowhere in the space.
        slack: Bytes behind its end up to the last in its cluster that is not zero.
    """

    format: str
    spans: list[Span]
    proof: Proof
    bits: int
    why: Message
    path: bytes = b""
    named_by: str = ""
    modified: int | None = None
    traced: bool = False
    extension: str = ""
    content: bytes = b""
    slack: int = 0

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(len(span) for span in self.spans) or len(self.content)

    def lengthen(self, more: int) -> None:
        """Take ``more`` bytes behind the end as the file's: its locked copy is larger by so much."""
        if more and self.spans:
            last = self.spans[-1]
            self.spans[-1] = Span(last.start, last.end + more)
            self.proof = min(self.proof, Proof.DECODER)
            self.why = say(
                "sound, and {bytes} bytes longer, as the size of its locked copy tells", bytes=more
            )

    @property
    def start(self) -> int:
        """Where its first byte lies."""
        return self.spans[0].start if self.spans else 0


def proof_of(name: str, bits: int, *, doubted: bool = False) -> Proof:
    """Return how far a file of format ``name`` is proven that its validator takes with ``bits``.

    Where it is ``doubted``, what does hold says nothing of the rest.
    """
    if doubted:
        return Proof.HEURISTIC
    if name in CHECKSUMS:
        return Proof.CHECKSUM if bits >= ENOUGH else Proof.STRUCTURE
    if name in STRUCTURES and bits >= ENOUGH:
        return Proof.STRUCTURE
    return Proof.DECODER if name in DECODERS else Proof.HEURISTIC


class Claims:
    """Which clusters of the space belong to files that were found."""

    def __init__(self, size: int, cluster: int) -> None:
        self.cluster = cluster
        self.taken: NDArray[np.bool_] = np.zeros(-(-size // cluster), np.bool_)

    def add(self, spans: Iterable[Span]) -> None:
        """Take the clusters that ``spans`` touch."""
        for span in spans:
            self.taken[span.start // self.cluster : -(-span.end // self.cluster)] = True

    def free(self, spans: Iterable[Span]) -> bool:
        """Return whether none of ``spans`` touches a cluster that is taken."""
        return not any(
            self.taken[span.start // self.cluster : -(-span.end // self.cluster)].any() for span in spans
        )


def is_sure(found: Found) -> bool:
    """Return whether a file is proven, or taken by a decoder where the file system says that it lies."""
    return found.proof >= (Proof.DECODER if found.traced else Proof.STRUCTURE)


def resolve(found: Sequence[Found], claims: Claims) -> list[Found]:
    """Return the files that stay, and take their clusters.

    What is sure comes first, the largest of it first: a picture in a document is a part of that. So is what
    begins within a cluster, where a decoder takes the document. Of the rest the better proven comes first.
    """
    stay = []
    for each in sorted(found, key=lambda each: _rank(each, claims.cluster)):
        if claims.free(each.spans):
            claims.add(each.spans)
            stay.append(each)
    return stay


def _rank(each: Found, cluster: int) -> tuple[int, int, int]:
    proof = Proof.STRUCTURE if is_sure(each) else each.proof
    if proof == Proof.STRUCTURE and each.start % cluster and not each.traced:
        return 1 - 2 * Proof.DECODER, -each.size, each.start
    return -2 * proof, -each.size, each.start
