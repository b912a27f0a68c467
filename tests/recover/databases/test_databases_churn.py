"""Damage to tables of a real MariaDB that have freed pages and rows: nothing comes back that is gone."""

import pytest

from tests.recover.databases.churned_tables import TABLES, churn
from tests.recover.databases.damage import PATTERNS
from tests.recover.databases.mariadb_server import Server
from tests.recover.databases.test_databases_mariadb import _on_whole_pages, _rows, _taken
from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.innodb import ENGINE
from unransom.core.streams import BytesReader

SEEDS = [1, *(pytest.param(each, marks=pytest.mark.soak) for each in range(2, 8))]
LEAST = {"K": 0.99, "P0": 1.0, "H": 1.0, "S": 0.7}  # of all rows


@pytest.fixture(scope="module", params=SEEDS)
def churned(request):
    server = Server()
    try:
        server.run("create database shop")
        churn(server, request.param)
        return {table: _taken(server, table) for table in TABLES}
    finally:
        server.close()


@pytest.mark.parametrize("pattern", ["none", *PATTERNS])
def test_rows_of_freed_pages_stay_gone(churned, pattern):
    for data, create, wanted in churned.values():
        damaged = PATTERNS[pattern](data) if pattern in PATTERNS else data
        opened = ENGINE.open([Source("t.ibd", BytesReader(damaged))], Hints(sql=(create,)))
        whole = _on_whole_pages(data, damaged, create)
        if not opened or not opened[0].tables:
            assert whole == 0  # the rows lay all in the half that is gone
            continue
        back = [row for row, _ in _rows(opened[0])]
        assert len(set(back)) == len(back)
        assert set(back) <= wanted
        assert len(back) >= whole
        assert len(back) >= LEAST.get(pattern, 0) * len(wanted)
        if pattern == "none":
            assert set(back) == wanted
