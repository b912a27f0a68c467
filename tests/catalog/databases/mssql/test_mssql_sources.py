"""Schemas from scripts, guesses without any, older copies, and files that mean harm."""

import random
import struct
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.catalog.databases.mssql import mdf_maker as make
from tests.catalog.databases.mssql.reading import everything, opened, rows
from tests.catalog.databases.mssql.test_mssql_damage import real
from tests.catalog.databases.mssql.test_mssql_rows import TYPES, lob_file, note, typed_row
from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.mssql import ENGINE
from unransom.catalog.databases.mssql.log import block_checksum, blocks, changes
from unransom.catalog.databases.mssql.script import tables_of
from unransom.catalog.databases.table import Numbering
from unransom.core.streams import BytesReader

SCRIPT = """
/* CREATE TABLE no (a int) */ -- CREATE TABLE none (b int)
CREATE TYPE [dbo].[id] FROM [varchar](11) NOT NULL
GO
EXEC sp_addtype N'tid', N'varchar(6)', 'not null'
CREATE TABLE [dbo].[Order ]]x] (
  [ID] [int] IDENTITY(1,1) NOT NULL,
  [who] [dbo].[id] NULL,
  title tid,
  price decimal(10, 2) NOT NULL DEFAULT (0.0),
  total AS (price * 2),
  note nvarchar(max) COLLATE Chinese_PRC_CI_AS NULL CHECK (len(note) > (1)),
  at datetime2(3) CONSTRAINT df DEFAULT (getdate()),
  a bit, b bit,
  CONSTRAINT [PK] PRIMARY KEY CLUSTERED ([price] DESC, [ID] ASC) WITH (PAD_INDEX = OFF) ON [PRIMARY],
  FOREIGN KEY (who) REFERENCES dbo.people (id)
) ON [PRIMARY] TEXTIMAGE_ON [PRIMARY]
GO
CREATE TABLE sales.heap (a float(10), b numeric, c sysname NULL, d char(3), e rowversion)
ALTER TABLE sales.heap ADD CONSTRAINT pk PRIMARY KEY NONCLUSTERED (d)
CREATE UNIQUE CLUSTERED INDEX ix ON sales.heap (a)
"""


def test_scripts():
    order, heap = tables_of(SCRIPT)
    assert (order.name, order.key, order.clustered) == ("dbo.Order ]x", ("price", "ID"), ("price", "ID"))
    assert [(field.name, field.declared, field.nullable) for field in order.fields] == [
        ("ID", "int", False), ("who", "varchar(11)", True), ("title", "varchar(6)", True),
        ("price", "decimal(10,2)", False), ("note", "nvarchar(max)", True), ("at", "datetime2(3)", True),
        ("a", "bit", True), ("b", "bit", True),
    ]  # fmt: skip
    places = {field.name: (field.place, field.bit, field.null_bit) for field in order.layouts()[0].fields}
    assert places == {
        "price": (4, 0, 1), "ID": (13, 0, 2), "who": (-1, 0, 3), "title": (-2, 0, 4), "note": (-3, 0, 5),
        "at": (17, 0, 6), "a": (24, 0, 7), "b": (24, 1, 8),
    }  # fmt: skip
    assert order.fields[4].encoding == "gb18030"
    assert (heap.name, heap.key, heap.clustered) == ("sales.heap", ("d",), ("a",))
    assert [field.declared for field in heap.fields] == [
        "real", "numeric(18,0)", "nvarchar(128)", "char(3)", "rowversion",
    ]  # fmt: skip


def test_how_a_script_lets_numbers_be_drawn():
    (table,) = tables_of(
        "CREATE TABLE t (a int IDENTITY (100, -10), b [int] identity, c int IDENTITY(5, 0), d char(9) "
        "DEFAULT ('identity(3,4)'))"
    )
    assert [field.numbering for field in table.fields] == [Numbering(100, -10), None, None, None]


WORDS = [*"()[]',.;-*/ ", "CREATE", "TABLE", "PRIMARY", "KEY", "int", "a", "as", "not", "--", "collate"]


@given(st.lists(st.sampled_from(WORDS), max_size=40))
@settings(max_examples=300)
def test_no_script_breaks_the_reader(words):
    tables_of("CREATE TABLE t (" + " ".join(words))


WIDE = [
    ("id", 56, 4, 10, 0, 4, 1),
    ("name", 231, 60, 0, 0, -1, 2),
    ("at", 61, 8, 23, 3, 8, 3),
    ("b", 56, 4, 0, 0, 16, 4),
]


