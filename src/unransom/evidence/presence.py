"""Whether a source is still there: disks fail, cables are pulled, networks go down while they are read."""

from __future__ import annotations

from unransom.core.errors import UnransomError, UnreadableError
from unransom.core.messages import say
from unransom.core.records import Source
from unransom.evidence import fingerprint_of

BRING_BACK = say("bring it back and run the same command again: it goes on where it stopped")


class SourceGoneError(UnransomError):
    """Nothing of the source can be read any more."""


def gone(error: Exception) -> SourceGoneError:
    """Return the error that says that ``error`` came of a source that is gone."""
    return SourceGoneError(
        say("the source is gone: what could be read before cannot be read any more"),
        detail=str(error),
        causes=(say("a disk that has failed, or a cable"), say("a network that is down")),
        hint=BRING_BACK,
    )


def check_there(source: Source) -> str:
    """Return the fingerprint of a source that could be read before.

    Raises:
        SourceGoneError: It cannot be read any more.
    """
    try:
        return fingerprint_of(source)
    except (OSError, UnreadableError) as error:
        raise gone(error) from error
