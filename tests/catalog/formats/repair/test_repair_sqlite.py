"""Every row on every page that is left comes back, against rows read by SQLite from the whole file."""

import sqlite3

import pytest

from tests.catalog.formats.repair.damage import chance, damaged, holes, locked
from unransom.catalog.formats.repair import sqlite
from unransom.core.spans import Span
from unransom.run.rebuilt_database import write_database

ROWS = 6000


def made(path, page=4096, encoding="UTF-8", deleted=False):
    draw = chance(9)
    connection = sqlite3.connect(path)
    connection.execute(f"pragma page_size = {page}")
    connection.execute(f"pragma encoding = '{encoding}'")
    connection.executescript(
        "create table orders(id integer primary key, sku text, qty int, price real, note text);"
        "create table customers(name text unique, mail text, photo blob);"
        "create table stock(sku text, place text, left int, primary key(sku, place)) without rowid;"
        "create index by_sku on orders(sku); create view cheap as select * from orders where price < 1;"
    )
    for number in range(ROWS):
        note = "é" * draw.choice([0, 3, 40, 5000 if number % 100 == 0 else 7])
        row = (number, f"SKU-{draw.randrange(10**5)}", draw.randrange(9), draw.random(), note)
        connection.execute("insert into orders values(?,?,?,?,?)", row)
        connection.execute(
            "insert into customers values(?,?,?)", (f"Name {number}", None, bytes(draw.randrange(9)))
        )
        connection.execute("insert into stock values(?,?,?)", (f"S{number:06}", "hall", draw.randrange(99)))
    if deleted:
        connection.execute("delete from orders where id >= 3000")
    connection.execute("alter table orders add column paid int default 7")
    connection.commit()
    connection.close()
    return path.read_bytes()


def rows_of(path, table):
    connection = sqlite3.connect(path)
    try:
        return set(connection.execute(f"select * from {table}"))
    finally:
        connection.close()