def wide_row(number):
    fixed = struct.pack("<iiii", number, 300 * 60, 45000 + number, number * 3)
    return make.record(fixed, 4, (), [f"Customer {number}".encode("utf-16-le")])


def wide_file(count=120, first=0, lsn=(30, 100, 1)):
    base = make.Database()
    unit = base.table("wide", WIDE, key=("id",))
    for start in range(first, first + count, 40):
        base.add(unit, [wide_row(number) for number in range(start, start + 40)], lsn=lsn)
    return base.bytes()


def without_catalogue(data):
    return bytes(8192 * 2) + random.Random(1).randbytes(8192 * 38) + data[8192 * 40 :]


def test_columns_are_guessed_where_nothing_tells():
    database = opened(without_catalogue(wide_file()))
    (table,) = database.tables
    assert (table.source, table.confidence < 0.5) == ("inferred", True)
    assert [column.declared for column in table.columns] == ["int", "datetime", "int", "nvarchar(4000)"]
    assert len(rows(database, table.name)) == 120
    assert rows(database, table.name)[7][3] == "Customer 7"
    sure = [value for found in database.rows(table) for value in found.batch["_confidence"].to_pylist()]
    assert max(sure) == pytest.approx(table.confidence)
    assert database.problems


def test_a_table_that_could_be_two_is_not_guessed():
    same = "(id int not null, name nvarchar(30), at datetime, b int)"
    texts = [f"CREATE TABLE one {same}; CREATE TABLE two {same}"]
    database = opened(without_catalogue(wide_file()), sql=texts)
    assert [table.source for table in database.tables] == ["inferred"]
    assert "one" in str(database.problems[0])
    assert "two" in str(database.problems[0])
    clear = opened(without_catalogue(wide_file()), sql=[f"CREATE TABLE one {same}"])
    assert [(table.name, table.source) for table in clear.tables] == [("dbo.one", "CREATE TABLE")]


def test_an_older_copy_gives_rows_but_none_over_newer_ones():
    new, old = wide_file(lsn=(40, 100, 1)), wide_file(lsn=(30, 100, 1))
    lost = new[: 41 * 8192] + random.Random(2).randbytes(8192) + new[42 * 8192 :]
    database = opened(("new.mdf", lost), ("old.mdf", old))
    assert [row[0] for row in rows(database, "wide", ("old copy",))] == list(range(40, 80))
    assert len(rows(database, "wide")) == 80
    moved = bytearray(lost)  # the new copy has the rows of the lost page on another one
    moved[42 * 8192 : 43 * 8192] = make.page(
        42, make.DATA, 300, [wide_row(n) for n in range(40, 80)], index=256, lsn=(50, 1, 1)
    )
    again = opened(("new.mdf", bytes(moved)), ("old.mdf", old))
    assert rows(again, "wide", ("old copy",)) == []


def test_older_pages_behind_a_database_are_an_older_copy():
    """As disk images and carved runs have them: the only copy of a lost page is not called sure."""
    new, old = wide_file(lsn=(40, 100, 1)), wide_file(lsn=(30, 100, 1))
    lost = new[: 41 * 8192] + random.Random(2).randbytes(8192) + new[42 * 8192 :]
    for data in (lost + old, old + lost):
        database = opened(data)
        assert [row[0] for row in rows(database, "wide", ("old copy",))] == list(range(40, 80))
        assert len(rows(database, "wide")) == 80


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["itsligo_northwnd", "anhnbt_pubs"])
def test_two_databases_in_one_run_of_bytes_are_told_apart(name):
    one, other = real(f"{name}.mdf"), real("vanasp_Movies.mdf")
    want = [set(map(repr, everything(opened(data)))) for data in (one, other)]
    for data in (one + other, other + one):
        databases = ENGINE.open([Source("disk.img", BytesReader(data))], Hints())
        found = [set(map(repr, everything(database))) for database in databases]
        assert sorted(found, key=len) == sorted(want, key=len)


def named_file(name, created, first, lsn):
    """Return a file of a database with a boot page."""
    base = make.Database()
    unit = base.table("wide", WIDE, key=("id",))
    base.add(unit, [wide_row(number) for number in range(first, first + 40)], lsn=lsn)
    about = bytes(40) + struct.pack("<II", created, 45000) + name.ljust(128).encode("utf-16-le")
    base.pages[9] = make.page(9, make.BOOT, 99, [make.record(about, 1)])
    return base.bytes()


