"""Damage to tables of a real MariaDB that have freed pages and rows: nothing comes back that is gone."""

import json
import random

import numpy as np
import pytest

from tests.recover.databases.churned_tables import TABLES, churn
from tests.recover.databases.damage import PATTERNS
from tests.recover.databases.mariadb_server import Server
from tests.recover.databases.test_databases_mariadb import PAGE, _on_whole_pages, _rows, _taken
from tests.recover.databases.test_databases_step import command
from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.innodb import ENGINE, pages
from unransom.core.streams import BytesReader
from unransom.recover.databases.grafting import write_grafts

SEEDS = [1, *(pytest.param(each, marks=pytest.mark.soak) for each in range(2, 8))]
SURE = 0.9
UNTOLD = {"B", "F"}  # what tells which pages are freed, the root and page 0, is lost to these
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
        rows = _rows(opened[0])
        back = [row for row, _ in rows if row in wanted]
        assert len(set(back)) == len(back)
        gone = [sure for row, sure in rows if row not in wanted]
        assert max(gone, default=0) < SURE
        assert not gone or pattern in UNTOLD
        assert len(back) >= whole
        assert len(back) >= LEAST.get(pattern, 0) * len(wanted)
        if pattern == "none":
            assert set(back) == wanted


@pytest.fixture(scope="module")
def shortened():
    """Return a table's file, its statement and rows; thousands of others were deleted in one piece."""
    server = Server()
    try:
        server.run("create database shop")
        server.run(
            "use shop",
            "create table shortened (id int primary key, body varchar(200), n int)",
            "insert into shortened select seq, concat('row ', repeat('z', seq % 90)), seq"
            " from seq_1_to_12000",
            "flush tables shortened for export",
            "unlock tables",
            "delete from shortened where id between 3000 and 7000",
            "update shortened set n = n + 1",
            "set global innodb_max_purge_lag_wait = 0",
        )
        return _taken(server, "shortened")
    finally:
        server.close()


def _without(data, numbers):
    noise = random.Random(7)
    out = bytearray(data)
    for number in numbers:
        out[number * PAGE : (number + 1) * PAGE] = noise.randbytes(PAGE)
    return bytes(out)


def _beside_the_freed(data, create):
    """Return the pages of the root and of both neighbours of the rows that were deleted in one piece."""
    table = pages.scan(BytesReader(data), PAGE)
    owner = table["index"][table["kind"] == pages.INDEX].min()
    leaves = np.flatnonzero(
        (table["kind"] == pages.INDEX) & (table["level"] == 0) & (table["index"] == owner)
    )
    database = ENGINE.open([Source("t.ibd", BytesReader(data))], Hints(sql=(create,)))[0]
    batches = [rows.batch for rows in database.rows(database.tables[0])]
    states = np.concatenate([batch["_state"] for batch in batches])
    live = np.concatenate([batch["_page"] for batch in batches])[states == "live"]
    freed = np.setdiff1d(leaves, live)
    assert 10 < len(freed) < len(leaves) / 2
    beside = {int(each) for name in ("previous", "next") for each in table[name][freed]} - {*freed.tolist()}
    return [3, *beside]


def test_freed_pages_that_only_their_age_betrays_are_not_sure(shortened):
    data, create, wanted = shortened
    damaged = _without(data, [0, 1, 2, *_beside_the_freed(data, create)])
    rows = _rows(ENGINE.open([Source("t.ibd", BytesReader(damaged))], Hints(sql=(create,)))[0])
    sure = {row for row, sure in rows if sure >= SURE}
    assert sure <= wanted
    assert len(sure) > 0.9 * len(wanted)
    assert {sure for row, sure in rows if row not in wanted} == {np.float32(0.6)}


def test_half_of_page_0_tells_which_pages_are_freed(shortened):
    data, create, wanted = shortened
    damaged = _without(data, [1, 2, *_beside_the_freed(data, create)])
    damaged = damaged[: PAGE // 2] + random.Random(8).randbytes(PAGE // 2) + damaged[PAGE:]
    rows = _rows(ENGINE.open([Source("t.ibd", BytesReader(damaged))], Hints(sql=(create,)))[0])
    assert {row for row, sure in rows if sure >= SURE} == {row for row, _ in rows} <= wanted
    assert len(rows) > 0.9 * len(wanted)


def test_rows_of_doubted_pages_are_beside_the_graft(shortened, tmp_path):
    data, create, wanted = shortened
    damaged = _without(data, [0, 1, 2, *_beside_the_freed(data, create)])
    write_grafts([Source("t.ibd", BytesReader(damaged))], Hints(sql=(create,)), tmp_path)
    grafted = ENGINE.open(
        [Source("t.ibd", BytesReader((tmp_path / "shortened.ibd").read_bytes()))], Hints(sql=(create,))
    )[0]
    rows = {row for row, _ in _rows(grafted)}
    assert rows <= wanted
    assert len(rows) > 0.9 * len(wanted)
    beside = (tmp_path / "shortened.salvaged.sql").read_text().count("\n(")
    assert 2000 < beside < 4000


@pytest.mark.parametrize("pattern", ["H", "B"])
def test_freed_upper_levels_speak_for_no_page(pattern):
    server = Server()
    try:
        server.run(
            "create database shop",
            "use shop",
            "create table shrunk (k varchar(200) charset latin1 primary key, n int)",
            "insert into shrunk select concat(repeat(md5(seq), 5), seq), seq from seq_1_to_30000",
            "flush tables shrunk for export",
            "unlock tables",
            "delete from shrunk where k > '2'",
            "set global innodb_max_purge_lag_wait = 0",
            "update shrunk set n = n + 1",
        )
        data, create, wanted = _taken(server, "shrunk")
    finally:
        server.close()
    table = pages.scan(BytesReader(data), PAGE)
    assert int((table["level"][table["kind"] == pages.INDEX] == 1).sum()) > 1
    damaged = PATTERNS[pattern](data)
    rows = _rows(ENGINE.open([Source("t.ibd", BytesReader(damaged))], Hints(sql=(create,)))[0])
    sure = [row for row, sure in rows if sure >= SURE]
    assert {*sure} <= wanted
    assert len({row for row, _ in rows} & wanted) >= _on_whole_pages(data, damaged, create)


def test_rows_that_are_not_certain_are_counted(shortened, tmp_path):
    data, create, _ = shortened
    (tmp_path / "t.ibd").write_bytes(_without(data, [0, 1, 2, *_beside_the_freed(data, create)]))
    (tmp_path / "made.sql").write_text(f"{create};")
    out = tmp_path / "out"
    told = command(tmp_path, "--schema", str(tmp_path / "made.sql"), source="t.ibd", code=3)
    doubtful = json.loads((out / "loss.json").read_text())["tables"][0]["doubtful"]
    assert 2000 < doubtful < 4000
    said = f"shortened: {doubtful} of these rows are not certain"
    assert said in told
    assert said in (out / "loss.txt").read_text()
