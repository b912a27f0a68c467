"""What the times of a file say."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.core.messages import Message, say
from unransom.core.records import FileRef, State, TimelineEvent
from unransom.core.text import shown

SECOND = 1_000_000_000  # nanoseconds
STEPS = (SECOND * 2, SECOND, 1_000_000, 1_000, 100)  # resolutions of file systems, in nanoseconds


def events(ref: FileRef, kind: str) -> Iterator[TimelineEvent]:
    """Yield one event for each time of a file that is known.

    Args:
        ref: The file; what triage found is told with the time of its content.
        kind: Of its source, e.g. ``image``.
    """
    stream = f":{ref.stream}" if ref.stream else ""
    version = f"~{ref.version}" if ref.version and kind == "image" else ""  # of a shadow copy
    moments = (("mtime", ref.modified, _modified(ref)), ("ctime", ref.changed, _changed(ref, kind)))
    for name, time, what in (*moments, ("crtime", ref.created, say("created"))):
        if time is not None:
            yield TimelineEvent(
                time=time,
                precision=precision(time),
                origin=f"{kind} {name}",
                host=ref.source,
                item=shown(ref.path) + stream + version,
                what=what,
                size=ref.size,
            )


def precision(time: int) -> int:
    """Return the coarsest resolution that ``time`` can have come from, in nanoseconds; 1 at least."""
    return next((step for step in STEPS if time % step == 0), 1)


def _modified(ref: FileRef) -> Message:
    if ref.state is State.LOCKED:
        return say("content written: locked by {family}", family=ref.family or "?")
    return say("content written; deleted since") if ref.deleted else say("content written")


def _changed(ref: FileRef, kind: str) -> Message:
    if ref.deleted and ref.version and kind != "image":  # in an image, of a shadow copy: then it was there
        return say("deleted in the bucket")
    return say("record changed: name, owner or rights")
