"""What cannot be listed or read, as records, so that a listing can go on."""

from __future__ import annotations

from unransom.core.messages import Message, say
from unransom.core.records import Problem
from unransom.core.text import shown


def unlisted(source: str, path: bytes, error: Exception) -> Problem:
    """Return the problem that ``path`` of ``source`` (``Source.id``) cannot be listed for ``error``."""
    why = getattr(error, "strerror", None) or str(error)
    return problem(
        source,
        path,
        say("it cannot be listed: {error}", error=why),
        say("it was passed over; try again as a user who may read it, or from an image"),
    )


def problem(source: str, path: bytes, what: Message, resolution: Message, *, fatal: bool = True) -> Problem:
    """Return a problem with reading ``path`` of ``source``; ``fatal`` unless its files are listed."""
    item = f"{source}:{shown(path)}"
    return Problem(item=item, what=what, resolution=resolution, fatal=fatal, code="read")
