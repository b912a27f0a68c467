"""What every writer of tables offers."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

import pyarrow

from unransom.catalog.databases.table import Column, Table


class Shown(NamedTuple):
    """A table as it is written.

    Attributes:
        name: In the output; its last part behind a dot is the table's own name.
        table: The table.
        columns: Of the output: the table's, and where a row was found, where that is asked for.
    """

    name: str
    table: Table
    columns: tuple[Column, ...]


class Writer(Protocol):
    """Writes the tables of one database, one after the other."""

    def begin(self, shown: Shown) -> None:
        """Begin a table."""
        ...

    def write(self, batch: pyarrow.RecordBatch) -> None:
        """Write rows of the table that was begun last, a column for each of its columns."""
        ...

    def keep(self) -> list[Path]:
        """Finish, and give the files their names."""
        ...

    def drop(self) -> None:
        """Remove what was written."""
        ...
