"""Rows from weaker sources (the log, an older copy, damaged pages) put behind those of sound pages.

A weaker row is yielded only where no sound page has a row with its key: never an older row over a newer
one. Only keys of weaker rows are kept in memory, however many sound rows there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pyarrow
import pyarrow.compute as pc

from unransom.catalog.databases.table import PROVENANCE

SEPARATOR = "\x1f"


class WeakerRows:
    """Rows that wait for whether a sound page has them."""

    def __init__(
        self,
        key: Sequence[str],
        columns: Sequence[str],
        batches: Callable[[], Iterable[pyarrow.RecordBatch]],
    ) -> None:
        """Take the keys of ``batches``, the strongest source first; without a key all ``columns`` are one.

        ``batches`` is called twice, here and for the rest.
        """
        self._names = list(key) or list(columns)
        self._batches = batches
        self._seen: list[pyarrow.Array] = []
        keys = [_keys(batch, self._names) for batch in batches()]
        self._wanted = pyarrow.concat_arrays([pyarrow.array([], pyarrow.string()), *keys])

    def pass_by(self, batch: pyarrow.RecordBatch) -> None:
        """Note which keys the sound rows of ``batch`` have."""
        if len(self._wanted):
            keys = _keys(batch, self._names)
            self._seen.append(keys.filter(pc.is_in(keys, value_set=self._wanted)))

    def rest(self) -> Iterator[pyarrow.RecordBatch]:
        """Yield the rows whose keys no sound row had, each key once."""
        seen = set(pyarrow.concat_arrays(self._seen).to_pylist()) if self._seen else set()
        for batch in self._batches():
            chosen = []
            for row, key in enumerate(_keys(batch, self._names).to_pylist()):
                if key not in seen:
                    seen.add(key)
                    chosen.append(row)
            if chosen:
                yield batch.take(pyarrow.array(chosen))


def newest(batch: pyarrow.RecordBatch, key: Sequence[str]) -> pyarrow.RecordBatch:
    """Return the last row of each key, unless the last thing that happened to it was its deletion."""
    names = list(key) or [name for name in batch.schema.names if name not in PROVENANCE]
    last = {value: row for row, value in enumerate(_keys(batch, names).to_pylist())}
    deleted = np.asarray(pc.equal(batch.column("_state"), "deleted"))
    rows = sorted(row for row in last.values() if not deleted[row])
    return batch.take(pyarrow.array(rows, pyarrow.int64()))


def _keys(batch: pyarrow.RecordBatch, names: Sequence[str]) -> pyarrow.Array:
    """Return one text a row that is equal where the values of some columns are."""
    parts = [pc.fill_null(_text(batch.column(name)), "\x00") for name in names]
    return pc.binary_join_element_wise(*parts, SEPARATOR)


def _text(column: pyarrow.Array) -> pyarrow.Array:
    """Return a column as texts that are equal where its values are."""
    kind = column.type
    if pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind):
        return pyarrow.array([None if v is None else v.hex() for v in column.to_pylist()], pyarrow.string())
    return pc.cast(column, pyarrow.string())
