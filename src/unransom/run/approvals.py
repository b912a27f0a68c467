"""Acts that need the approval of several people: none of them happens before that is in the chain."""

from __future__ import annotations

import shlex

from unransom.case.case import Case
from unransom.case.custody import custody_of
from unransom.core.errors import UsageError
from unransom.core.messages import say


def require_approval(case: Case, act: str) -> None:
    """Make sure that the people of the case have approved ``act``; a case without people needs nobody's.

    Args:
        case: The open case.
        act: What is to be done, with the digest of what it is done by, e.g. ``restore 9f2c…``.

    Raises:
        UsageError: Too few of them have.
    """
    custody = custody_of(case)
    found = custody.approval(act)
    if not custody.people or found.approved:
        return
    command = f"unransom case approve {shlex.quote(str(case.folder))} {shlex.quote(act)} --key KEY"
    raise UsageError(
        say(
            "this releases data of the case, and {given} of the {needed} who must approve it have",
            given=len(found.by),
            needed=found.needed,
        ),
        detail=", ".join(found.missing),
        hint=say("each of them runs `{command}`", command=command),
    )
