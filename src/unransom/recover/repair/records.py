"""What repairing takes and yields."""

from __future__ import annotations

from unransom.catalog.formats.repair.repair import Count
from unransom.core.messages import Message
from unransom.core.records import FileRef, Output, Problem, Record


class Broken(Record, frozen=True, kw_only=True):
    """A file of a case that is there in part, or that no key opens.

    Attributes:
        ref: The file in the evidence.
        output: What came back of it, None where it is read as it lies.
        siblings: Sound files of the same origin.
        logs: Logs that a database left beside it.
    """

    ref: FileRef
    output: Output | None = None
    siblings: tuple[FileRef, ...] = ()
    logs: tuple[Broken, ...] = ()


class Mended(Record, frozen=True, kw_only=True):
    """What became of a damaged file.

    Attributes:
        item: The file, for people.
        output: The rebuilt file; None where there is none.
        did: What was done.
        counts: How much of what is left.
        missing: What is lost, one sentence each.
        lost: Names of single lost things, the first of them.
        beside: Paths of further outputs.
        beside_sha256: Their hashes, in the same order.
        sound: The file needs no repair.
        problem: Why nothing came out.
        preview: A small picture of the output as a ``data:`` address, "" for none.
    """

    item: str
    output: Output | None = None
    did: Message | None = None
    counts: tuple[Count, ...] = ()
    missing: tuple[Message, ...] = ()
    lost: tuple[str, ...] = ()
    beside: tuple[bytes, ...] = ()
    beside_sha256: tuple[str, ...] = ()
    sound: bool = False
    problem: Problem | None = None
    preview: str = ""
