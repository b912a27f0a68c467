"""What of a file nobody can bring back, and the reference that says so."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from unransom.catalog.losses import LOSSES
from unransom.catalog.losses.loss import Clues, Loss, Rule
from unransom.catalog.schemes.family import Locked
from unransom.core.records import FileRef, Finding, State


def losses_of(content: Locked, clues: Clues) -> tuple[tuple[Rule, Loss], ...]:
    """Return what each rule that speaks of the file says."""
    found = ((rule, rule.judge(content, clues)) for rule in LOSSES if rule.judge)
    return tuple((rule, loss) for rule, loss in found if loss)


def with_losses(ref: FileRef, losses: tuple[tuple[Rule, Loss], ...]) -> FileRef:
    """Return ``ref`` as LOST where nothing of it is left, as LOCKED where a part is proven to be lost.

    That tells more than what the content of a file without a family looks like.
    """
    proven = [loss for _, loss in losses if loss.proven]
    for loss in proven:
        if loss.whole:
            return msgspec.structs.replace(
                ref, state=State.LOST, family=None, variant="", candidates=(), locked=None, why=loss.why
            )
    if proven and not ref.family:
        return msgspec.structs.replace(ref, state=State.LOCKED, why=proven[0].why)
    return ref


def findings(item: str, losses: tuple[tuple[Rule, Loss], ...]) -> Iterator[Finding]:
    """Yield a finding per loss: ``lost`` where it is proven, ``doubtful`` where it is a warning."""
    for rule, loss in losses:
        facts = {
            "rule": rule.name,
            "title": rule.title,
            "bits": str(loss.bits),
            "references": " ".join(rule.references),
        }
        if loss.whole:
            facts["spans"] = "all"
        elif loss.parts:
            facts["spans"] = ", ".join(map(str, loss.parts))
        if loss.parts:
            facts["bytes"] = str(loss.size)
        yield Finding(kind="lost" if loss.proven else "doubtful", item=item, what=loss.why, facts=facts)
