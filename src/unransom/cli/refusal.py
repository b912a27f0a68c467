"""What the system refuses: a folder that may not be written to, a disk that is full, a path that is gone."""

from __future__ import annotations

import errno
import os
from typing import NamedTuple

from unransom.cli.speech import t
from unransom.core.errors import UnransomError
from unransom.core.messages import Message, say
from unransom.core.text import shown


class Reason(NamedTuple):
    """Why, and what to do about it."""

    why: str
    hint: Message


_OTHER_USER = say("run it as a user who may, or name another place")
_ROOM = say("make room and run the same command again")
_LOOK = say("look whether the place is there, and run the same command again")

REASONS = {
    errno.EACCES: Reason(t("permission denied"), _OTHER_USER),
    errno.EPERM: Reason(t("permission denied"), _OTHER_USER),
    errno.EROFS: Reason(t("it is on a file system that can only be read"), _OTHER_USER),
    errno.ENOSPC: Reason(t("no space is left there"), _ROOM),
    errno.EDQUOT: Reason(t("no space is left there"), _ROOM),
    errno.ENOENT: Reason(t("there is no such file or folder"), _LOOK),
    errno.EISDIR: Reason(t("it is a folder"), _LOOK),
    errno.ENOTDIR: Reason(t("a part of the path is no folder"), _LOOK),
    errno.EEXIST: Reason(t("there is something of that name already"), _LOOK),
}


def refused(error: OSError) -> UnransomError:
    """Return what a person is told about ``error``, which no step took for a problem of one file."""
    number = error.errno or 0
    reason = REASONS.get(number, Reason(error.strerror or str(error), _LOOK))
    name = error.filename
    if not isinstance(name, str | bytes):  # such as standard output
        return UnransomError(say("what is printed cannot be written"), detail=reason.why, hint=reason.hint)
    place = shown(os.fsencode(name))
    return UnransomError(
        say("{path} cannot be read or written", path=place), detail=reason.why, hint=reason.hint
    )
