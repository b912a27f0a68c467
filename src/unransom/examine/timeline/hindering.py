"""Tells which events of Windows' logs took a way back away: shadow copies, backups, journals, repair.

Sources: Microsoft's documentation of vssadmin, wbadmin, diskshadow, bcdedit, fsutil, Win32_ShadowCopy and of
the events of volsnap and Windows Backup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from unransom.core.messages import Message, say

SHADOWS_DELETED = say("shadow copies deleted")
ROOM = say("room for shadow copies changed: Windows deletes those that do not fit")
EVENTS: dict[tuple[str, int], Message] = {  # by provider and number
    ("volsnap", 25): say("all shadow copies of a volume deleted: their room could not grow"),
    ("volsnap", 33): say("the oldest shadow copy of a volume deleted: their room is full"),
    ("volsnap", 35): say("shadow copies of a volume given up: their room could not grow"),
    ("volsnap", 36): say("shadow copies of a volume given up: a user limits their room"),
    ("volsnap", 39): say("shadow copies of a volume given up: blocks of their room could not be written"),
    ("microsoft-windows-backup", 524): say("catalogue of backups deleted"),
    ("vss", 8193): say("the service of shadow copies failed"),
    ("vss", 8194): say("the service of shadow copies failed"),
}
COMMANDS: tuple[tuple[re.Pattern[str], Message], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), what)
    for pattern, what in (
        (r"vssadmin[^|&\n]{0,200}\bdelete\s+shadows", SHADOWS_DELETED),
        (r"\bdelete\s+shadows\s+(all|oldest|volume|set|id|exposed)\b", SHADOWS_DELETED),  # of diskshadow
        (r"\bshadowcopy\b[^|&\n]{0,200}\bdelete\b", SHADOWS_DELETED),  # of wmic
        (r"win32_shadowcopy.{0,400}?(\bdelete\b|\.delete\(|remove-(wmiobject|ciminstance))", SHADOWS_DELETED),
        (r"(remove-wmiobject|remove-ciminstance).{0,400}?win32_shadowcopy", SHADOWS_DELETED),
        (r"vssadmin[^|&\n]{0,200}\bresize\s+shadowstorage", ROOM),
        (
            r"wbadmin[^|&\n]{0,200}\bdelete\s+(catalog|backup|systemstatebackup)",
            say("backups of Windows or their catalogue deleted"),
        ),
        (
            r"bcdedit[^|&\n]{0,200}(recoveryenabled\W+(no|off|0)\b|bootstatuspolicy\s+ignoreallfailures)",
            say("repair at the start of Windows switched off"),
        ),
        (r"fsutil[^|&\n]{0,200}\busn\s+deletejournal", say("journal of changes deleted")),
    )
)
LONGEST = 16_384  # characters of a command line or script that are looked at


def hindered(provider: str, identifier: int, texts: Iterable[str]) -> Message | None:
    """Return which way back an event took away; None for none.

    Args:
        provider: Who noted the event.
        identifier: Its number.
        texts: What it says: command lines and scripts among it.
    """
    said = EVENTS.get((provider.lower(), identifier))
    if said is not None:
        return said
    for text in texts:
        plain = text[:LONGEST].replace("^", "").replace('"', "")  # what cmd passes over
        for pattern, what in COMMANDS:
            if pattern.search(plain):
                return what
    return None
