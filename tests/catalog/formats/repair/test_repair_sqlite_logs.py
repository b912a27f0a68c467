"""Pages that SQLite left in its logs fill a damaged database; SQLite made all of them and tells the truth."""

import sqlite3

import pytest

from tests.catalog.formats.repair.damage import KIB64, chance, damaged, holes, locked
from tests.catalog.formats.repair.test_repair_sqlite import rows_of
from unransom.catalog.formats.repair import sqlite
from unransom.catalog.formats.repair.repair import Damaged
from unransom.core.spans import Span
from unransom.core.streams import BytesReader
from unransom.run.rebuilt_database import write_database

ROWS = 12000


def opened(path, mode):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("pragma page_size = 1024")
    connection.execute(f"pragma journal_mode = {mode}")
    connection.execute("pragma wal_autocheckpoint = 0")
    connection.execute("pragma cache_size = 10")  # pages go to the files before their transaction ends
    return connection


def fill(connection, seed, first=0, end=ROWS):
    draw = chance(seed)
    connection.execute("begin")
    rows = [(number, f"K{draw.randrange(10**6)}", draw.randrange(99)) for number in range(first, end)]
    connection.executemany("insert into orders values (?, ?, ?)", rows)
    connection.execute("commit")


def in_wal(path, seed=1):
    """Return a database, its log with what was committed since and what was taken back, and the truth."""
    connection = opened(path, "wal")
    connection.execute("create table orders(id integer primary key, sku text, qty int)")
    fill(connection, seed)
    connection.execute("pragma wal_checkpoint(restart)")
    connection.execute("update orders set qty = qty + 1000 where id between 4000 and 9000")
    fill(connection, seed + 1, ROWS, ROWS + 500)
    connection.execute("begin")
    connection.execute("update orders set sku = 'never' where id < 8000")
    data, log = path.read_bytes(), path.with_name(path.name + "-wal").read_bytes()
    connection.execute("rollback")
    rows = set(connection.execute("select * from orders"))
    connection.close()
    return data, log, rows


def in_journal(path):
    """Return a database in the middle of a transaction, the journal that is to undo it, and the truth."""
    connection = opened(path, "delete")
    connection.execute("create table orders(id integer primary key, sku text, qty int)")
    fill(connection, 1)
    rows = set(connection.execute("select * from orders"))
    connection.execute("begin")
    connection.execute("update orders set sku = 'never', qty = 5 where id between 3000 and 9000")
    connection.execute("insert into orders select id + 50000, sku, qty from orders")
    data, journal = path.read_bytes(), path.with_name(path.name + "-journal").read_bytes()
    connection.execute("rollback")
    connection.close()
    return data, journal, rows


def repaired(data, log, tmp_path):
    done = sqlite.repair(Damaged(BytesReader(data), b"a.db", logs=(BytesReader(log),)))
    out = tmp_path / "out"
    out.unlink(missing_ok=True)
    write_database(done.tables, out)
    return done, rows_of(out, "orders")


def sentences(done):
    return " ".join(each.text for each in done.missing)


def test_committed_pages_of_the_log_are_in_and_no_others(tmp_path):
    data, log, truth = in_wal(tmp_path / "a.db")
    assert repaired(data, b"", tmp_path)[1] - truth  # the database alone has what was updated since
    assert repaired(data, log, tmp_path)[1] == truth


@pytest.mark.parametrize("how", ["head", "odd"])
def test_the_log_fills_holes(how, tmp_path):
    data, log, truth = in_wal(tmp_path / "a.db")
    harmed = locked(data, holes(len(data), how))
    _, rows = repaired(harmed, log, tmp_path)
    assert rows <= truth
    assert {row for row in truth if row[2] >= 1000} <= rows
    done = sqlite.repair(damaged(data, holes(len(data), how)))
    out = tmp_path / "alone"
    write_database(done.tables, out)
    name = "orders" if how == "odd" else "lost_and_found_3"
    assert len(rows) > len(rows_of(out, name)) + 400


