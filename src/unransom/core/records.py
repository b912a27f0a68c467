"""The records that steps take and yield. They are values: immutable, JSON-encodable, without behaviour.

Every stored record names the step, the tool version and the item it came from (``case.store`` adds
them), which together with the hash chain is the chain of custody. Fields are only ever added.
"""

from __future__ import annotations

import enum

import msgspec

from unransom.core.hashing import Digests
from unransom.core.messages import Message
from unransom.core.spans import Run


class Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Root of all records; ``type`` in JSON is the class name."""


class Kind(enum.StrEnum):
    """What a directory entry is."""

    FILE = "file"
    SYMLINK = "symlink"
    SPECIAL = "special"  # device, socket, pipe


class State(enum.StrEnum):
    """What has become of a file. ``FOUND`` and ``LOCKED`` are on the way; the others add up to all files."""

    FOUND = "found"  # listed, not yet examined
    LOCKED = "locked"  # examined: a locker has changed it
    INTACT = "intact"
    RECOVERED = "recovered"
    PARTIAL = "partial"
    LOST = "lost"  # nobody can bring it back, and why is known
    UNKNOWN = "unknown"  # neither shown to be locked nor to be intact
    SKIPPED = "skipped"  # not a file, or left out on purpose
    FAILED = "failed"


class Grade(enum.StrEnum):
    """How good an output is shown to be."""

    GOOD = "good"
    PARTIAL = "partial"
    BAD = "bad"
    UNKNOWN = "unknown"


class Source(Record, frozen=True, kw_only=True):
    """A source of evidence as the case knows it.

    Attributes:
        id: Short name, unique in the case, safe as a folder name.
        kind: Which store opens it: ``folder``, ``file``, ``image`` or ``bucket``.
        location: Absolute path, device or URL.
        fingerprint: What must not change: size and time of a file, or "" where only each file is checked.
        options: What the store needs besides, without secrets.
        role: ``evidence``; ``known``, originals to compare with; ``memory``, dumps that keys may lie in.
    """

    id: str
    kind: str
    location: str
    fingerprint: str = ""
    options: dict[str, str] = {}
    role: str = "evidence"


class FileRef(Record, frozen=True, kw_only=True):
    """A file in the evidence, and what is known about it.

    Attributes:
        source: ``Source.id``.
        path: Path below the source, bytes as the file system has them, ``/`` between parts.
        size: Bytes.
        id: Number in the case, 0 outside of one.
        stream: Name of an NTFS alternate data stream, else "".
        version: Version of an object in a bucket, or of a file in a shadow copy, else "".
        deleted: The entry is deleted, its content may be gone.
        locator: Where the store finds the content again; only the store reads it.
        modified, changed, created: Nanoseconds since 1970 UTC, None where the source has none.
        state, family, why: What triage found.
        variant: The family's own name for the way the file is locked.
        candidates: Families whose mark is there but too weak to name them by it alone.
        original: The path with what the locker added to the name taken off, where that is known.
        locked: Bytes of the file estimated to be really encrypted, None where not estimated.
        damaged: The content is broken, but not by encryption.
        format: The file format that its content or else its name says, "" where unknown.
    """

    source: str
    path: bytes
    size: int
    id: int = 0
    kind: Kind = Kind.FILE
    stream: str = ""
    version: str = ""
    deleted: bool = False
    locator: str = ""
    modified: int | None = None
    changed: int | None = None
    created: int | None = None
    state: State = State.FOUND
    family: str | None = None
    variant: str = ""
    candidates: tuple[str, ...] = ()
    original: bytes = b""
    locked: int | None = None
    damaged: bool = False
    format: str = ""
    why: Message | None = None

    @property
    def name(self) -> bytes:
        """Last part of the path."""
        return self.path.rpartition(b"/")[2]

    def output_path(self, name: bytes = b"") -> bytes:
        """Return where an output from this file belongs below the folder of outputs.

        Args:
            name: The original's name where the locker kept it; else what triage read off is taken.
        """
        folder, slash, _ = self.path.rpartition(b"/")
        path = folder + slash + name if name else self.original or self.path
        marks = b"".join(b"~" + mark.encode() for mark in (self.stream, self.version) if mark)
        return self.source.encode() + b"/" + path + marks


class Finding(Record, frozen=True, kw_only=True):
    """Something worth telling about an item: a ransom note, a locker's program, a contradiction.

    Attributes:
        kind: One word, e.g. ``note``.
        item: The file, as ``source:path`` for people.
        what: The sentence for people.
        facts: What was read out of it, e.g. ``{"victim": "…", "contact": "…"}``.
    """

    kind: str
    item: str
    what: Message
    facts: dict[str, str] = {}


class TimelineEvent(Record, frozen=True, kw_only=True):
    """A dated fact.

    Attributes:
        time: Nanoseconds since 1970 UTC.
        precision: Nanoseconds that ``time`` may be off by the resolution of its origin.
        origin: What the time was read from, e.g. ``ntfs mtime``.
        host: The source's id.
        item: The file, for people.
        what: The sentence for people.
        size: Bytes of the file, 0 where the event is of none.
    """

    time: int
    precision: int
    origin: str
    host: str
    item: str
    what: Message
    size: int = 0


class LockedGroup(Record, frozen=True, kw_only=True):
    """Locked files that one trial of keys serves: one family, one campaign.

    Attributes:
        family: Name of the family.
        samples: A few of the files, the best to test a key on first.
        files, size: How many files and bytes the group has in all.
    """

    family: str
    samples: tuple[FileRef, ...]
    files: int
    size: int


class Wanted(Record, frozen=True, kw_only=True):
    """A wrapped key that a key holder would have to open, and the file that it opens.

    Attributes:
        family: Name of the family.
        campaign: Identifier of the victim, attacker or run, "" where there is none.
        wrapped: The wrapped key as it stands in the file, or the public key that one is agreed with; "" of
            a family without one.
        size: Bytes of the file.
    """

    family: str
    campaign: str
    wrapped: bytes
    size: int


class KeyTrial(Record, frozen=True, kw_only=True):
    """What trying the given keys on a group of locked files came to.

    Attributes:
        outcome: ``found``; ``refused`` (the key wrap shows that no key fits); ``unproven`` (a key
            unwraps, and the output does not verify); ``none`` (no key of a kind that the family takes).
        wanted: What a key holder would need, e.g. the kind of key and the victim's identifier.
    """

    family: str
    outcome: str
    keys_tried: int
    files: int
    size: int
    wanted: Message
    why: Message


class KeyFound(Record, frozen=True, kw_only=True):
    """A key that is proven to open files of a family.

    Attributes:
        fingerprint: ``Key.fingerprint``; the key itself is never stored.
        bits: Strength of the proof: a wrong key passes with probability 2**-bits.
        proof: What proved it.
        item: ``FileRef.id`` of the only file that it opens, 0 for all files of the family.
        attack: Name of the attack that found it, "" for a key that was given.
        clue: What the attack finds neighbours by, in its own words, e.g. a seed; where that is the key,
            its fingerprint.
    """

    family: str
    fingerprint: str
    bits: int
    proof: Message
    item: int = 0
    attack: str = ""
    clue: str = ""


class Output(Record, frozen=True, kw_only=True):
    """A file that came back.

    Attributes:
        path: Path below the case folder, bytes.
        derived_from: ``FileRef.id`` of the locked file, 0 outside a case.
        method: ``unlock``, ``carve``, ``repair`` or ``copy``.
        family, key: The family and the fingerprint of the key that opened it, for ``unlock``; of several
            layers those of the innermost.
        outer: The family of the outermost of several layers; "" where there is one.
        bits: Strength of the proof that the bytes are right, before any comparison with a manifest.
        grade, why: What the output's own tags, checksums and structure say.
        map: Origin of every byte, runs in order.
        locked_by: Family that it is locked by still, beneath the layer that was undone; "" for none.
    """

    path: bytes
    digests: Digests
    derived_from: int
    method: str
    family: str = ""
    key: str = ""
    outer: str = ""
    bits: int = 0
    grade: Grade = Grade.UNKNOWN
    why: Message
    map: tuple[Run, ...] = ()
    format: str = ""
    locked_by: str = ""


class Delivery(Record, frozen=True, kw_only=True):
    """An output on its way to verification.

    Attributes:
        ref: The file it came from.
        output: What was recovered.
        expected: Digest of the original from a manifest, lower-case hexadecimal, "" where there is none.
        manifest: Name of that manifest.
    """

    ref: FileRef
    output: Output
    expected: str = ""
    manifest: str = ""


class Verdict(Record, frozen=True, kw_only=True):
    """How good an output is, and which check says so.

    Attributes:
        item: ``FileRef.id`` of the file the output came from, 0 outside a case.
        check: ``manifest``, ``tag``, ``structure``, ``key`` or ``none``.
    """

    item: int
    grade: Grade
    check: str
    bits: int = 0
    why: Message


class Problem(Record, frozen=True, kw_only=True):
    """Something about an item that stopped or limited the work on it.

    Attributes:
        item: The file, for people.
        what: What happened.
        resolution: What was done about it, or what a person can do.
        fatal: The item could not be handled at all.
        code: ``key``, ``output``, ``read``, ``name``, ``blamed``, ``changed``, ``limit`` or ``bug``.
    """

    item: str
    what: Message
    resolution: Message
    fatal: bool = True
    code: str = ""
