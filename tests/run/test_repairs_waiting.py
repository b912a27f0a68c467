"""Which files of a case `recover` repairs by itself, and which only `repair --case`."""

import sqlite3

import pytest

from unransom.run.repairs import condition, total

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
        "create table files(id integer primary key, state, output, method, format, locked, size)"
    )
    connection.execute("create table journal(step, item, done)")
    yield connection
    connection.close()


@pytest.mark.parametrize("name", FILES)
def test_what_waits(name, database):
    *row, wanted = FILES[name]
    database.execute("insert into files values (1, ?, ?, ?, ?, ?, ?)", row)
    waits = {every: total(condition(every=every))(database)[0] for every in (False, True)}
    assert waits == {False: wanted == "always", True: wanted != "never"}
    database.execute("insert into journal values ('repair', 1, 1)")
    assert total(condition(every=True))(database) == (0, 0)
