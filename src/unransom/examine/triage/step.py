"""The step: one file in, what is known about it out."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

import msgspec
import numpy as np

from unransom.catalog.families import SEALED, families
from unransom.catalog.formats.format import HEAD
from unransom.catalog.formats.identify import by_name
from unransom.catalog.losses.loss import Clues
from unransom.catalog.schemes.family import NAMED, Mark
from unransom.core.context import Context
from unransom.core.messages import Message, say
from unransom.core.records import FileRef, Finding, Grade, Record, State, TimelineEvent
from unransom.core.streams import BytesReader, Reader, Salvage
from unransom.core.text import shown
from unransom.crypto.search.keystream.periods import period_of
from unransom.examine.triage.content import Verdict, examine
from unransom.examine.triage.losses import findings, losses_of, with_losses
from unransom.examine.triage.names import (
    called_like_a_note,
    locker_extensions,
    may_be_a_note,
    note_families,
    telling,
    without_unknown_extension,
)
from unransom.examine.triage.notes import LARGEST, read_note
from unransom.examine.triage.signatures import signature_of

TEXT = "text"
SHORT_KEY = 256  # bytes of a key under which a text may still look like one
PERIODIC = 1 << 14  # bytes of a text in which a key that repeats is looked for
WEAK = 20  # bits of a mark that names a family together with content that is locked
RATHER = 40  # bits of one that is believed rather than that content in no known format is intact
READABLE = frozenset({"", "text", "html", "xml", "rtf", "markdown"})  # formats that a note may be in
KEY_SIZED = 512  # bytes of noise that may be a key, a token or a signature as well as a locked file
HELD = 1 << 20  # bytes of a file that is held in memory
SECOND = 1_000_000_000


def run(ref: FileRef, context: Context) -> Iterator[Record]:
    """Yield ``ref`` with its state, then what else is worth telling."""
    named = {each.family: each.original for each in locker_extensions(ref.path, context.described)}
    with context.open(ref) as reader:
        salvage = Salvage(reader, ref.name)
        content = _held(salvage)
        marks = _marks(content, context.described)
        original = next(iter(named.values()), b"") or without_unknown_extension(ref.path)
        suspicious = bool(original) or any(mark.bits >= WEAK for mark in marks.values())
        verdict = examine(content, original or ref.path, suspicious=suspicious)
        told = telling(ref.path, named)
        family = _name(marks, told, verdict)
        clues = Clues(ref.path, told, marks)
        losses = losses_of(content, clues)
        if salvage.lost:
            losses = ()  # what cannot be read looks like zeros
        if verdict.state is State.INTACT and not family and not losses and content.size <= LARGEST:
            yield from _note(ref, content, verdict, context.described)
        lost = len(salvage.lost) > 0 and verdict.state is not State.LOCKED and not family
        verdict = _marked(_doubted(verdict, content, original), content.size, marks, named)
        if content.size <= KEY_SIZED and not (suspicious or by_name(ref.path)):
            verdict = _short(verdict)
    if lost:
        verdict = verdict._replace(state=State.UNKNOWN, why=say("parts of it cannot be read"))
    judged = with_losses(_judged(ref, verdict, family, marks, named, told, original), losses)
    yield _sealed(judged, marks) if judged.state is State.INTACT else judged
    yield from findings(_item(ref), losses)
    strong = [name for name, mark in marks.items() if mark.bits >= NAMED]
    if len(strong) > 1:
        what = say("it has the marks of {first} and of {second}", first=strong[0], second=strong[1])
        yield Finding(kind="contradiction", item=_item(ref), what=what)


def _doubted(verdict: Verdict, content: Reader, original: bytes) -> Verdict:
    """Return the verdict on plain bytes that are not what a name promises to which something was added.

    A short key that repeats, or blocks that are locked each by itself, leave content that is not random.
    """
    promised = by_name(original) if original else ()
    if verdict.state is not State.INTACT or not promised or not content.size:
        return verdict
    if verdict.format == TEXT:  # in an encoding of 8 bits anything is text that has no control characters
        period = period_of(np.frombuffer(content.read_at(0, PERIODIC), np.uint8))
        if period is None or not 1 < period.length <= SHORT_KEY:
            return verdict  # texts repeat themselves, but not as soon
        why = say("a key of {bytes} bytes seems to repeat", bytes=period.length)
        return verdict._replace(state=State.UNKNOWN, why=why)
    if verdict.format or signature_of(content.read_at(0, HEAD), original):
        return verdict
    why = say("not random, and not what its name says either: {format}", format=promised[0].title)
    return verdict._replace(state=State.UNKNOWN, why=why)


def _marked(verdict: Verdict, size: int, marks: dict[str, Mark], named: Container[str]) -> Verdict:
    """Return the verdict on plain bytes that no format shows to be whole, while a mark or the name speaks.

    A few random bytes may be anything, and a locker adds to the smallest originals too.
    """
    if verdict.state is not State.INTACT or verdict.grade is Grade.GOOD or not size:
        return verdict
    bits, name = max(((mark.bits, name) for name, mark in marks.items()), default=(0, ""))
    if bits >= WEAK:
        why = say("it carries {bits} bits of the mark of {family}, which are too few", bits=bits, family=name)
        return verdict._replace(state=State.UNKNOWN, why=why)
    if size <= KEY_SIZED and any(family in named for family in marks):
        return verdict._replace(state=State.UNKNOWN, why=say("too short to tell from random bytes"))
    return verdict


def _short(verdict: Verdict) -> Verdict:
    """Return the verdict on a few bytes of which nothing says that they were ever anything else."""
    if verdict.state is not State.LOCKED:
        return verdict
    return verdict._replace(state=State.UNKNOWN, why=say("random bytes, and as few as a key has"))


def _held(reader: Salvage) -> Salvage:
    """Return a small file read in one go, so that every question after that costs no read."""
    if reader.size > HELD:
        return reader
    return Salvage(BytesReader(reader.read_at(0, reader.size)), reader.name)


def _judged(
    ref: FileRef,
    verdict: Verdict,
    family: str | None,
    marks: dict[str, Mark],
    named: dict[str, bytes],
    told: Iterable[str],
    original: bytes,
) -> FileRef:
    """Return ``ref`` with what was found."""
    state = State.LOCKED if family else verdict.state
    locked = state is State.LOCKED
    return msgspec.structs.replace(
        ref,
        state=state,
        family=family,
        variant=marks[family].variant if family else "",
        candidates=tuple(dict.fromkeys((*marks, *named))) if state is not State.INTACT else (),
        original=named.get(family or "", original) if locked else b"",
        locked=verdict.locked if locked else None,
        damaged=verdict.damaged and state is State.INTACT,
        format=verdict.format,
        why=_reason(family, marks, told, verdict),
    )


def _sealed(ref: FileRef, marks: dict[str, Mark]) -> FileRef:
    """Return ``ref`` as a file that may or may not be a locker's, where its contents are under a key."""
    sealed = tuple(name for name in marks if name in SEALED)
    if not sealed:
        return ref
    why = say("whole, but its contents are under a password: whose is not known")
    return msgspec.structs.replace(ref, state=State.UNKNOWN, family=sealed[0], candidates=sealed, why=why)