@pytest.mark.parametrize("together", [False, True])
def test_databases_of_one_server_stay_apart_though_their_pages_look_the_same(together):
    """A server makes each as a copy of another one, so that the same tables are on the same pages."""
    shop, ledger = named_file("shop", 1, 0, (30, 1, 1)), named_file("ledger", 2, 5000, (40, 1, 1))
    files = [("disk.img", shop + ledger)] if together else [("shop.mdf", shop), ("ledger.mdf", ledger)]
    databases = ENGINE.open([Source(name, BytesReader(data)) for name, data in files], Hints())
    found = [[row[0] for row in rows(database, "wide")] for database in databases]
    assert sorted(found) == [list(range(40)), list(range(5000, 5040))]
    old = ("old.mdf", named_file("shop", 1, 0, (20, 1, 1)))
    (database,) = ENGINE.open([Source(n, BytesReader(d)) for n, d in (("shop.mdf", shop), old)], Hints())
    assert len(rows(database, "wide")) == 40


def test_rows_of_a_damaged_page_come_back_but_for_the_hit_ones():
    data = bytearray(wide_file())
    at = 41 * 8192
    data[at : at + 128] = random.Random(3).randbytes(128)
    data[at + 1000 : at + 1128] = random.Random(4).randbytes(128)
    database = opened(bytes(data))
    found = rows(database, "wide", ("salvaged",))
    assert 30 <= len(found) <= 37
    assert set(found) <= set(rows(opened(wide_file()), "wide"))


def test_pages_without_header_are_of_the_table_that_has_the_rest_of_their_extent():
    """128 bytes in every 128 KiB, and two tables whose records look the same."""
    base = make.Database()
    for title, first in (("one", 0), ("two", 1000)):
        unit = base.table(title, WIDE, key=("id",))
        for page in range(8):
            base.add(unit, [wide_row(first + page * 40 + row) for row in range(40)])
    whole, noise = base.bytes(), random.Random(9)
    data = bytearray(whole)
    for page in (40, 48):  # the first of an extent each
        data[page * 8192 : page * 8192 + 128] = noise.randbytes(128)
    database = opened(bytes(data))
    for title, first in (("one", 0), ("two", 1000)):
        back = [row[0] for row in rows(database, title, ("salvaged",))]
        assert back == list(range(first + 1, first + 40))  # the first row was hit
        assert len(rows(database, title)) == 280


def test_an_encrypted_database_is_called_so():
    data = bytearray(wide_file())
    for at in range(40 * 8192, len(data), 8192):
        page = bytearray(data[at : at + 8192])
        page[96:] = random.Random(at).randbytes(8096)
        data[at : at + 8192] = make.seal(page[:60] + bytes(4) + page[64:], "checksum")
    assert "TDE" in str(opened(bytes(data)).problems[-1])
    assert not opened(wide_file()).problems


def test_a_type_that_nobody_knows_is_given_as_bytes():
    base = make.Database()
    unit = base.table("odd", [("id", 56, 4, 10, 0, 4, 1), ("thing", 77, 40, 0, 0, 8, 2)])
    base.add(unit, [make.record(struct.pack("<i", 1) + bytes(range(200, 240)), 2)])
    assert rows(opened(base.bytes()), "odd") == [(1, bytes(range(200, 240)))]


def test_a_table_of_which_every_page_is_damaged():
    data = bytearray(wide_file())
    for at in range(40 * 8192, len(data), 8192):
        data[at + 2000 : at + 2100] = random.Random(at).randbytes(100)
    found = rows(opened(bytes(data)), "wide", ("salvaged",))
    assert len(found) >= 105
    assert set(found) <= set(rows(opened(wide_file()), "wide"))


