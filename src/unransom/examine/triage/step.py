"""The step: one file in, what is known about it out."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from unransom.catalog.families import FAMILIES
from unransom.catalog.oracle import judge
from unransom.catalog.schemes.family import NAMED, Mark
from unransom.core.context import Context
from unransom.core.messages import say
from unransom.core.records import FileRef, Grade, Record, State
from unransom.core.streams import Salvage
from unransom.examine.triage.names import locker_extensions


def run(ref: FileRef, context: Context) -> Iterator[Record]:
    """Yield ``ref`` with its state."""
    named = {each.family: each.original for each in locker_extensions(ref.path)}
    with context.open(ref) as reader:
        content = Salvage(reader)
        marks: dict[str, Mark] = {}
        for family in FAMILIES:
            mark = family.read(content)
            if mark:
                marks[family.name] = mark
        judgement = judge(content, ref.path)
    grade = judgement.validation.grade
    strong = [name for name, mark in marks.items() if mark.bits >= NAMED or (name in named and mark.bits)]
    original = next(iter(named.values()), b"")
    why = judgement.validation.why
    if strong and grade is not Grade.GOOD:
        state, family_name = State.LOCKED, strong[0]
        why = say("the file ends like those of {family}", family=strong[0])
        original = named.get(strong[0], original)
    else:
        state = (
            State.INTACT if grade is Grade.GOOD else State.UNKNOWN if grade is Grade.UNKNOWN else State.LOCKED
        )
        family_name = None
    yield msgspec.structs.replace(
        ref,
        state=state,
        family=family_name,
        candidates=tuple(marks) if state is not State.INTACT else (),
        original=original,
        format=judgement.format,
        why=why,
    )
