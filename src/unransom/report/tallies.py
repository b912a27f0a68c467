"""The figures of the result document: files and bytes by what became of them, and what the steps took.

Sizes are bytes. ``report.document`` puts the figures together with everything that is not a figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

import msgspec

from unransom.core.records import Grade, State
from unransom.core.spans import Origin, Run

ENDS = (
    State.INTACT,
    State.RECOVERED,
    State.PARTIAL,
    State.LOST,
    State.UNKNOWN,
    State.SKIPPED,
    State.FAILED,
)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Root of the parts of the result document."""


class Counts(Part, frozen=True, kw_only=True):
    """How many there are in all, and what has become of them.

    Attributes:
        total: All that was found in the evidence; ``in`` in JSON.
        intact: Never locked.
        recovered: Came back whole.
        partial: Came back in part; the byte map tells which.
        lost: Nobody can bring them back, and why is known.
        unknown: Neither shown to be locked nor to be intact, or not looked at yet.
        skipped: Not a file, or left out on purpose.
        failed: Not brought back: locked and without a key so far, or it could not be handled.
        carved: Of ``recovered``, deleted files that came back from free space: they were never locked.
    """

    total: int = msgspec.field(default=0, name="in")
    intact: int = 0
    recovered: int = 0
    partial: int = 0
    lost: int = 0
    unknown: int = 0
    skipped: int = 0
    failed: int = 0
    carved: int = 0

    @classmethod
    def of(cls, ends: Mapping[State, int], carved: int = 0) -> Self:
        """Return the counts of ``ends``, of which ``carved`` are deleted files; the total is their sum.

        A file that is locked and has no key was not brought back; one not looked at is unknown.
        """
        known = {state.value: ends.get(state, 0) for state in ENDS}
        known["failed"] += ends.get(State.LOCKED, 0)
        known["unknown"] += ends.get(State.FOUND, 0)
        return cls(total=sum(ends.values()), carved=carved, **known)

    def by_state(self) -> dict[State, int]:
        """Return the number per final state, in the order in which they are always shown."""
        return {state: getattr(self, state.value) for state in ENDS}

    @property
    def adds_up(self) -> bool:
        """Whether in = intact + recovered + partial + lost + unknown + skipped + failed."""
        return self.total == sum(self.by_state().values())

    @property
    def locked(self) -> int:
        """What there was to bring back: what came back whole, partial, lost and failed."""
        return self.whole + self.partial + self.lost + self.failed

    @property
    def whole(self) -> int:
        """Locked files that came back whole."""
        return self.recovered - self.carved

    @property
    def missing(self) -> int:
        """What is not there whole: partial, lost, unknown and failed."""
        return self.partial + self.lost + self.unknown + self.failed


class Origins(Part, frozen=True, kw_only=True):
    """Bytes of outputs by where they came from.

    Attributes:
        plain: Never locked: copied as they stand in the evidence.
        unlocked: Decrypted with a proven key.
        guessed: Rebuilt, or decrypted with a key that is not proven.
        lost: Unreadable or undecryptable; filled with zeros.
    """

    plain: int = 0
    unlocked: int = 0
    guessed: int = 0
    lost: int = 0

    @classmethod
    def of(cls, runs: Iterable[Run]) -> Self:
        """Return the bytes per origin of a byte map."""
        totals = dict.fromkeys(Origin, 0)
        for run in runs:
            totals[run.origin] += run.end - run.start
        return cls(**{origin.value: size for origin, size in totals.items()})

    def by_origin(self) -> dict[Origin, int]:
        """Return the bytes per origin, in the order in which they are always shown."""
        return {origin: getattr(self, origin.value) for origin in Origin}


class Grades(Part, frozen=True, kw_only=True):
    """Outputs by the verdict on them.

    Attributes:
        good: Shown to be right by a manifest, a tag, checksums or structure.
        partial: A part is shown to be right.
        bad: Shown to be wrong.
        unknown: Nothing could show it either way.
    """

    good: int = 0
    partial: int = 0
    bad: int = 0
    unknown: int = 0

    def by_grade(self) -> dict[Grade, int]:
        """Return the number per grade, in the order in which they are always shown."""
        return {grade: getattr(self, grade.value) for grade in Grade}


class Holdings(Part, frozen=True, kw_only=True):
    """Bytes of a space by what its clusters hold; each cluster is of one class.

    Attributes:
        zero: Zeros.
        known: Equal to a cluster of a file that is there and sound.
        locked: Equal to a cluster of a locked file that is there.
        header: A file begins there.
        database: A page of a database.
        text: Of the rest: text.
        dense: Of the rest: packed, sealed or random.
        other: Anything else.
    """

    zero: int = 0
    known: int = 0
    locked: int = 0
    header: int = 0
    database: int = 0
    text: int = 0
    dense: int = 0
    other: int = 0

    def by_class(self) -> dict[str, int]:
        """Return the bytes per class, in the order in which they are always shown."""
        return msgspec.structs.asdict(self)


class StepTime(Part, frozen=True, kw_only=True):
    """What a step of the run took.

    Attributes:
        name: The step's name.
        seconds: From its beginning to its end.
        files: Files it handled.
        size: Bytes it handled.
        megabytes_per_second: ``size`` over ``seconds``, in units of 1,000,000 bytes.
        files_per_second: ``files`` over ``seconds``.
    """

    name: str
    seconds: float
    files: int = 0
    size: int = 0
    megabytes_per_second: float = 0.0
    files_per_second: float = 0.0

    @classmethod
    def of(cls, name: str, seconds: float, files: int, size: int) -> Self:
        """Return the step with its rates worked out; a step that took no time has none."""
        return cls(
            name=name,
            seconds=seconds,
            files=files,
            size=size,
            megabytes_per_second=size / 1e6 / seconds if seconds > 0 else 0.0,
            files_per_second=files / seconds if seconds > 0 else 0.0,
        )


class Throughput(Part, frozen=True, kw_only=True):
    """How fast the work went.

    Attributes:
        seconds: From the beginning of the run to its end.
        read: Bytes read from the evidence.
        steps: The steps in the order they ran.
    """

    seconds: float = 0.0
    read: int = 0
    steps: tuple[StepTime, ...] = ()
