"""Damaged SQL Server files: what must come back, and that nothing wrong does."""

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.catalog.databases.mssql.reading import everything, opened, script
from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.mssql import ENGINE
from unransom.core.streams import BytesReader

REAL = Path("../shared/data/databases/mdf")
COUNTS = {
    "itsligo_northwnd": {
        "Categories": 8, "Customers": 91, "EmployeeTerritories": 49, "Employees": 9, "Order Details": 2155,
        "Orders": 830, "Products": 77, "Region": 4, "Shippers": 3, "Suppliers": 29, "Territories": 53,
    },
    "anhnbt_pubs": {
        "authors": 23, "discounts": 3, "employee": 43, "jobs": 14, "pub_info": 8, "publishers": 8,
        "roysched": 86, "sales": 21, "stores": 6, "titleauthor": 25, "titles": 18,
    },
    "vanasp_Movies": {"Movies": 5, "__MigrationHistory": 2},
}  # fmt: skip
STEP = 65536


def real(name):
    return (REAL / name).read_bytes()


def damaged(data, places):
    """Return ``data`` with random bytes in some ranges."""
    noise, out = random.Random(7), bytearray(data)
    for start, end in places:
        part = out[start:end]
        out[start:end] = noise.randbytes(len(part))
    return bytes(out)


def every_eighth(data, phase):
    return damaged(data, [(at, at + STEP) for at in range(phase * STEP, len(data), 8 * STEP)])


