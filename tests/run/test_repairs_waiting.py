"""Which files of a case `recover` repairs by itself, and which only `repair --case`."""

import json
import sqlite3

import pytest

from unransom.run.repairs import condition, reopen_repair, total

BIG = 1 << 40
# state, output, method, format, bytes locked, size, and whether it is repaired always, on demand, or never
FILES = {
    "unlocked with holes": ("partial", b"a", "unlock", "ooxml", 4096, 10_000, "always"),
    "its copy": ("partial", b"a", "copy", "ooxml", 4096, 10_000, "never"),
    "head left, the rest is told as locked": ("locked", None, None, "png", 10_000, 10_000, "always"),
    "every second block": ("locked", None, None, "", 5000, 10_000, "always"),
    "failed with some left": ("failed", None, None, "", 5000, 10_000, "always"),
    "locked all over": ("locked", None, None, "", 10_000, 10_000, "demand"),
    "not estimated": ("locked", None, None, None, None, 10_000, "demand"),
    "a disk of a machine in part": ("partial", b"a", "unlock", "vmdk", 4096, BIG, "demand"),
    "a large database in part": ("partial", b"a", "unlock", "sqlite", 4096, BIG, "always"),
    "sound": ("intact", None, None, "png", None, 10_000, "never"),
}


@pytest.fixture
def database():
    connection = sqlite3.connect(":memory:")
    connection.execute(
        "create table files(id integer primary key, state, output, method, format, locked, size, body,"
        " source default 's', path blob default x'61', stream default '', version default '')"
    )
    connection.execute("create table journal(step, item, done)")
    yield connection
    connection.close()


@pytest.mark.parametrize("name", FILES)
def test_what_waits(name, database):
    *row, wanted = FILES[name]
    database.execute(
        "insert into files(id, state, output, method, format, locked, size) values (1, ?, ?, ?, ?, ?, ?)", row
    )
    waits = {every: total(condition(every=every))(database)[0] for every in (False, True)}
    assert waits == {False: wanted == "always", True: wanted != "never"}
    database.execute("insert into journal values ('repair', 1, 1)")
    assert total(condition(every=True))(database) == (0, 0)


# Name of the database; name, state, bytes locked and size of what lies beside it; whether the database waits.
LOGS = {
    "a plain log": (b"d/shop.db.locked", b"d/shop.db-wal", "intact", 0, 5000, True),
    "a log that was renamed": (b"d/shop.db.locked", b"d/shop.db-wal.locked", "intact", 0, 5000, True),
    "of a database that was not": (b"shop.db", b"shop.db-journal", "intact", 0, 5000, True),
    "a log that is left in part": (b"d/shop.db.locked", b"d/shop.db-wal.locked", "locked", 2500, 5000, True),
    "a log that is locked all over": (
        b"d/shop.db.locked",
        b"d/shop.db-wal.locked",
        "locked",
        5000,
        5000,
        False,
    ),
    "an empty log": (b"d/shop.db.locked", b"d/shop.db-wal", "intact", 0, 0, False),
    "of another database": (b"d/shop.db.locked", b"d/stock.db-wal", "intact", 0, 5000, False),
    "in another folder": (b"d/shop.db.locked", b"e/shop.db-wal", "intact", 0, 5000, False),
    "beside no database": (b"d/shop.bin.locked", b"d/shop.bin-wal", "intact", 0, 5000, False),
}


@pytest.mark.parametrize("name", LOGS)
def test_a_locked_database_waits_where_its_log_is_left(name, database):
    path, beside, state, locked, size, waits = LOGS[name]
    add = "insert into files(path, state, format, locked, size) values (?, ?, '', ?, ?)"
    database.execute(add, (path, "locked", BIG, BIG))
    assert total(condition(every=False))(database) == (0, 0)
    database.execute(add, (beside, state, locked, size))
    database.execute("insert into journal values ('repair', 2, 1)")
    assert total(condition(every=False))(database) == ((1, BIG) if waits else (0, 0))


def test_what_is_damaged_without_a_locker_waits_too(database):
    row = ("intact", "gzip", 10_000, json.dumps({"damaged": True}))
    database.execute("insert into files(id, state, format, size, body) values (1, ?, ?, ?, ?)", row)
    assert {total(condition(every=every))(database)[0] for every in (False, True)} == {1}


def test_a_new_output_is_repaired_anew(database):
    row = ("partial", b"a", "unlock", "ooxml", 4096, 10_000)
    database.execute(
        "insert into files(id, state, output, method, format, locked, size) values (1, ?, ?, ?, ?, ?, ?)", row
    )
    database.execute("insert into journal values ('repair', 1, 1), ('repair', 2, 1), ('unlock', 1, 1)")
    assert total(condition(every=False))(database)[0] == 0
    reopen_repair(database, 1)
    assert total(condition(every=False))(database)[0] == 1
    left = database.execute("select step, item from journal order by step").fetchall()
    assert left == [("repair", 2), ("unlock", 1)]
