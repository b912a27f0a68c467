"""Repaired data files: their checksums hold, they have every row that was sure, and books that fit."""

import random

import numpy as np
import pytest

from tests.catalog.databases.mssql import mdf_maker as make
from tests.catalog.databases.mssql.reading import everything, opened, rows
from tests.catalog.databases.mssql.test_mssql_damage import COUNTS, DAMAGE, REAL, STEP, damaged, real
from tests.catalog.databases.mssql.test_mssql_sources import WIDE, wide_row
from tests.recover.databases.test_databases_step import command
from unransom.catalog.databases.engine import Repair
from unransom.catalog.databases.mssql import ENGINE
from unransom.catalog.databases.mssql.repair import _binding_of
from unransom.catalog.formats import mssql
from unransom.core.records import Grade
from unransom.core.streams import BytesReader

PAGE = 8192
LOCKED = DAMAGE | {
    "head": lambda data: damaged(data, [(0, STEP)]),
    "stripes": lambda data: damaged(data, [(at, at + 128) for at in range(0, len(data), 131072)]),
}


def repaired(database):
    (made,) = ENGINE.repair(database)
    assert isinstance(made, Repair)
    out = bytearray(made.size)
    for number, page in made.pages:
        assert len(page) == PAGE
        out[number * PAGE : (number + 1) * PAGE] = page
    return bytes(out)


def values(database, states):
    return sorted(repr([value for _, value in row[1:]]) for row in everything(database, states))


@pytest.mark.shared_data
@pytest.mark.parametrize("how", LOCKED)
@pytest.mark.parametrize("name", COUNTS)
def test_real_files_are_whole_again_and_have_every_sure_row(name, how):
    data = real(f"{name}.mdf")
    logs = [(log.name, log.read_bytes()) for log in sorted(REAL.glob(f"{name}*.ldf"))]
    database = opened((f"{name}.mdf", LOCKED[how](data)), *logs)
    out = repaired(database)
    assert len(out) == len(data)
    assert mssql.validate(BytesReader(out)).grade is Grade.GOOD
    after = opened((f"{name}.mdf", out), *logs)
    assert values(after, ("live",)) == values(database, ("live", "salvaged"))


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["itsligo_northwnd", "vanasp_Movies"])
def test_the_books_are_those_that_the_server_kept(name):
    data = real(f"{name}.mdf")
    out = repaired(opened((f"{name}.mdf", damaged(data, [(0, STEP)]))))
    count = len(data) // PAGE
    theirs, ours = (np.frombuffer(file, np.uint8)[PAGE + 100 :][:count] for file in (data, out))
    assert not (theirs & 0x40 & ~ours).any()  # every page in use is
    assert ((theirs ^ ours) & 0x40 > 0).mean() < 0.04  # and few that were freed
    extents = slice(2 * PAGE + 194, 2 * PAGE + 194 + count // 64)
    assert data[extents] == out[extents]
    header = out.index(name.encode("utf-16-le"), 0, PAGE)
    assert header > 0
    sizes = [file.index(count.to_bytes(4, "little"), 0, PAGE) for file in (data, out)]
    assert all(sizes)
    boot = slice(9 * PAGE + 100 + 512, 9 * PAGE + 100 + 518)
    assert data[boot] == out[boot]  # where the catalogue begins


@pytest.mark.shared_data
def test_the_log_names_the_database():
    for log in REAL.glob("*.ldf"):
        assert len(_binding_of(BytesReader(log.read_bytes()))) == 16
    data = real("itsligo_northwnd.mdf")
    log = ("itsligo_northwnd.ldf", real("itsligo_northwnd.ldf"))
    out = repaired(opened(("itsligo_northwnd.mdf", damaged(data, [(0, STEP)])), log))
    binding = _binding_of(BytesReader(log[1]))
    assert binding in data[:PAGE]
    assert binding in out[:PAGE]


def linked_file():
    """Return a file with one table of twelve pages in a chain."""
    base = make.Database()
    unit = base.table("wide", WIDE, key=("id",))
    for number in range(12):
        base.add(unit, [wide_row(number * 40 + row) for row in range(40)])
    data = bytearray(base.bytes())
    for number in range(40, 52):
        page = data[number * PAGE : (number + 1) * PAGE]
        page[8:14] = (number - 1 if number > 40 else 0).to_bytes(4, "little") + bytes((number > 40, 0))
        page[16:22] = (number + 1 if number < 51 else 0).to_bytes(4, "little") + bytes((number < 51, 0))
        page[60:64] = bytes(4)
        data[number * PAGE : (number + 1) * PAGE] = make.seal(page, "checksum")
    return bytes(data)


def test_lost_and_torn_pages_stay_in_their_chain():
    whole, noise = linked_file(), random.Random(3)
    data = bytearray(whole)
    data[42 * PAGE : 43 * PAGE] = noise.randbytes(PAGE)  # lost
    data[45 * PAGE : 45 * PAGE + 128] = noise.randbytes(128)  # its header
    data[47 * PAGE + 1000 : 47 * PAGE + 1200] = noise.randbytes(200)  # some rows
    out = repaired(opened(bytes(data)))
    for number in range(40, 52):
        assert out[number * PAGE + 8 : number * PAGE + 22] == whole[number * PAGE + 8 : number * PAGE + 22]
        assert out[number * PAGE + 24 : number * PAGE + 28] == whole[number * PAGE + 24 : number * PAGE + 28]
    found = [row[0] for row in rows(opened(out), "wide")]
    lost = set(range(480)) - set(found)
    assert found == sorted(found)
    assert set(range(80, 120)) <= lost
    assert 200 in lost
    assert len(lost) <= 40 + 1 + 8
    assert set(rows(opened(out), "wide")) <= set(rows(opened(whole), "wide"))


def test_two_damaged_copies_make_one_repaired_file():
    whole, noise = linked_file(), random.Random(4)
    first, second = bytearray(whole), bytearray(whole)
    first[: 44 * PAGE] = noise.randbytes(44 * PAGE)
    second[48 * PAGE :] = noise.randbytes(len(whole) - 48 * PAGE)
    out = repaired(opened(("a.mdf", bytes(first)), ("a.bak", bytes(second))))
    for at in range(0, len(whole), PAGE):
        assert out[at : at + PAGE] == whole[at : at + PAGE] or not any(whole[at : at + PAGE])


def test_the_command_writes_it_and_says_that_it_is_untested(tmp_path):
    data = bytearray(linked_file())
    data[:PAGE] = random.Random(5).randbytes(PAGE)
    (tmp_path / "shop.mdf").write_bytes(data)
    said = command(tmp_path, "--repair", source="shop.mdf", code=3)
    assert "untested on a server" in said
    folder = tmp_path / "out" / "repaired"
    assert len(rows(opened((folder / "shop.mdf").read_bytes()), "wide")) == 480
    assert "ATTACH_REBUILD_LOG" in (folder / "shop.attach.sql").read_text()
    assert not list(folder.glob(".unransom-*"))
