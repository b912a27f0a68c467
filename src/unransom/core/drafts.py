"""Outputs that programs write by path: a temporary name first, flushed, renamed."""

from __future__ import annotations

import os
from pathlib import Path

from unransom.core.outputs import TEMPORARY
from unransom.core.paths import safe_name


class DraftFile:
    """A file below a folder that gets its name when it is whole."""

    def __init__(self, folder: Path, name: str) -> None:
        """Begin the file ``name``, made safe, in ``folder``, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        self.final = folder / os.fsdecode(safe_name(os.fsencode(name)))
        self.path = folder / (os.fsdecode(TEMPORARY) + self.final.name[-200:])
        self.path.unlink(missing_ok=True)

    def keep(self) -> Path:
        """Flush the file and give it its name."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return self.path.replace(self.final)

    def drop(self) -> None:
        """Remove what was written."""
        self.path.unlink(missing_ok=True)


def folder_name(name: str) -> str:
    """Return ``name`` as the name of a folder."""
    return os.fsdecode(safe_name(os.fsencode(name)))
