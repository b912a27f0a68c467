"""The output formats by name."""

from __future__ import annotations

from pathlib import Path

from unransom.recover.databases.columnar import CsvWriter, ParquetWriter
from unransom.recover.databases.sql import SqlWriter
from unransom.recover.databases.sqlite import SqliteWriter
from unransom.recover.databases.step import MakeWriter
from unransom.recover.databases.writer import Writer


def writer_for(form: str, dialect: str, folder: Path) -> MakeWriter:
    """Return what makes the writers for ``form``: ``sqlite``, ``csv``, ``sql`` or ``parquet``.

    Args:
        form: Name of the format.
        dialect: Of SQL: ``mysql``, ``postgresql`` or ``mssql``.
        folder: Where the outputs go.
    """

    def make(database: str) -> Writer:
        if form == "sql":
            return SqlWriter(folder, database, dialect)
        if form == "sqlite":
            return SqliteWriter(folder, database)
        return (CsvWriter if form == "csv" else ParquetWriter)(folder, database)

    return make
