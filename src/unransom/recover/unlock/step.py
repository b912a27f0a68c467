"""The step: one locked file in, its output or the reason why not out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from unransom.catalog.families import family as family_named
from unransom.catalog.oracle import Judgement, judge
from unransom.catalog.schemes.assemble import Assembly
from unransom.catalog.schemes.family import PROVEN, BadMarkError, Family, FileKey, Mark, Plan
from unransom.core.context import Context
from unransom.core.keys import Key
from unransom.core.messages import Message, say
from unransom.core.outputs import Draft, Outputs
from unransom.core.paths import safe_name
from unransom.core.records import FileRef, Grade, Output, Problem, Record
from unransom.core.spans import Origin
from unransom.core.streams import Salvage
from unransom.core.text import shown


class _Opening(NamedTuple):
    """A family, its mark on the file, and a key that gives a file key for it."""

    family: Family
    mark: Mark
    key: Key
    file_key: FileKey
    proven: bool  # by the wrap, or on other files


class _Written(NamedTuple):
    """What a draft turned out to be."""

    bits: int
    grade: Grade
    why: Message
    format: str
    accepted: bool


def run(ref: FileRef, context: Context) -> Iterator[Record]:
    """Unlock ``ref``; yield its ``Output``, or a ``Problem`` that says which proof is missing."""
    outputs = context.outputs
    if outputs is None:
        raise ValueError("unlock writes outputs and was given no place for them")
    item = shown(ref.path)
    refused: Message | None = None
    with context.open(ref) as reader:
        for opening in _openings(ref, Salvage(reader), context):
            locked = Salvage(reader)
            try:
                plan = opening.family.plan(locked, opening.mark, opening.file_key)
                result = _write(ref, locked, opening, plan, outputs)
            except BadMarkError as error:
                refused = error.why
                continue
            if isinstance(result, Output):
                yield result
                return
            refused = result
    if refused is None:
        yield Problem(
            item=item,
            code="key",
            what=say("no key that was given opens this file"),
            resolution=say("`unransom keys --wanted` says which keys would"),
        )
    else:
        yield Problem(
            item=item,
            code="output",
            what=say("a key unwraps, and what it gives fails verification: {why}", why=str(refused)),
            resolution=say("nothing was written; the key is wrong or the file is damaged"),
        )


def _openings(ref: FileRef, locked: Salvage, context: Context) -> Iterator[_Opening]:
    """Yield every family and key that fit, the proven ones first."""
    openings = []
    for name in (ref.family,) if ref.family else ref.candidates:
        family = family_named(name)
        mark = family.read(locked)
        if mark is None:
            continue
        for key in context.keys:
            if key.kind not in family.takes:
                continue
            file_key = family.unwrap(mark, key)
            if file_key is None:
                continue
            elsewhere = key.fingerprint in context.proven.get(family.name, frozenset())
            openings.append(_Opening(family, mark, key, file_key, elsewhere or file_key.bits >= PROVEN))
    yield from sorted(openings, key=lambda opening: not opening.proven)


def _write(
    ref: FileRef, locked: Salvage, opening: _Opening, plan: Plan, outputs: Outputs
) -> Output | Message:
    """Assemble the original, verify it, and give it its name; return why not where it does not hold."""
    name = ref.output_path(safe_name(plan.name) if plan.name else b"")
    with outputs.draft() as draft:
        assembly = Assembly(locked, plan)
        for view in assembly:
            draft.write(view)
        totals = assembly.map.totals()
        written = _verify(draft, name, opening, plan, lost=totals[Origin.LOST])
        if not written.accepted:
            return written.why
        times = (ref.modified, ref.modified) if ref.modified is not None else None
        path, digests = draft.keep(name, times)
    runs = assembly.map.runs
    return Output(
        path=path,
        digests=digests,
        derived_from=ref.id,
        method="unlock",
        family=opening.family.name,
        key=opening.key.fingerprint,
        bits=written.bits,
        grade=written.grade,
        why=written.why,
        map=tuple(runs),
        format=written.format,
    )


def _verify(draft: Draft, name: bytes, opening: _Opening, plan: Plan, *, lost: int) -> _Written:
    """Grade the draft by the scheme's own checks and by its format.

    A wrong key cannot be told from a damaged original by the content alone. So with a proven key the
    output is kept whatever the format says, with the grade that it says; without, only content that
    proves itself is kept.
    """
    judgement = judge(draft, name)
    validation = judgement.validation
    checked = plan.check() if plan.check else None
    bits = validation.bits if validation.grade in {Grade.GOOD, Grade.PARTIAL} else 0
    if not opening.proven and bits < PROVEN:
        return _Written(bits, Grade.BAD, validation.why, judgement.format, accepted=False)
    bits = max(bits, opening.file_key.bits, checked[0] if checked else 0)
    grade, why = _grade(judgement, checked)
    if lost:
        grade, why = Grade.PARTIAL, say("{bytes} bytes of the evidence could not be read", bytes=lost)
    return _Written(bits, grade, why, judgement.format, accepted=True)


def _grade(judgement: Judgement, checked: tuple[int, Message] | None) -> tuple[Grade, Message]:
    validation = judgement.validation
    if checked and checked[0] >= PROVEN:
        return Grade.GOOD, checked[1]
    if judgement.format:
        return validation.grade, validation.why
    # The key is proven: content that merely has no known format is not shown to be bad.
    return Grade.UNKNOWN, say("decrypted with a proven key; {why}", why=str(validation.why))
