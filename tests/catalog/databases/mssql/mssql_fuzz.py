"""Fuzzes the reader of SQL Server pages: damaged pages of every column type, plain and compressed.

    python -m tests.catalog.databases.mssql.mssql_fuzz [EXECUTIONS] [SEED]

One execution is one damaged page, which is judged, and from which the records that its slots name and those
that salvage finds are made into values. With NUMBA_BOUNDSCHECK=1 (and a NUMBA_CACHE_DIR of its own) the
compiled parts also check every index.
"""

from __future__ import annotations

import numpy as np

from tests.catalog.databases.mssql import mdf_maker as make
from tests.catalog.databases.mssql.test_mssql_rows import (
    LOBS,
    SQUEEZED,
    TYPES,
    excess,
    typed_row,
    vardecimal,
)
from tests.catalog.databases.page_fuzz import TOGETHER, repeat, report
from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.mssql import ENGINE
from unransom.catalog.databases.mssql.catalogue import Partition
from unransom.catalog.databases.mssql.decode import decode, records_of
from unransom.catalog.databases.mssql.lob import LobReader
from unransom.catalog.databases.mssql.pages import Soundness, headers_of, judge, scan
from unransom.catalog.databases.mssql.salvage import Habits, salvaged
from unransom.catalog.databases.mssql.store import PageStore
from unransom.core.streams import BytesReader

SIZE = 8192
PEOPLE = [("id", 56, 4, 10, 0, 4, 1), ("first", 167, 50, 0, 0, -1, 2), ("last", 167, 50, 0, 0, -2, 3)]


def _typed(base: make.Database) -> None:
    unit = base.table("typed", TYPES, key=("id",))
    for first in range(0, 60, 20):
        base.add(unit, [typed_row(number) for number in range(first, first + 20)])


def _lobs(base: make.Database) -> None:
    unit = base.table("lobs", LOBS)
    part = base.add(unit + 1000, [make.data_blob(b"z" * 7000)], make.TEXT_MIX)
    root = base.add(unit + 1000, [make.small_root("短い".encode("utf-16-le"))], make.TEXT_MIX)
    values = [
        make.text_pointer(root, 0),
        make.text_pointer(root, 0),
        make.inline_root([(7000, part, 0)]),
        make.inline_root([(7000, part, 0)], 2),
    ]
    rows = [
        make.record(number.to_bytes(4, "little"), 5, (), values, complexes=range(4)) for number in range(9)
    ]
    base.add(unit, rows)


def _squeezed(base: make.Database) -> None:
    unit = base.table("squeezed", SQUEEZED)
    row = [excess(113538, 3), b"plain ascii, long", excess(-360, 2), None, b"\xf0\x3f", True, b"ab"]
    full = [*row, vardecimal(1, 3, "12345678"), b"\x12\x34\x0b"]
    base.add(unit, [make.compressed(full) for _ in range(30)])


def _people(base: make.Database) -> None:
    unit = base.table("people", PEOPLE)
    info = make.compression_info([None, b"Antonia", None], [b"\x06ette", b"Smith"])
    base.add(unit, [make.compressed([excess(n, 1), b"\x06o", 1]) for n in range(40)], info=info)


KINDS = (_typed, _lobs, _squeezed, _people)


class Target:
    """An opened data file of one table, and what its reader does with damaged pages instead of its own."""

    def __init__(self, fill) -> None:  # type: ignore[no-untyped-def]
        base = make.Database()
        fill(base)
        reader = BytesReader(base.bytes())
        (opened,) = ENGINE.open([Source("a.mdf", reader)], Hints())
        (table,) = opened.tables
        assert sum(rows.batch.num_rows for rows in opened.rows(table)) >= 9
        self._store = PageStore([reader])
        (self._part,) = opened.parts(table)
        assert isinstance(self._part, Partition)
        data = scan(reader)
        data = data[(data["type"] == make.DATA) & (data["page"] >= 40)]
        self._pages = self._store.read(data)
        self._lobs = LobReader(self._store.page)

    def run(self, chance: np.random.Generator) -> int:
        """Read ``TOGETHER`` damaged pages; return how many rows they gave."""
        pages = damaged(self._pages, chance)
        entries = scan(BytesReader(pages.tobytes()))
        assert len(entries) == TOGETHER
        assert (entries["soundness"] == judge(pages, headers_of(pages))).all()
        sane = entries["soundness"] >= Soundness.TORN
        rows, layout = 0, self._part.layout
        if sane.any():
            for records in records_of(pages[sane], entries[sane]):
                rows += sum(each.batch(layout).num_rows for each in decode(layout, records, self._lobs))
        numbers = np.arange(TOGETHER, dtype=np.int64)
        for each, _ in salvaged(pages, numbers, layout, Habits(), self._lobs, np.ones(TOGETHER, bool)):
            rows += each.batch(layout, "salvaged").num_rows
        return rows


def damaged(sound: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Return ``TOGETHER`` pages with damage: single bytes, headers, slots, runs, moved parts."""
    out = sound[chance.integers(0, len(sound), TOGETHER)].copy()
    edges = np.array([0, 1, 0x7F, 0x80, 0xFF], np.uint8)
    for page in out:
        kind = chance.integers(0, 5)
        if kind == 0:
            at = chance.integers(96, SIZE, chance.integers(1, 40))
            page[at] = chance.integers(0, 256, len(at))
        elif kind == 1:
            at = chance.integers(0, 200, chance.integers(1, 8))
            page[at] = chance.choice(edges, len(at))
        elif kind == 2:
            at = chance.integers(SIZE - 100, SIZE, chance.integers(1, 12))
            page[at] = chance.integers(0, 256, len(at))
        elif kind == 3:
            start, length = chance.integers(0, SIZE), chance.integers(1, SIZE)
            page[start : start + length] = chance.integers(0, 256, len(page[start : start + length]))
        else:
            start, other = chance.integers(96, SIZE // 2, 2)
            length = chance.integers(1, SIZE // 2)
            page[start : start + length] = page[other : other + length].copy()
    return out


def fuzz(executions: int, seed: int = 1) -> tuple[int, int]:
    """Run that many executions; return how many were run and how many rows came out of them."""
    return repeat([Target(fill) for fill in KINDS], executions, seed)


if __name__ == "__main__":
    report(fuzz)
