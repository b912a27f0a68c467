"""The result document: what a run came to, in figures and sentences, small whatever the size of the case.

It is put together by ``run`` from the case and is all that a renderer sees. Every list in it is
aggregated or capped; where it is capped, a total stands beside it. Fields are only ever added, so a
program that reads ``result.json`` goes on working; ``docs/reference/result.md`` is generated from the
docstrings here.

Times are RFC 3339 in UTC, "" where not known. Sizes are bytes. Paths and items are text for people
(``core.text.shown``); the bytes of a name are in ``unransom files --jsonl``.
"""

from __future__ import annotations

import msgspec

from unransom.core.messages import Message
from unransom.core.records import State
from unransom.core.spans import Run
from unransom.report.attacks import AttackFacts
from unransom.report.tallies import Counts, Grades, Holdings, Origins, Part, Throughput

SCHEMA_VERSION = 1
EXAMPLES = 5  # items named per group; the rest is counted


class CaseFacts(Part, frozen=True, kw_only=True):
    """The case, and its clock.

    Attributes:
        name: What people call the case.
        folder: Its folder, as it was given.
        created: When the case was made.
        started: When the clock of the deadline was started.
        deadline_hours: Hours from ``started`` until the business must run again, null where none was set.
        used_hours: Hours from ``started`` to the making of this document.
    """

    name: str
    folder: str = ""
    created: str = ""
    started: str = ""
    deadline_hours: float | None = None
    used_hours: float = 0.0


class SourceFacts(Part, frozen=True, kw_only=True):
    """A source of evidence.

    Attributes:
        id: Short name, unique in the case; the folder below ``recovered``.
        kind: ``folder``, ``file``, ``image`` or ``bucket``.
        location: Absolute path, device or URL.
        files: Entries found in it.
        size: Bytes of these.
        fingerprint: What must not change between two runs, "" where each file is checked on its own.
    """

    id: str
    kind: str
    location: str
    files: int = 0
    size: int = 0
    fingerprint: str = ""


class KeyFacts(Part, frozen=True, kw_only=True):
    """A key that is proven to open files; the key itself is never in a report.

    Attributes:
        fingerprint: What the key is called: 16 hexadecimal digits.
        bits: Strength of the proof: a wrong key passes with probability 2**-bits.
        proof: What proved it.
    """

    fingerprint: str
    bits: int = 0
    proof: Message | None = None


class FamilyFacts(Part, frozen=True, kw_only=True):
    """A ransomware family that locked files of the case.

    Attributes:
        name: Its short name, as in ``unransom list families``.
        title: What the press calls it.
        files: Files that it locked.
        size: Bytes of these files.
        recovered: How many of them came back whole.
        partial: How many of them came back in part.
        encrypted_share: Part of ``size`` that is really encrypted, 0.0 to 1.0, null where not estimated.
        keys: Keys that opened files of it.
        outcome: ``found``; ``refused`` (the key wrap shows that no given key fits); ``unproven`` (a key
            unwraps, and the output does not verify); ``none`` (no key of a kind that the family takes).
        wanted: What a key holder would need to hand over, null where nothing is needed any more.
        why: What the outcome is concluded from.
        limitations: What is not supported or not known about the family.
        references: Where its layout is written down.
    """

    name: str
    title: str
    files: int = 0
    size: int = 0
    recovered: int = 0
    partial: int = 0
    encrypted_share: float | None = None
    keys: tuple[KeyFacts, ...] = ()
    outcome: str = "none"
    wanted: Message | None = None
    why: Message | None = None
    limitations: tuple[str, ...] = ()
    references: tuple[str, ...] = ()


class Bucket(Part, frozen=True, kw_only=True):
    """What was locked within a stretch of time.

    Attributes:
        start: When the stretch begins.
        seconds: How long it is.
        files: Files locked within it.
        size: Bytes of these files.
    """

    start: str
    seconds: float
    files: int
    size: int = 0


