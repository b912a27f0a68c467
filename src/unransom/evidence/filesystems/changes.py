"""Where NTFS keeps its journal of changes: the stream ``$J`` of ``$Extend/$UsnJrnl``."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.core.records import FileRef
from unransom.evidence.filesystems.tsk import NTFS_DATA, FileSystem, Locator
from unransom.evidence.sleuthkit import TSK_ERRORS, attributes

PATH = "$Extend/$UsnJrnl"
STREAM = "$J"


def journals(filesystem: FileSystem, source: str, prefix: bytes) -> Iterator[FileRef]:
    """Yield the journal of changes of a volume, where it has one.

    Args:
        filesystem: The volume.
        source: ``Source.id`` for the record.
        prefix: What comes before the path.
    """
    if filesystem.kind != "ntfs":
        return
    with filesystem.image.lock:
        try:
            file = filesystem.handle.open(f"/{PATH}")
            found = [info for _, info in attributes(file) if bytes(info.name or b"") == STREAM.encode()]
            record = int(file.info.meta.addr)
        except TSK_ERRORS:
            return
    for info in found:
        yield FileRef(
            source=source,
            path=prefix + PATH.encode(),
            size=int(info.size),
            stream=STREAM,
            locator=str(Locator(filesystem.start, record, NTFS_DATA, int(info.id))),
        )