@cache
def samples():
    base = make.Database("torn")
    unit = base.table("typed", TYPES, key=("id",))
    base.add(unit, [typed_row(n) for n in range(20)])
    notes = base.table("notes", [("id", 56, 4, 10, 0, 4, 1), ("note", 231, 100, 0, 0, -1, 2)])
    base.add(notes, [note(n, f"note {n}") for n in range(60)], protection="none")
    info = make.compression_info([None, b"Antonia"], [b"\x06ette", b"Smith"])
    people = base.table("people", [("id", 56, 4, 10, 0, 4, 1), ("first", 167, 50, 0, 0, -1, 2)])
    squeezed = [make.compressed([bytes((0x80 + n,)), b"\x06o" if n % 2 else 0]) for n in range(30)]
    base.add(people, squeezed, info=info, protection="none")
    return [base.bytes(), lob_file()[0], wide_file(80)]


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 2), st.booleans())
def test_no_damage_raises_or_makes_invalid_batches(noise, which, sealed):
    data = bytearray(samples()[which])
    for _ in range(noise.randrange(1, 30)):
        at = noise.randrange(len(data))
        data[at : at + noise.choice((1, 1, 2, 40))] = noise.randbytes(noise.choice((1, 2, 40)))
    if sealed:  # so that the damage is behind checksums that hold
        for start in range(0, len(data) - 8191, 8192):
            if data[start] == 1:
                page = bytearray(data[start : start + 8192])
                page[4:6] = bytes(2)
                data[start : start + 8192] = page
    data = data[: noise.choice((len(data), len(data) - noise.randrange(9000)))]
    for database in ENGINE.open([Source("a.mdf", BytesReader(bytes(data)))], Hints()):
        for table in database.tables:
            for found in database.rows(table):
                found.batch.validate(full=True)
            database.loss(table, 0)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=3000))
def test_no_bytes_raise(data):
    reader = BytesReader(data)
    ENGINE.recognise(reader)
    for database in ENGINE.open([Source("a", reader)], Hints()):
        everything(database)
    for block in blocks(reader):
        list(changes(block))


def log_block(records, sequence=30, parity=0x40):
    """Return a log block with ``records``."""
    body, offsets = bytearray(72), []
    for record in records:
        offsets.append(len(body))
        body += record + bytes(-len(record) % 4)
    end = len(body) + 2 * len(offsets)
    size = (end + 16 + 511) // 512 * 512
    out = bytearray(size)
    out[: len(body)] = body
    for number, offset in enumerate(offsets):
        struct.pack_into("<H", out, end - 2 - 2 * number, offset)
    struct.pack_into("<HHHHHIII", out, 2, len(offsets), end, size, 0, 0, sequence, 16, 1)
    for sector in range(size // 512):
        out[size - 1 - sector] = out[512 * sector]
        mark = parity | (0x10 if sector == 0 else 0) | (0x08 if sector == size // 512 - 1 else 0)
        out[512 * sector] = mark
    raw = bytes(out)
    struct.pack_into("<I", out, 24, block_checksum(np.frombuffer(raw, np.uint8)))
    return bytes(out)


def change(operation, rowset, page, slot, *parts, transaction=5, offset=0):
    head = bytearray(62)
    struct.pack_into("<H", head, 2, 62)
    struct.pack_into("<IHBB", head, 16, transaction, 0, operation, 2)
    struct.pack_into("<IHH", head, 24, page, 1, slot)
    struct.pack_into("<QHH", head, 48, rowset, offset, 0)
    out = bytes(head) + struct.pack(f"<H{len(parts)}H", len(parts), *map(len, parts))
    for part in parts:
        out += bytes(-len(out) % 4) + part
    return out


@pytest.mark.parametrize("parity", [0x40, 0x80])
def test_the_log_gives_the_last_state_of_rows_on_lost_pages(parity):
    base = make.Database()
    unit = base.table("wide", WIDE, key=("id",))
    base.add(unit, [wide_row(0)])
    lost = base.add(unit, [wide_row(n) for n in range(1, 5)])
    data = bytearray(base.bytes())
    data[lost * 8192 : (lost + 1) * 8192] = random.Random(5).randbytes(8192)
    rowset = 1 << 56 | unit << 16
    row = wide_row(1)
    records = [change(2, rowset, lost, n, wide_row(n)) for n in range(1, 5)]
    records.append(change(4, rowset, lost, 1, row[16:20], struct.pack("<i", 777), offset=16))
    records.append(change(3, rowset, lost, 2, wide_row(2)))
    records += [change(128, 0, 0, 0, transaction=9), change(2, rowset, lost, 7, wide_row(7), transaction=9)]
    log = bytes(8192) + log_block(records, parity=parity)
    found = rows(opened(("a.mdf", bytes(data)), ("a.ldf", log)), "wide", ("log",))
    assert [(row[0], row[3]) for row in found] == [(3, 9), (4, 12), (1, 777)]


def test_a_server_may_have_more_files_than_a_byte_counts():
    data = wide_file()
    copies = [(f"wide_{number}.mdf", data) for number in range(260)]
    assert len(rows(opened(*copies), "wide")) == 120
