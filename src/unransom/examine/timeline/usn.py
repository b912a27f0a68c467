"""What the journal of changes of NTFS tells, as events."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.core.messages import say
from unransom.core.records import TimelineEvent
from unransom.core.streams import Reader
from unransom.core.text import shown
from unransom.evidence.filesystems.ntfs.folders import Folders
from unransom.evidence.filesystems.ntfs.usn import changes, folders_in


def events(reader: Reader, host: str, folders: Folders | None = None) -> Iterator[TimelineEvent]:
    """Yield what a journal tells, with paths as far as folders are known.

    Args:
        reader: The journal.
        host: What it is of.
        folders: The folders of its volume; those that the journal itself names are added.
    """
    known = folders_in(reader, folders or Folders())
    for change in changes(reader):
        yield TimelineEvent(
            time=change.time,
            precision=100,
            origin="usn journal",
            host=host,
            item=shown(known.path(change.name, change.folder)),
            what=say(
                "{reasons} (record {record} in {parent})",
                reasons=", ".join(change.reasons),
                record=change.record,
                parent=change.parent,
            ),
        )
