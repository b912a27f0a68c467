"""The main job on databases that no key opens: their rows come back, and the count still adds up."""

import random
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.catalog.databases.innodb.made_tablespace import CREATE, SIZE, tablespace
from tests.catalog.databases.mssql.test_mssql_sources import wide_file
from tests.fixtures.locked import INC_PRIVATE, lock_inc, result_of
from tests.fixtures.program import UNRANSOM
from tests.recover.databases.test_databases_mysql_keys import MASTER, NAME, keyring, sealed

COUNT = 2000


def unransom(*arguments, code=None):
    ran = subprocess.run([UNRANSOM, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert code is None or ran.returncode == code, ran.stdout + ran.stderr
    return ran


def random_at(data: bytes, *places: tuple[int, int]) -> bytes:
    noise, out = random.Random(5), bytearray(data)
    for start, length in places:
        out[start : start + length] = noise.randbytes(length)
    return bytes(out)


def states(case: Path) -> dict[str, tuple]:
    with closing(sqlite3.connect(case / "case.sqlite")) as base:
        rows = base.execute("SELECT path, state, method, output FROM files").fetchall()
    return {
        path.decode(): (state, method, output and output.decode()) for path, state, method, output in rows
    }


def count(case: Path, output: str, table: str) -> int:
    with closing(sqlite3.connect(case / output)) as base:
        return base.execute(f'select count(*) from "{table}"').fetchone()[0]


@pytest.fixture
def company(tmp_path):
    """A server's folder: a tablespace and a data file without their heads, one whole, and a definition."""
    folder = tmp_path / "server"
    (folder / "shop").mkdir(parents=True)
    (folder / "sql").mkdir()
    data = tablespace(COUNT)
    (folder / "shop" / "made.ibd.xyz").write_bytes(random_at(data, (0, 5 * SIZE), (16 * SIZE, 2 * SIZE)))
    (folder / "shop" / "whole.ibd").write_bytes(data)
    (folder / "shop" / "tables.sql").write_text(CREATE + ";\n")
    (folder / "sql" / "shop.mdf.xyz").write_bytes(random_at(wide_file(1200), (0, 65536)))
    (folder / "notes.bak").write_text("remember the milk\n" * 500)
    return folder


def test_rows_of_damaged_databases_are_outputs_and_counted(company, tmp_path):
    case = tmp_path / "case"
    unransom("recover", company, "--case", case, "--budget", 0)
    found = states(case)
    state, method, output = found["shop/made.ibd.xyz"]
    assert (state, method) == ("partial", "databases")
    assert output == "recovered/server/shop/made.ibd.rows.sqlite"
    assert COUNT - 4 * 90 <= count(case, output, "made") < COUNT
    assert "INSERT INTO" in (case / output).with_suffix(".sql").read_text(encoding="utf-8")
    state, method, output = found["sql/shop.mdf.xyz"]
    assert (state, method) == ("partial", "databases")
    assert count(case, output, "wide") == 1200
    assert found["shop/whole.ibd"] == ("intact", None, None)
    assert found["notes.bak"][0] == "intact"
    document = result_of(case)
    counts = document["counts"]
    assert counts["partial"] == 2
    assert counts["in"] == sum(number for name, number in counts.items() if name != "in") == 5
    assert sum(note["kind"] == "rows" for note in document["notes"]) == 2
    assert not list((case / "scratch").iterdir())
    unransom("case", "verify", case, code=0)


def test_a_second_run_does_nothing_again_and_a_key_that_comes_later_counts(company, tmp_path):
    case = tmp_path / "case"
    plain = wide_file(8000)
    (company / "sql" / "sold.mdf.INC").write_bytes(lock_inc(plain, b"sql/sold.mdf"))
    key = tmp_path / "inc.key"
    key.write_bytes(INC_PRIVATE)
    unransom("recover", company, "--case", case, "--budget", 0)
    before, seen = states(case), sorted((case / "recovered").rglob("*"))
    assert before["sql/sold.mdf.INC"][:2] == ("partial", "databases")
    unransom("recover", company, "--case", case, "--budget", 0)
    assert states(case) == before
    assert sorted((case / "recovered").rglob("*")) == seen
    unransom("recover", company, "--case", case, "--budget", 0, "--key", key)
    after = states(case)
    assert after.pop("sql/sold.mdf.INC")[1:] == ("unlock", "recovered/server/sql/sold.mdf")
    assert (case / "recovered/server/sql/sold.mdf").read_bytes() == plain
    del before["sql/sold.mdf.INC"]
    assert after == before


def test_a_table_that_the_server_encrypted_asks_for_its_key_and_takes_it(tmp_path):
    folder, case = tmp_path / "server", tmp_path / "case"
    folder.mkdir()
    data = sealed(tablespace(COUNT, full_crc32=False))
    (folder / "made.ibd").write_bytes(random_at(data, (16 * SIZE, 2 * SIZE)))
    (folder / "tables.sql").write_text(CREATE + ";\n")
    unransom("recover", folder, "--case", case, "--budget", 0)
    told = [note["what"] for note in result_of(case)["notes"] if note["kind"] == "database"]
    assert len(told) == 1
    assert "--server-key" in str(told)
    (tmp_path / "keyring").write_bytes(keyring((NAME, MASTER)))
    unransom("recover", folder, "--case", case, "--budget", 0, "--server-key", tmp_path / "keyring")
    state, method, output = states(case)["made.ibd"]
    assert (state, method) == ("partial", "databases")
    assert COUNT - 2 * 90 <= count(case, output, "made") < COUNT
    everything = b"".join(path.read_bytes() for path in case.rglob("*") if path.is_file())
    assert MASTER not in everything
    assert MASTER.hex().encode() not in everything