class Timeline(Part, frozen=True, kw_only=True):
    """When the files of a source were locked.

    Attributes:
        source: ``SourceFacts.id``.
        first: When the first file was locked.
        last: When the last file was locked.
        origin: What the times were read from, e.g. ``ntfs mtime``.
        buckets: In order of time, of one length; empty stretches may be left out.
        order: 1 for the source where the locking began first, and so on.
        files_per_second: From ``first`` to ``last``.
        bytes_per_second: From ``first`` to ``last``.
        folders: The folders at the top in the order in which their first files were locked, some of them.
    """

    source: str
    first: str = ""
    last: str = ""
    origin: str = ""
    order: int = 0
    files_per_second: float = 0.0
    bytes_per_second: float = 0.0
    folders: tuple[str, ...] = ()
    buckets: tuple[Bucket, ...] = ()


class NoteFacts(Part, frozen=True, kw_only=True):
    """A ransom note, or another thing worth telling about an item.

    Attributes:
        kind: One word, e.g. ``note``.
        item: The file.
        what: The sentence for people.
        facts: What was read out of it by name, e.g. ``victim`` and ``contact``.
    """

    item: str
    what: Message
    kind: str = "note"
    facts: dict[str, str] = msgspec.field(default_factory=dict)


class ProblemExample(Part, frozen=True, kw_only=True):
    """A problem with one item.

    Attributes:
        item: The file.
        what: What happened.
        resolution: What was done about it, or what a person can do.
        fatal: The item could not be handled at all.
    """

    item: str
    what: Message
    resolution: Message
    fatal: bool = True


class ProblemGroup(Part, frozen=True, kw_only=True):
    """Problems of one kind.

    Attributes:
        code: ``key``, ``output``, ``read``, ``name``, ``blamed``, ``changed``, ``limit``, ``bug`` or "".
        count: How many there are.
        examples: The first of them, at most five.
    """

    code: str
    count: int
    examples: tuple[ProblemExample, ...] = ()


class SpaceFacts(Part, frozen=True, kw_only=True):
    """What was searched of an image for deleted files.

    Attributes:
        source: ``SourceFacts.id``.
        searched: Bytes that were searched: the free space, or all where no file system tells what is free.
        holds: The same bytes by what they hold.
    """

    source: str
    searched: int = 0
    holds: Holdings = Holdings()


class PartialFile(Part, frozen=True, kw_only=True):
    """A file that came back in part, and the origin of its bytes.

    Attributes:
        path: The output's path below the case folder.
        size: Bytes of the output.
        origins: Its bytes by origin, exact.
        runs: Its byte map as ``[start, end, origin]``, in order and without gaps.
        exact: False where the byte map has more runs than are kept and neighbours were joined.
        why: What limits it.
    """

    path: str
    size: int
    origins: Origins
    runs: tuple[Run, ...] = ()
    exact: bool = True
    why: Message | None = None


class RepairedFile(Part, frozen=True, kw_only=True):
    """A damaged or locked file of which a new one was built.

    Attributes:
        path: The new file's path below the case folder.
        size: Its bytes.
        origins: Its bytes by origin: what stood in the file, and what was rebuilt.
        did: What was done.
        left: How much is left, by kind: cells, rows, pages.
        total: How much there was, by kind, where that is known.
        missing: What is lost, the first sentences.
        preview: A small picture as a ``data:`` address, "" for none.
        instead: Path of what has taken its place since: the file itself, which a key has opened, or one that
            was rebuilt from more of it; "" for nothing.
    """

    path: str
    size: int
    origins: Origins
    did: Message | None = None
    left: dict[str, int]
    total: dict[str, int]
    missing: tuple[Message, ...] = ()
    preview: str = ""
    instead: str = ""


class LossGroup(Part, frozen=True, kw_only=True):
    """Files that did not come back whole, for one reason.

    Attributes:
        state: ``partial``, ``lost``, ``unknown``, ``skipped`` or ``failed``.
        reason: Why.
        files: How many there are.
        size: Bytes of these.
        examples: Some of them, at most five.
    """

    state: State
    reason: Message
    files: int
    size: int = 0
    examples: tuple[str, ...] = ()