def half(data):
    return damaged(data, [(0, len(data) // 2 // STEP * STEP)])


def holes(data):
    return damaged(data, [(at, at + 4096) for at in range(32768, len(data), STEP)])


def blank(data, *numbers):
    out = bytearray(data)
    for number in numbers:
        out[number * 8192 : (number + 1) * 8192] = bytes(8192)
    return bytes(out)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", COUNTS)
def test_whole_files_give_every_row(name):
    database = opened(real(f"{name}.mdf"))
    counts = {table.name.split(".")[1]: 0 for table in database.tables}
    for row in everything(database):
        counts[row[0]] += 1
    assert {table: counts[table] for table in COUNTS[name]} == COUNTS[name]
    for table in database.tables:
        loss = database.loss(table, counts[table.name.split(".")[1]])
        assert loss.recovered == loss.expected


@pytest.mark.shared_data
def test_values_of_northwind_and_pubs():
    found = {row[0]: dict(row[1:]) for row in reversed(everything(opened(real("itsligo_northwnd.mdf"))))}
    assert str(found["Orders"]["OrderDate"]) == "1996-07-04 00:00:00"
    assert str(found["Orders"]["Freight"]) == "32.3800"
    assert found["Customers"]["Address"] == "Obere Str. 57"
    assert found["Employees"]["Notes"].startswith("Education includes a BA in psychology")
    assert len(found["Employees"]["Photo"]) == 21626
    pubs = {row[0]: dict(row[1:]) for row in reversed(everything(opened(real("anhnbt_pubs.mdf"))))}
    assert pubs["titles"]["title"] == "The Busy Executive's Database Guide"
    assert pubs["employee"]["lname"] == "Accorti"
    assert pubs["pub_info"]["pr_info"].startswith("This is sample text data for New Moon Books")


@pytest.mark.shared_data
@pytest.mark.parametrize("name", COUNTS)
def test_without_file_header_boot_page_or_the_first_64_kib(name):
    data = real(f"{name}.mdf")
    want = set(map(repr, everything(opened(data))))
    assert set(map(repr, everything(opened(blank(data, 0, 9))))) == want
    assert set(map(repr, everything(opened(damaged(data, [(0, STEP)]))))) == want


SIGNATURE = {  # share of rows that must be right, and rows that may lack a lost value
    ("itsligo_northwnd", "every 7"): (0.9035, 6),
    ("itsligo_northwnd", "every 0"): (0.8725, 3),
    ("itsligo_northwnd", "half"): (0.9879, 0),
    ("itsligo_northwnd", "holes"): (0.93, 0),
    ("anhnbt_pubs", "every 7"): (0.835, 0),
    ("anhnbt_pubs", "every 0"): (1.0, 0),
    ("anhnbt_pubs", "holes"): (0.888, 8),
    ("vanasp_Movies", "every 7"): (1.0, 0),
    ("vanasp_Movies", "every 0"): (1.0, 0),
    ("vanasp_Movies", "half"): (1.0, 0),
    ("vanasp_Movies", "holes"): (1.0, 0),
}
DAMAGE = {
    "every 7": lambda data: every_eighth(data, 7),
    "every 0": lambda data: every_eighth(data, 0),
    "half": half,
    "holes": holes,
}


@pytest.mark.shared_data
@pytest.mark.parametrize(("name", "how"), SIGNATURE)
def test_with_a_script_of_the_schema(name, how):
    data = real(f"{name}.mdf")
    whole = opened(data)
    want = set(map(repr, everything(whole)))
    database = opened(DAMAGE[how](data), sql=[script(whole)])
    told = {table.name.split(".", 1)[-1] for table in database.tables if table.source != "inferred"}
    got = [repr(row) for row in everything(database) if row[0] in told]
    share, lacking = SIGNATURE[name, how]
    assert len(want & set(got)) >= share * len(want)
    assert len([row for row in got if row not in want]) <= lacking


SMALL_HOLES = {  # where each hole begins, how far they are apart, and how long they are
    "heads": (0, 131072, 128),
    "anywhere": (777, 20000, 1000),
    "middles": (3000, 24576, 900),
    "shifted": (5000, 40000, 4096),
}


@pytest.mark.shared_data
@pytest.mark.parametrize("how", SMALL_HOLES)
@pytest.mark.parametrize("name", COUNTS)
def test_what_the_catalogue_defines_has_no_row_that_was_not_there(name, how):
    data = real(f"{name}.mdf")
    first, step, length = SMALL_HOLES[how]
    want = {repr((row[0], *(value for _, value in row[1:]))) for row in everything(opened(data))}
    database = opened(damaged(data, [(at, at + length) for at in range(first, len(data), step)]))
    for table in database.tables:
        title = table.name.split(".", 1)[-1]
        for found in database.rows(table) if title in COUNTS[name] and table.source != "inferred" else ():
            rows = [row for row in found.batch.to_pylist() if row["_confidence"] > 0.5]
            # Names of columns may be lost.
            assert {repr((title, *(row[each.name] for each in table.columns))) for row in rows} <= want


@pytest.mark.shared_data
@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("how", DAMAGE)
def test_no_row_of_a_whole_page_is_missing(name, how):
    """The ceiling of what whole pages hold; which share of a file that is depends on where its tables lie."""
    data = real(f"{name}.mdf")
    broken, whole = DAMAGE[how](data), opened(data)
    pages = [
        page
        for table in whole.tables
        for found in whole.rows(table)
        for page, state in zip(
            *(found.batch.column(column).to_pylist() for column in ("_page", "_state")), strict=True
        )
        if state == "live"
    ]
    left = [page for page in pages if data[page * 8192 :][:8192] == broken[page * 8192 :][:8192]]
    database = opened(broken, sql=[script(whole)])
    told = {table.name.split(".", 1)[-1] for table in database.tables if table.source != "inferred"}
    assert len([row for row in everything(database) if row[0] in told]) >= len(left)


@pytest.mark.shared_data
def test_the_log_fills_what_the_pages_lost():
    data, name = every_eighth(real("itsligo_northwnd.mdf"), 7), "itsligo_northwnd.ldf"
    whole = opened(real("itsligo_northwnd.mdf"))
    want = [row for row in everything(whole) if row[0] in ("Region", "Territories")]
    database = opened(("itsligo_northwnd.mdf", data), (name, real(name)), sql=[script(whole)])
    assert [row for row in everything(database, ("log",)) if row[0] in ("Region", "Territories")] == want
    assert not [row for row in everything(opened(data), ("live",)) if row[0] in ("Region", "Territories")]


@pytest.mark.shared_data
@pytest.mark.parametrize("name", COUNTS)
def test_a_log_adds_nothing_to_a_whole_file(name):
    logs = sorted(REAL.glob(f"{name}*.ldf"))
    data = (f"{name}.mdf", real(f"{name}.mdf"))
    with_logs = opened(data, *((log.name, log.read_bytes()) for log in logs))
    assert list(map(repr, everything(with_logs))) == list(map(repr, everything(opened(data))))


@pytest.mark.shared_data
def test_a_backup_and_a_file_damaged_at_different_places_make_a_whole():
    """128 bytes in every 128 KiB, as one locker does: in the backup the pages are shifted."""
    data = real("itsligo_northwnd.mdf")
    backup = b"TAPE".ljust(7680, b"\0") + data
    stripes = [(at, at + 128) for at in range(0, len(backup), 131072)]
    database = opened(damaged(data, stripes), ("a.bak", damaged(backup, stripes)))
    assert everything(database) == everything(opened(data))


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "names",
    [
        ("shop.mdf", "shop.bak"),
        ("shop.mdf", "full_2024.bak"),
        ("a.mdf", "a_copy.mdf"),
        ("orders.mdf", "2024-05-01.old"),
    ],
)
@pytest.mark.parametrize("name", COUNTS)
def test_a_file_and_a_copy_that_share_no_sound_page_make_a_whole(name, names):
    data = real(f"{name}.mdf")
    middle = len(data) // 2 // 8192 * 8192
    first, second = damaged(data, [(0, middle)]), damaged(data, [(middle, len(data))])
    if names[1].endswith(".bak"):
        second = b"TAPE".ljust(7680, b"\0") + second
    database = opened((names[0], first), (names[1], second))
    assert everything(database) == everything(opened(data))


@pytest.mark.shared_data
@pytest.mark.parametrize(("one", "other"), [(0, 1), (1, 2), (2, 0)])
def test_parts_of_two_databases_that_share_no_sound_page_stay_two(one, other):
    datas = [real(f"{name}.mdf") for name in COUNTS]
    first, second = datas[one], datas[other]
    middle = min(len(first), len(second)) // 2 // 8192 * 8192
    files = {"a.mdf": damaged(first, [(0, middle)]), "b.mdf": damaged(second, [(middle, len(second))])}
    found = ENGINE.open([Source(name, BytesReader(data)) for name, data in files.items()], Hints())
    assert [database.name for database in found] == list(files)


@pytest.mark.shared_data
def test_two_databases_side_by_side_stay_two():
    files = [(f"{name}.mdf", half(real(f"{name}.mdf"))) for name in COUNTS]
    found = ENGINE.open([Source(name, BytesReader(data)) for name, data in files], Hints())
    assert [database.name for database in found] == [name for name, _ in files]


@pytest.mark.shared_data
@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("how", DAMAGE)
def test_logs_and_damage_together_make_no_wrong_rows(name, how):
    data = real(f"{name}.mdf")
    whole = opened(data)
    want = set(map(repr, everything(whole)))
    logs = [(log.name, log.read_bytes()) for log in sorted(REAL.glob(f"{name}*.ldf"))]
    database = opened((f"{name}.mdf", DAMAGE[how](data)), *logs, sql=[script(whole)])
    tables = {row[0] for row in everything(whole)}
    sure = everything(database, ("live", "log", "salvaged"))
    wrong = [row for row in sure if row[0] in tables and repr(row) not in want]
    assert all(any(value is None for _, value in row[1:]) for row in wrong)  # only lost values
    assert len(wrong) <= 8


@pytest.mark.shared_data
def test_headers_lost_to_a_pattern_cost_only_the_rows_below_them():
    """128 bytes in every 128 KiB, and only one source."""
    data = real("itsligo_northwnd.mdf")
    torn = damaged(data, [(at, at + 128) for at in range(0, len(data), 131072)])
    want = set(map(repr, everything(opened(data))))
    got = everything(opened(torn))
    assert len(got) >= 0.99 * len(want)
    wrong = [row for row in got if repr(row) not in want]
    assert len(wrong) <= 2
    assert all(any(value is None for _, value in row[1:]) for row in wrong)  # pictures with a lost page


@pytest.mark.shared_data
def test_two_halves_of_a_page_are_put_together():
    data = real("itsligo_northwnd.mdf")
    pages = range(0, len(data), 8192)
    first = damaged(data, [(at + 1000, at + 1600) for at in pages])
    second = damaged(data, [(at + 4000, at + 4600) for at in pages])
    assert everything(opened(first, second)) == everything(opened(data))
    true = Counter(values(row) for row in everything(opened(data)))
    for one in (first, second):
        alone = opened(one)
        found = Counter(values(row) for row in everything(alone))
        assert sum(found.values()) < sum(true.values())
        lacking = found - true  # beyond those that the file has, each as often as there
        assert len(lacking) < 0.05 * len(found)
        assert all(any(Counter(row) < Counter(other) for other in true) for row in lacking)
        rows = [row for t in alone.tables for part in alone.rows(t) for row in part.batch.to_pylist()]
        assert {row["_state"] for row in rows} == {"salvaged"}
        assert max(row["_confidence"] for row in rows) < 0.9


def values(row):
    """Return what a row says, whatever its table and columns are called."""
    return tuple(sorted(repr(value) for _, value in row[1:] if value is not None))


@pytest.mark.shared_data
def test_only_files_of_sql_server_are_recognised():
    for file in REAL.iterdir():
        lost = [(0, STEP)] if file.suffix == ".mdf" else []
        assert ENGINE.recognise(BytesReader(damaged(file.read_bytes(), lost))) >= 48
    for file in sorted((REAL.parent / "ibd").glob("*.ibd"))[:20]:
        assert ENGINE.recognise(BytesReader(file.read_bytes())) == 0
    assert ENGINE.recognise(BytesReader(random.Random(3).randbytes(1 << 20))) == 0
    assert ENGINE.recognise(BytesReader(bytes(1 << 20))) == 0
    assert ENGINE.recognise(BytesReader(b"")) == 0
