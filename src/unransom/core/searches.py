"""The records of a search for keys: what it works on, what it would cost, its parts and what they find."""

from __future__ import annotations

import msgspec

from unransom.core.keys import Key
from unransom.core.messages import Message
from unransom.core.records import FileRef, Record


class Secret(Record, frozen=True, kw_only=True):
    """A key that an attack found, beside its ``KeyFound``; it is kept apart from the records.

    Attributes:
        family: Name of the family.
        key: The key.
        item: ``FileRef.id`` of the only file that it opens, 0 for all files of the family.
    """

    family: str
    key: Key
    item: int = 0


class LockedFile(Record, frozen=True, kw_only=True):
    """A locked file, and the keys that were found for it alone."""

    ref: FileRef
    own: tuple[Secret, ...] = ()


class Pair(Record, frozen=True, kw_only=True):
    """A locked file and its original, or what is taken for it.

    Attributes:
        how: What they were matched by: ``name``, ``size`` or ``content``.
    """

    locked: FileRef
    plain: FileRef
    how: str


class SchemeGuess(Record, frozen=True, kw_only=True):
    """What locked files, and their originals where there are any, tell about how they were locked.

    Attributes:
        family: ``Target.family`` of the files.
        description: The scheme as far as it shows, as JSON of a described family; b"" where too little does.
        confidence: That it is right, 0.0 to 1.0.
        why: What each part of it was told by, and what else is worth telling.
        head, tail: Bytes that the locker put before and behind the original's.
        shared: Files show that one keystream locks several of them.
        period: Bytes after which a keystream shows to repeat within a file, 0 where none does.
        blocks: Bytes of blocks that are locked each by itself, 0 where that does not show.
    """

    family: str
    description: bytes = b""
    confidence: float = 0.0
    why: tuple[Message, ...] = ()
    head: int = 0
    tail: int = 0
    shared: bool = False
    period: int = 0
    blocks: int = 0


class Described(Record, frozen=True, kw_only=True):
    """A way of locking that a search found out, and that no known family has.

    Attributes:
        family: ``Target.family`` of the files that it was found on.
        description: As JSON of a described family.
    """

    family: str
    description: bytes


class Target(Record, frozen=True, kw_only=True):
    """Locked files that one attack works on, and what it may use.

    Attributes:
        family: Name of the family that they are of, or may be of; "" where none is known.
        samples: A few of the files, the best to prove a key on first.
        files, size: How many files and bytes there are in all.
        others: More of the files, for what many files tell together.
        pairs: Locked files with their originals.
        dumps: Memory dumps, captures and the like that keys may lie in.
        left: Small files of the evidence that keys may lie in.
        clues: Of neighbours that are solved: modification time in nanoseconds, and ``KeyFound.clue``.
        keys: Of neighbours, those that their clues name by fingerprint.
        known: Originals, whatever they are called: one may lie in an archive that is locked.
        guess: What the files tell about how they were locked.
    """

    family: str
    samples: tuple[FileRef, ...]
    files: int
    size: int
    pairs: tuple[Pair, ...] = ()
    dumps: tuple[FileRef, ...] = ()
    left: tuple[FileRef, ...] = ()
    clues: tuple[tuple[int, str], ...] = ()
    keys: tuple[Key, ...] = ()
    known: tuple[FileRef, ...] = ()
    others: tuple[FileRef, ...] = ()
    guess: SchemeGuess | None = None

    @property
    def proper(self) -> bool:
        """Whether files are of the family for sure, or of none: not of those that they only may be of."""
        return not self.family or any(ref.family == self.family for ref in self.samples)


class Stage(msgspec.Struct, frozen=True):
    """Shards of a search, one after the other, among which the key is as likely to be in any.

    Attributes:
        shards: How many.
        seconds: Of one core of this machine for all of them.
        chance: That the key is in one of them, 0.0 to 1.0.
    """

    shards: int
    seconds: float
    chance: float


class AttackPlan(Record, frozen=True, kw_only=True):
    """What an attack would cost on a target, and what it promises.

    Attributes:
        attack: Name of the attack.
        family: ``Target.family``.
        each: Every file has a key of its own: the search is for each file, else once for all.
        shards: Parts that the search is cut into; 0 where it cannot be tried.
        candidates: Keys that would be tried in all, per file where ``each``.
        seconds: Of one core of this machine for all of them, per file where ``each``.
        chance: That it finds the key, 0.0 to 1.0.
        why: What speaks for it, or what rules it out.
        helps: What more input would help most, None where nothing would.
        factor: Numbers, in decimal, whose prime factors would give the key, for a factoring program.
        stages: Where some shards are likelier than others: all shards in their order, the likeliest for
            their cost first. Searches take turns by stage.
    """

    attack: str
    family: str
    each: bool = False
    shards: int = 0
    candidates: int = 0
    seconds: float = 0.0
    chance: float = 0.0
    why: Message
    helps: Message | None = None
    factor: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()


class Shard(Record, frozen=True, kw_only=True):
    """A part of a search, at most some ten seconds of one core.

    Attributes:
        plan: The search.
        target: What it works on; one sample where the plan is for each file.
        number: 0 up to ``plan.shards``. Shard 0 is what the clues of solved neighbours suggest.
    """

    plan: AttackPlan
    target: Target
    number: int


class Searched(Record, frozen=True, kw_only=True):
    """A part of a search that is done.

    Attributes:
        attack, family: Of its plan.
        item: ``FileRef.id`` where the search is for one file, else 0.
        shard: Its number.
        candidates: Keys that were tried.
    """

    attack: str
    family: str
    item: int
    shard: int
    candidates: int
