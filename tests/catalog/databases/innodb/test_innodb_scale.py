"""Size and endurance: a table of 10 GiB in bounded memory, and a million damaged pages."""

import numpy as np
import pytest

from tests.catalog.databases.innodb.innodb_fuzz import fuzz
from tests.catalog.databases.innodb.made_tablespace import CREATE, ON_PAGE, SIZE, tablespace
from tests.catalog.databases.streamed import GIB, MOST_MEMORY, by_state, in_own_process
from tests.fixtures.processes import peak
from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.innodb import ENGINE
from unransom.catalog.formats._innodb_checksums import crc32c

FIRST, HOLE = 4, 4096


class Endless:
    """A tablespace of leaves that are made when they are read; every eighth has a hole of 4 KiB."""

    def __init__(self, size: int) -> None:
        self.size = size
        whole = tablespace(ON_PAGE)
        self._front = whole[: FIRST * SIZE]
        self._leaf = np.frombuffer(whole[FIRST * SIZE : (FIRST + 1) * SIZE], np.uint8)
        self._places = []
        at = 99
        for _ in range(ON_PAGE):
            at = (at + int.from_bytes(self._leaf[at - 2 : at].tobytes(), "big")) % 65536
            self._places.append(at)
        self._noise = np.random.default_rng(1).integers(0, 256, HOLE, np.uint8)

    def read_at(self, offset: int, length: int) -> bytes:
        first, last = offset // SIZE, -(-(offset + length) // SIZE)
        last = min(last, self.size // SIZE)
        data = b"".join(self._page(number) for number in range(first, last))
        return data[offset - first * SIZE : offset - first * SIZE + length]

    def _page(self, number: int) -> bytes:
        if number < FIRST:
            return self._front[number * SIZE : (number + 1) * SIZE]
        page = self._leaf.copy()
        links = np.array([number, number - 1, number + 1], ">u4").view(np.uint8)
        page[4:16] = links
        keys = np.arange(ON_PAGE, dtype=np.int64) + (number - FIRST) * ON_PAGE + 1 + (1 << 31)
        page[np.array(self._places)[:, None] + np.arange(4)] = (
            keys.astype(">u4").view(np.uint8).reshape(-1, 4)
        )
        page[-4:] = np.frombuffer(crc32c(page[:-4].tobytes()).to_bytes(4, "big"), np.uint8)
        if number % 8 == 0:
            page[2048 : 2048 + HOLE] = self._noise
        return page.tobytes()


def stream(size: int) -> dict:
    """Read every row of such a table; return how many there were of each state, and the peak of memory."""
    (database,) = ENGINE.open([Source("made.ibd", Endless(size))], Hints(sql=(CREATE,)))
    (table,) = database.tables
    counts = by_state(database, table)
    return {"counts": counts, "peak": peak(), "loss": database.loss(table, sum(counts.values())).expected}


def holds(found: dict, size: int) -> None:
    pages = size // SIZE - FIRST
    torn = sum(number % 8 == 0 for number in range(FIRST, size // SIZE))
    assert found["counts"]["live"] == (pages - torn) * ON_PAGE
    assert found["counts"]["salvaged"] >= 0.5 * torn * ON_PAGE
    assert found["peak"] < MOST_MEMORY


def test_64_mib_stream_in_bounded_memory():
    holds(in_own_process(__name__, 64 << 20), 64 << 20)


def test_damaged_pages_are_read_without_a_fault():
    done, rows = fuzz(2000)
    assert done >= 2000
    assert rows > done


@pytest.mark.soak
def test_10_gib_stream_in_bounded_memory():
    holds(in_own_process(__name__, 10 * GIB), 10 * GIB)


@pytest.mark.soak
def test_a_million_damaged_pages_are_read_without_a_fault():
    assert fuzz(1_000_000)[0] >= 1_000_000