def pages_of(path, tables):
    """Return {table: (page, how many rows)} of leaf pages as SQLite itself tells, where it can."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute("select name, pageno, pagetype, ncell from dbstat").fetchall()
    except sqlite3.OperationalError:
        return []
    finally:
        connection.close()


def rebuilt(data, spans, tmp_path):
    repaired = sqlite.repair(damaged(data, spans, b"a.db"))
    path = tmp_path / "rebuilt"
    path.unlink(missing_ok=True)
    counts = write_database(repaired.tables, path)
    return repaired, path, {count.what: count.left for count in counts}


@pytest.mark.parametrize(("page", "encoding"), [(1024, "UTF-8"), (4096, "UTF-16le"), (16384, "UTF-16be")])
def test_all_rows_come_back_where_only_the_free_end_is_lost(page, encoding, tmp_path):
    original = tmp_path / "a.db"
    data = made(original, page, encoding)
    _, path, counts = rebuilt(data, [], tmp_path)
    for table in ("orders", "customers", "stock"):
        assert rows_of(path, table) == rows_of(original, table)
    assert counts["rows"] == 3 * ROWS
    connection = sqlite3.connect(path)
    names = {name for (name,) in connection.execute("select name from sqlite_master")}
    assert {"by_sku", "cheap"} <= names
    assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    connection.close()


@pytest.mark.parametrize("how", ["tail", "odd"])
def test_every_row_on_a_sound_page_comes_back(how, tmp_path):
    original = tmp_path / "a.db"
    data = made(original)
    spans = holes(len(data), how)
    _, path, _ = rebuilt(data, spans, tmp_path)
    for table in ("orders", "customers", "stock"):
        assert rows_of(path, table) <= rows_of(original, table)
    kinds = pages_of(original, None)
    if not kinds:
        pytest.skip("this SQLite has no dbstat")
    for table in ("orders", "customers", "stock"):
        left = sum(
            cells
            for name, page, kind, cells in kinds
            if name == table
            and kind in ({"leaf"} if table != "stock" else {"leaf", "internal"})
            and not any(span.start < page * 4096 and (page - 1) * 4096 < span.end for span in spans)
        )
        overflowing = sum(name == table and kind == "overflow" for name, page, kind, _ in kinds)
        assert left - overflowing <= len(rows_of(path, table)) <= left
        assert left > 100


@pytest.mark.parametrize("how", ["head", "even"])
def test_rows_come_back_without_header_and_definitions(how, tmp_path):
    original = tmp_path / "a.db"
    data = made(original)
    repaired, path, counts = rebuilt(data, holes(len(data), how), tmp_path)
    assert any("definitions" in str(message) for message in repaired.missing)
    orders = {row[1:5] for row in rows_of(original, "orders")}
    found = {row[1:5] for row in rows_of(path, "lost_and_found_5")}
    assert found <= orders
    assert len(found) > ROWS // 3
    assert counts["rows"] > ROWS // 2


def test_rows_that_were_deleted_stay_deleted(tmp_path):
    original = tmp_path / "a.db"
    data = made(original, deleted=True)
    _, path, _ = rebuilt(data, [Span(len(data) - 1, len(data))], tmp_path)
    assert rows_of(path, "orders") == rows_of(original, "orders")


def test_the_own_tables_of_sqlite_are_no_rows_of_others(tmp_path):
    original = tmp_path / "a.db"
    connection = sqlite3.connect(original)
    connection.execute("create table counted(id integer primary key autoincrement, n text)")
    connection.execute("create table pairs(name text, number int)")
    connection.execute("insert into counted(n) values ('a'), ('b')")
    connection.execute("insert into pairs values ('p', 1)")
    connection.commit()
    connection.close()
    _, path, counts = rebuilt(original.read_bytes(), [], tmp_path)
    assert counts["rows of pairs"] == 1
    assert rows_of(path, "pairs") == {("p", 1)}
    assert rows_of(path, "sqlite_sequence") == {("counted", 2)}


@pytest.mark.parametrize("part", [2, 3, 5])
def test_rows_in_front_of_a_cut_stay_in_their_tables(part, tmp_path):
    data = made(tmp_path / "a.db", page=16384)  # trees of two levels, whose roots are in front
    cut = data[: len(data) * (part - 1) // part // 16384 * 16384]
    names = {table.name for table in sqlite.repair(damaged(cut)).tables.tables}
    assert names == {"orders", "customers", "stock"}


def test_random_bytes_are_no_database():
    assert not sqlite.finds(damaged(locked(bytes(200_000), [Span(0, 200_000)])).reader)


def test_rows_without_numbers_come_back_though_their_definition_is_lost(tmp_path):
    path = tmp_path / "a.db"
    data = made(path)
    repaired, out, counts = rebuilt(data, holes(len(data), "head"), tmp_path)
    wanted = rows_of(path, "stock")
    found = rows_of(out, "lost_and_found_keys_3")
    assert len(found & wanted) > 0.9 * len(wanted)
    assert any("lost_and_found_keys" in str(message) for message in repaired.missing)
    assert counts["rows"] == sum(
        left for name, left in counts.items() if name.startswith("rows of") and "keys" not in name
    )


def test_rows_on_free_pages_are_told_apart_as_deleted(tmp_path):
    path = tmp_path / "a.db"
    connection = sqlite3.connect(path)
    connection.executescript("pragma secure_delete = off; create table a(n int, t text)")
    rows = [(number, f"text {number} " * 9) for number in range(4000)]
    connection.executemany("insert into a values(?, ?)", rows)
    connection.commit()
    connection.execute("delete from a where n < 2500")
    connection.commit()
    connection.close()
    data = path.read_bytes()
    last = [Span(len(data) - 8192, len(data))]
    repaired, out, counts = rebuilt(data, last, tmp_path)
    deleted = rows_of(out, "deleted_rows_2")
    assert len(deleted & set(rows[:2500])) > 2000
    assert deleted <= set(rows)  # some were only moved when the page was given up
    assert rows_of(out, "a") <= set(rows[2500:])
    assert counts["rows"] == counts["rows of a"]
    assert any("deleted_rows" in str(message) for message in repaired.missing)
