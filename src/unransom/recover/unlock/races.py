"""What a proven key leaves locked: parts that a second instance of the locker took at the same time."""

from __future__ import annotations

from unransom.catalog.families import families
from unransom.catalog.losses.loss import Loss
from unransom.catalog.losses.raced import judge_opened
from unransom.catalog.schemes.family import NAMED
from unransom.core.outputs import Draft
from unransom.core.spans import ByteMap, Origin, Span, merge
from unransom.core.streams import Reader, Salvage, chunks


def race(opened: Reader, name: bytes, origins: ByteMap, described: tuple[bytes, ...]) -> Loss | None:
    """Return what is lost in ``opened``, None where that is not proven.

    ``described`` are the families that users wrote.

    A file with another mark inside was locked twice, one time after the other: the second key opens it.
    """
    loss = judge_opened(opened, origins)
    if loss is None or not loss.proven:
        return None
    inside = Salvage(opened, name)
    marks = (family.read(inside) for family in families(described))
    return None if any(mark and mark.bits >= NAMED for mark in marks) else loss


def write_rest(opened: Reader, loss: Loss, origins: ByteMap, rest: Draft) -> ByteMap:
    """Write ``opened`` to ``rest`` with zeros for what is lost; return where its bytes come from."""
    lost = merge(span for part in loss.parts for span in part.spans())
    found, position = ByteMap(), 0
    for span in (*lost, Span(opened.size, opened.size)):
        for piece in chunks(opened, position, span.start):
            rest.write(piece)
        for run in origins.between(position, span.start):
            found.append(run.end - run.start, run.origin)
        for piece in chunks(opened, span.start, span.end):
            rest.write(bytes(len(piece)))
        found.append(len(span), Origin.LOST)
        position = span.end
    return found
