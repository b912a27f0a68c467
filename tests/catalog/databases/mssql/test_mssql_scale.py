"""Size and endurance: a database of 10 GiB in bounded memory, and a million damaged pages."""

import numpy as np
import pytest

from tests.catalog.databases.mssql import mdf_maker as make
from tests.catalog.databases.mssql.mssql_fuzz import fuzz
from tests.catalog.databases.mssql.test_mssql_sources import WIDE, wide_row
from tests.catalog.databases.streamed import GIB, MOST_MEMORY, by_state, in_own_process
from tests.fixtures.processes import peak
from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.mssql import ENGINE
from unransom.catalog.formats.mssql import checksums

SIZE, FIRST, HOLE, ON_PAGE = 8192, 40, 4096, 100


class Endless:
    """A data file of pages that are made when they are read; every eighth has a hole of 4 KiB."""

    def __init__(self, size: int) -> None:
        self.size = size
        base = make.Database()
        unit = base.table("wide", WIDE, key=("id",))
        base.add(unit, [wide_row(1000 + row) for row in range(ON_PAGE)])
        whole = base.bytes()
        # Without the page that says which pages are in use all of them are.
        self._front = whole[:SIZE] + bytes(SIZE) + whole[2 * SIZE : FIRST * SIZE]
        self._leaf = np.frombuffer(whole[FIRST * SIZE : (FIRST + 1) * SIZE], np.uint8)
        slots = self._leaf[-2 * ON_PAGE :].view("<u2")[::-1].astype(np.int64)
        self._keys = slots[:, None] + 4 + np.arange(4)
        self._noise = np.random.default_rng(1).integers(0, 256, HOLE, np.uint8)

    def read_at(self, offset: int, length: int) -> bytes:
        first, last = offset // SIZE, -(-min(offset + length, self.size) // SIZE)
        front = self._front[first * SIZE : last * SIZE]
        data = front + self._pages(max(first, FIRST), last)
        return data[offset - first * SIZE : offset - first * SIZE + length]

    def _pages(self, first: int, last: int) -> bytes:
        numbers = np.arange(first, last, dtype=np.int64)
        pages = np.repeat(self._leaf[None], len(numbers), axis=0)
        pages[:, 32:36] = numbers.astype("<u4").view(np.uint8).reshape(-1, 4)
        keys = ((numbers - FIRST)[:, None] * ON_PAGE + np.arange(ON_PAGE)).astype("<u4")
        pages[:, self._keys] = keys.view(np.uint8).reshape(len(numbers), ON_PAGE, 4)
        pages[:, 60:64] = 0
        pages[:, 60:64] = checksums(pages).astype("<u4").view(np.uint8).reshape(-1, 4)
        pages[numbers % 8 == 0, 2048 : 2048 + HOLE] = self._noise
        return pages.tobytes()


def stream(size: int) -> dict:
    """Read every row of such a table; return how many there were of each state, and the peak of memory."""
    (database,) = ENGINE.open([Source("made.mdf", Endless(size))], Hints())
    (table,) = database.tables
    counts = by_state(database, table)
    return {"counts": counts, "peak": peak()}


def holds(found: dict, size: int) -> None:
    pages = size // SIZE - FIRST
    torn = sum(number % 8 == 0 for number in range(FIRST, size // SIZE))
    assert found["counts"]["live"] == (pages - torn) * ON_PAGE
    assert found["counts"]["salvaged"] >= 0.35 * torn * ON_PAGE  # of a page some 39 rows lie before the hole
    assert found["peak"] < MOST_MEMORY


def test_64_mib_stream_in_bounded_memory():
    holds(in_own_process(__name__, 64 << 20), 64 << 20)


def test_damaged_pages_are_read_without_a_fault():
    done, rows = fuzz(1000)
    assert done >= 1000
    assert rows > done


@pytest.mark.soak
def test_10_gib_stream_in_bounded_memory():
    holds(in_own_process(__name__, 10 * GIB), 10 * GIB)


@pytest.mark.soak
def test_a_million_damaged_pages_are_read_without_a_fault():
    assert fuzz(1_000_000)[0] >= 1_000_000
