"""A file per table: CSV and Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.csv
import pyarrow.parquet

from unransom.core.drafts import DraftFile, folder_name
from unransom.recover.databases.values import plain
from unransom.recover.databases.writer import Shown


class _FileWriter:
    """Writes each table into a file of its own, in a folder of the database's name."""

    suffix = ""

    def __init__(self, folder: Path, database: str) -> None:
        """Begin the folder of ``database`` in ``folder``."""
        self._folder = folder / folder_name(database)
        self._drafts: list[DraftFile] = []
        self._open: Any = None
        self._shown: Shown | None = None

    def begin(self, shown: Shown) -> None:
        """Begin the table's file."""
        self._finish()
        draft = DraftFile(self._folder, f"{shown.name}.{self.suffix}")
        self._drafts.append(draft)
        self._shown = shown
        fields = [pyarrow.field(column.name, self._kind(column.arrow)) for column in shown.columns]
        self._open = self._opened(draft.path, pyarrow.schema(fields))

    def write(self, batch: pyarrow.RecordBatch) -> None:
        """Append rows."""
        assert self._shown is not None  # noqa: S101  begin came first
        arrays = [self._array(array) for array in batch.columns]
        self._open.write_batch(pyarrow.RecordBatch.from_arrays(arrays, schema=self._open.schema))

    def keep(self) -> list[Path]:
        """Finish, and give the files their names."""
        self._finish()
        return [draft.keep() for draft in self._drafts]

    def drop(self) -> None:
        """Remove the files."""
        self._finish()
        for draft in self._drafts:
            draft.drop()

    def _finish(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _kind(self, kind: pyarrow.DataType) -> pyarrow.DataType:
        return kind

    def _array(self, array: pyarrow.Array) -> pyarrow.Array:
        return array.cast(array.type.value_type) if pyarrow.types.is_dictionary(array.type) else array

    def _opened(self, path: Path, schema: pyarrow.Schema) -> Any:
        raise NotImplementedError


class ParquetWriter(_FileWriter):
    """Writes Parquet files, types kept."""

    suffix = "parquet"

    def _opened(self, path: Path, schema: pyarrow.Schema) -> Any:
        return pyarrow.parquet.ParquetWriter(path, schema, compression="zstd")


class _Csv:
    """A CSV file that knows its schema, like the writer of Parquet."""

    def __init__(self, path: Path, schema: pyarrow.Schema) -> None:
        self.schema = schema
        self._writer = pyarrow.csv.CSVWriter(path, schema)

    def write_batch(self, batch: pyarrow.RecordBatch) -> None:
        self._writer.write_batch(batch)

    def close(self) -> None:
        self._writer.close()


class CsvWriter(_FileWriter):
    """Writes CSV files in UTF-8 with a head line; NULL is empty, an empty text ``""``, a bit 0 or 1."""

    suffix = "csv"

    def _kind(self, kind: pyarrow.DataType) -> pyarrow.DataType:
        exact = pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind)
        return kind if exact else pyarrow.string()

    def _array(self, array: pyarrow.Array) -> pyarrow.Array:
        if self._kind(array.type) == array.type:
            return array
        if pyarrow.types.is_binary(array.type) or pyarrow.types.is_large_binary(array.type):
            hexed = [None if value is None else value.hex() for value in array.to_pylist()]
            return pyarrow.array(hexed, pyarrow.string())
        if pyarrow.types.is_boolean(array.type):
            return array.cast(pyarrow.int8()).cast(pyarrow.string())
        return pyarrow.array(plain(array), pyarrow.string())

    def _opened(self, path: Path, schema: pyarrow.Schema) -> Any:
        return _Csv(path, schema)
