"""Originals that a case made itself: files below its folder that searches for keys compare with."""

from __future__ import annotations

from pathlib import Path

import msgspec

from unransom.case import aids
from unransom.case.case import Case
from unransom.core.records import FileRef, Source


def add_original(case: Case, source: str, folder: Path, path: bytes) -> None:
    """Let searches for keys have a file as an original; call inside of a transaction.

    Args:
        case: The open case.
        source: What the place of such files is called.
        folder: That place.
        path: Of the file, below the folder.
    """
    here = Source(id=source, kind="folder", location=str(folder.resolve()), role="known")
    query = "INSERT OR IGNORE INTO sources (id, listed, body) VALUES (?, 1, ?)"
    case.database.execute(query, (here.id, msgspec.json.encode(here).decode()))
    found = (folder / path.decode("utf-8", "surrogateescape")).stat()
    ref = FileRef(
        source=here.id,
        path=path,
        size=found.st_size,
        modified=found.st_mtime_ns,
        changed=found.st_ctime_ns,
    )
    aids.add(case.database, "known", [ref])