def test_a_log_alone_gives_its_rows(tmp_path):
    data, log, truth = in_wal(tmp_path / "a.db")
    assert sqlite.repair(damaged(data, [Span(0, len(data))])) is None
    done, rows = repaired(locked(data, [Span(0, len(data))]), log, tmp_path)
    assert {row for row in truth if row[2] >= 1000} <= rows <= truth
    assert "only its name" in sentences(done)


@pytest.mark.parametrize("start", [0, KIB64 // 4])
def test_holes_in_the_log_are_gone_around(start, tmp_path):
    data, log, truth = in_wal(tmp_path / "a.db")
    done, rows = repaired(data, locked(log, [Span(start, start + KIB64 // 2)]), tmp_path)
    newer = {row for row in truth if row[2] >= 1000}
    assert len(rows & newer) > len(newer) / 2
    assert "never" not in {sku for _, sku, _ in rows}
    assert "frames of the write-ahead log are lost" in sentences(done)


def test_a_log_of_another_database_is_not_used(tmp_path):
    data, _, _ = in_wal(tmp_path / "a.db")
    other = opened(tmp_path / "b.db", "wal")
    other.execute("create table people(name text primary key, mail text)")
    other.executemany("insert into people values (?, ?)", ((f"N{each}", f"{each}@x") for each in range(3000)))
    log = (tmp_path / "b.db-wal").read_bytes()
    other.close()
    done, rows = repaired(data, log, tmp_path)
    assert rows == repaired(data, b"", tmp_path)[1]
    assert "was not used" in sentences(done)


def test_a_log_from_before_is_not_used(tmp_path):
    connection = opened(tmp_path / "a.db", "wal")
    connection.execute("create table orders(id integer primary key, sku text, qty int)")
    fill(connection, 1)
    log = (tmp_path / "a.db-wal").read_bytes()
    connection.execute("pragma wal_checkpoint(restart)")
    connection.execute("create table more(x)")  # changes the first page, and with it the counter
    connection.execute("delete from orders where id < 100")
    connection.execute("pragma wal_checkpoint(truncate)")
    truth = set(connection.execute("select * from orders"))
    connection.close()
    done, rows = repaired((tmp_path / "a.db").read_bytes(), log, tmp_path)
    assert rows == truth
    assert "another state" in sentences(done)


@pytest.mark.parametrize("how", ["none", "head", "odd"])
def test_a_journal_undoes_what_never_ended(how, tmp_path):
    data, journal, truth = in_journal(tmp_path / "a.db")
    harmed = data if how == "none" else locked(data, holes(len(data), how))
    assert repaired(data, b"", tmp_path)[1] - truth
    _, rows = repaired(harmed, journal, tmp_path)
    assert rows == truth if how == "none" else rows <= truth
    assert {row for row in truth if 3100 <= row[0] <= 8900} <= rows


def test_a_journal_of_an_older_state_is_not_used(tmp_path):
    path = tmp_path / "a.db"
    _, journal, _ = in_journal(path)
    connection = sqlite3.connect(path)
    connection.executescript("delete from orders where id < 500; delete from orders where id < 600;")
    truth = set(connection.execute("select * from orders"))
    connection.close()
    done, rows = repaired(path.read_bytes(), journal, tmp_path)
    assert rows == truth
    assert "another state" in sentences(done)


def test_hostile_logs_end(tmp_path):
    data, log, _ = in_wal(tmp_path / "a.db")
    _, journal, _ = in_journal(tmp_path / "b.db")
    for each in (log, journal):
        draw = chance(5)
        for _ in range(60):
            bad = bytearray(each[: draw.randrange(len(each))])
            for _ in range(draw.randrange(30)):
                if bad:
                    bad[draw.randrange(min(len(bad), 600))] = draw.randrange(256)
            sqlite.repair(Damaged(BytesReader(data[:20480]), b"a.db", logs=(BytesReader(bytes(bad)),)))
