"""A SQL script and a SQLite file of the same tables, written in one pass."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pyarrow

from unransom.core.outputs import TEMPORARY
from unransom.recover.databases.sql import SqlWriter
from unransom.recover.databases.sqlite import SqliteWriter
from unransom.recover.databases.writer import Shown


class BothWriter:
    """Writes into a folder for drafts; the files are drafts until somebody places them."""

    def __init__(self, folder: Path, dialect: str) -> None:
        """Begin both files under a random name that says that they are drafts."""
        name = os.fsdecode(TEMPORARY) + secrets.token_hex(8)
        self._writers = (SqlWriter(folder, name, dialect), SqliteWriter(folder, name))
        self._kept: list[Path] = []

    def begin(self, shown: Shown) -> None:
        """Begin a table."""
        for writer in self._writers:
            writer.begin(shown)

    def write(self, batch: pyarrow.RecordBatch) -> None:
        """Write rows."""
        for writer in self._writers:
            writer.write(batch)

    def keep(self) -> list[Path]:
        """Finish both files."""
        self._kept = [path for writer in self._writers for path in writer.keep()]
        return self._kept

    def drop(self) -> None:
        """Remove both, whole or not."""
        if not self._kept:
            for writer in self._writers:
                writer.drop()
        for path in self._kept:
            path.unlink(missing_ok=True)
        self._kept = []