class LostFacts(Part, frozen=True, kw_only=True):
    """Data that no key can bring back, or may not, for one reason.

    Attributes:
        rule: Short name of the reason, as in ``unransom list losses``.
        title: What people call it.
        proven: Whether the files prove it; else it is a warning.
        reason: Why, for the first of the files.
        files: How many files it concerns.
        whole: How many of these are lost as a whole; of the others only parts are.
        size: Bytes that are lost; 0 where a warning does not know.
        references: Where it is written down.
        examples: Some of the files, at most five.
    """

    rule: str
    title: str
    proven: bool = True
    reason: Message
    files: int
    whole: int = 0
    size: int = 0
    references: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


class FormatFacts(Part, frozen=True, kw_only=True):
    """Outputs of one file format.

    Attributes:
        name: The format's short name, as in ``unransom list formats``; "" where it is not known.
        title: What people call it.
        files: How many outputs there are.
        size: Bytes of these.
        good: Outputs shown to be right.
        partial: Outputs of which a part is shown to be right.
        bad: Outputs shown to be wrong.
        unknown: Outputs that nothing could be shown about.
    """

    name: str
    title: str
    files: int = 0
    size: int = 0
    good: int = 0
    partial: int = 0
    bad: int = 0
    unknown: int = 0


class Result(Part, frozen=True, kw_only=True):
    """What a run came to.

    Attributes:
        schema_version: Of this document's shape; it rises only where a field changes its meaning.
        tool: Name of the program that made it.
        version: Version of that program.
        created: When it was made.
        case: The case, and its clock.
        command: The command that was run; it never holds a secret.
        exit_code: What the command ended with, as in ``docs/reference/errors.md``.
        sources: The evidence.
        counts: Files by what has become of them.
        sizes: Bytes of the same files, by what has become of them.
        origins: Bytes of all outputs by where they came from.
        verdicts: Outputs by the verdict on them.
        families: Families that locked files, the one with the most files first.
        attacks: Attacks on keys that nobody gave: those that found one, then those most worth their cost.
        attacks_total: How many of these there are in all; ``attacks`` is capped.
        attacks_verdict: What all of them together come to, null where no file waits for a key.
        timelines: When the files were locked, per source.
        notes: Ransom notes and other findings.
        notes_total: How many of these there are in all; ``notes`` is capped.
        problems: Problems by kind, the most frequent first.
        spaces: What the free space of images holds, those that were carved.
        partial_files: Files that came back in part, capped; ``counts.partial`` has the number of all.
        repaired_files: Files that were rebuilt from what is left of damaged ones, capped.
        not_recovered: What did not come back whole, by reason, the most frequent first.
        losses: Data that no key can bring back, by reason, what is proven first.
        formats: Outputs by file format, the most frequent first.
        throughput: How fast the work went.
        next: What to do next, null where nothing is left to do.
    """

    schema_version: int = SCHEMA_VERSION
    tool: str = "unransom"
    version: str
    created: str
    case: CaseFacts
    command: str
    exit_code: int = 0
    sources: tuple[SourceFacts, ...] = ()
    counts: Counts = Counts()
    sizes: Counts = Counts()
    origins: Origins = Origins()
    verdicts: Grades = Grades()
    families: tuple[FamilyFacts, ...] = ()
    attacks: tuple[AttackFacts, ...] = ()
    attacks_total: int = 0
    attacks_verdict: Message | None = None
    timelines: tuple[Timeline, ...] = ()
    notes: tuple[NoteFacts, ...] = ()
    notes_total: int = 0
    problems: tuple[ProblemGroup, ...] = ()
    spaces: tuple[SpaceFacts, ...] = ()
    partial_files: tuple[PartialFile, ...] = ()
    repaired_files: tuple[RepairedFile, ...] = ()
    not_recovered: tuple[LossGroup, ...] = ()
    losses: tuple[LostFacts, ...] = ()
    formats: tuple[FormatFacts, ...] = ()
    throughput: Throughput = Throughput()
    next: Message | None = None
