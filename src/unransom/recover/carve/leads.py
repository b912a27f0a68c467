"""Files of which the file system still knows where they lay: read, and held to what their formats demand."""

from __future__ import annotations

from unransom.catalog.formats.format import HEAD
from unransom.catalog.oracle import Judgement, judge
from unransom.core.messages import say
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.core.streams import BytesReader, Reader, Window
from unransom.recover.carve.found import Found, Proof, proof_of
from unransom.recover.carve.records import Lead
from unransom.recover.carve.signatures import guesses
from unransom.recover.carve.space import NOWHERE, Space, Spliced, cut

END = 65536  # bytes at the end of a file of unknown size that are looked at: a cluster at most


def is_free(lead: Lead, space: Space) -> bool:
    """Return whether all of the clusters that a lead names lie in the space: no file has them by now."""
    return bool(lead.content) or space.inside(lead.spans) is not None


def follow(lead: Lead, space: Space) -> Found | None:
    """Return the file that a lead names; None where its clusters have other content by now."""
    if lead.content:
        return _judged(lead, [], BytesReader(lead.content))
    spans = space.inside(lead.spans)
    if not spans or all(span.start >= NOWHERE for span in spans):
        return None
    if lead.size is None:
        spans = _measured(spans, space)
    return _judged(lead, spans, Spliced(space, spans)) if spans else None


def _judged(lead: Lead, spans: list[Span], content: Reader) -> Found | None:
    judged = judge(content, lead.path)
    if judged.validation.grade is Grade.GOOD:
        proof, bits = _proof(judged, sized=lead.size is not None)
        why = judged.validation.why
    elif judged.validation.grade is Grade.UNKNOWN and lead.size is not None and _has_content(content):
        proof, bits = Proof.HEURISTIC, 0
        why = say("it lies where the file system had it, and no check can tell more")
    else:
        return None
    return Found(
        judged.format,
        spans,
        proof,
        bits,
        why,
        path=lead.path,
        named_by="record" if lead.path else "",
        modified=lead.modified,
        traced=True,
        content=lead.content,
    )


def _proof(judged: Judgement, *, sized: bool) -> tuple[Proof, int]:
    bits = judged.validation.bits
    proof = proof_of(judged.format, bits, doubted=judged.validation.doubted)
    return (proof if sized or bits else Proof.HEURISTIC), bits


def _has_content(content: Reader) -> bool:
    """Return whether a file without a known format is anything but zeros."""
    return any(content.read_at(0, HEAD))


def _measured(spans: list[Span], space: Space) -> list[Span]:
    """Return ``spans`` cut to the size of the file in them, which must end in their last clusters."""
    content = Spliced(space, spans)
    for guess in guesses(content.read_at(0, HEAD)):
        measure = guess.format.measure(content)
        for end in (measure.length, *measure.alternatives):
            if end is None or not content.size - END < end <= content.size:
                continue
            if guess.format.validate(Window(content, 0, end)).grade is Grade.GOOD:
                return cut(spans, end)
    tail = content.read_at(max(0, content.size - END), END).rstrip(b"\0")
    return cut(spans, max(0, content.size - END) + len(tail)) if tail else []