def _reason(family: str | None, marks: dict[str, Mark], told: Iterable[str], verdict: Verdict) -> Message:
    if family is None:
        bare = next((name for name in told if name not in marks), None)
        if bare is None or verdict.state is not State.LOCKED:
            return verdict.why
        return say(
            "its name is one that {family} gives, and what {family} adds to its files is not there: it is cut"
            " off, or another locker's",
            family=bare,
        )
    bits = marks[family].bits
    if bits < WEAK:
        return say("its name is one that {family} gives, and nothing in it is against that", family=family)
    return say("it carries the mark of {family}, {bits} bits of it", family=family, bits=bits)


def _marks(content: Salvage, described: tuple[bytes, ...]) -> dict[str, Mark]:
    """Return the mark of every family that finds one, the strongest first."""
    found = [(family.name, mark) for family in families(described) if (mark := family.read(content))]
    return dict(sorted(found, key=lambda each: -each[1].bits))


def _name(marks: dict[str, Mark], telling: Container[str], verdict: Verdict) -> str | None:
    """Return the family to name: by a strong mark, by the name, or by locked content, in this order."""
    ranked = sorted(marks, key=lambda name: -marks[name].bits)
    strong = [name for name in ranked if marks[name].bits >= NAMED]
    told = [name for name in ranked if name in telling and _may_be_told(marks[name], verdict)]
    weak = [name for name in ranked if _may_be_locked(marks[name], verdict)]
    return next(iter(strong + told + weak), None)


def _may_be_told(mark: Mark, verdict: Verdict) -> bool:
    """Return whether the name decides: not over content that is shown to be whole, or is all there is."""
    return verdict.grade is not Grade.GOOD and (mark.bits >= WEAK or verdict.state is not State.INTACT)


def _may_be_locked(mark: Mark, verdict: Verdict) -> bool:
    """Return whether a weak mark decides: over locked content, and a better one over what has no format."""
    if verdict.state is State.INTACT:
        return mark.bits >= RATHER and verdict.grade is not Grade.GOOD and not verdict.format
    return mark.bits >= WEAK and verdict.state is State.LOCKED


def _note(ref: FileRef, content: Reader, verdict: Verdict, described: tuple[bytes, ...]) -> Iterator[Record]:
    """Yield what a ransom note tells, where the file is one, and when it was written."""
    if verdict.format not in READABLE or not may_be_a_note(ref.path, described):
        return
    note = read_note(content.read_at(0, LARGEST), called_like_a_note(ref.path))
    if note is None:
        return
    named = note_families(ref.path, described)
    called = {"families": ", ".join(named)} if named else {}
    what = say("a ransom note: it says that files were encrypted and where to write to")
    yield Finding(kind="note", item=_item(ref), what=what, facts=note.facts | called)
    if ref.modified is not None:
        yield TimelineEvent(
            time=ref.modified,
            precision=1 if ref.modified % SECOND else SECOND,
            origin="mtime",
            host=ref.source,
            item=_item(ref),
            what=say("a ransom note was written"),
        )


def _item(ref: FileRef) -> str:
    return f"{ref.source}:{shown(ref.path)}"
