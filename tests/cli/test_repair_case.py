"""`unransom repair --case`: what a case has in part, or only locked, is rebuilt, told and shown."""

import gzip
import io
import json
import random
import sqlite3
import subprocess
from pathlib import Path

from PIL import Image

from tests.catalog.formats.repair.damage import KIB64, holes, locked
from tests.catalog.formats.repair.test_repair_document import DATA as DOCUMENT
from tests.catalog.formats.repair.test_repair_sqlite import rows_of
from tests.catalog.formats.repair.test_repair_sqlite_logs import in_wal
from tests.catalog.formats.repair.test_repair_text import table
from tests.fixtures.locked import INC_PRIVATE, lock_inc
from tests.fixtures.program import UNRANSOM
from unransom.core.spans import Span


def run(*arguments, code=0):
    command = [UNRANSOM, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def picture():
    out = io.BytesIO()
    Image.frombytes("RGB", (400, 300), random.Random(3).randbytes(360_000)).save(out, "PNG")
    return out.getvalue()


def test_a_case_is_repaired_once_and_shown(tmp_path):
    source, case = tmp_path / "in", tmp_path / "case"
    source.mkdir()
    image = picture()
    (source / "a.png").write_bytes(locked(image, [Span(131072, 196608)]))
    (source / "orders.csv").write_bytes(locked(table(), [Span(0, 65536)]))
    before = {path: path.read_bytes() for path in source.iterdir()}
    run("recover", source, "--case", case, "--workers", "1", "--budget", "0s", "--no-repair", code=13)
    rows = json.loads(run("repair", "--case", case, "--json"))["files"]
    assert {Path(row["file"]).name: row["state"] for row in rows} == {
        "a.png": "partial",
        "orders.csv": "partial",
    }
    for row in rows:
        assert (case / row["output"]).stat().st_size == row["size"]
        assert "repaired/" in row["output"]
        assert row["missing"]
    assert {path: path.read_bytes() for path in source.iterdir()} == before
    result = json.loads((case / "result.json").read_bytes())
    told = {Path(each["path"]).name: each for each in result["repaired_files"]}
    assert told["a.png"]["preview"].startswith("data:image/jpeg;base64,")
    assert told["a.png"]["left"]["rows"] < told["a.png"]["total"]["rows"]
    page = (case / "report.html").read_text()
    assert told["a.png"]["preview"] in page
    assert "rebuilt" in page
    assert json.loads(run("repair", "--case", case, "--json"))["files"] == []
    assert "repair" in (case / "chain.jsonl").read_text()
    run("case", "verify", case)
    database = sqlite3.connect(case / "case.sqlite")
    (count,) = database.execute("SELECT count(*) FROM records WHERE type = 'Mended'").fetchone()
    database.close()
    assert count == 2


def test_files_or_a_case_are_named(tmp_path):
    run("repair", code=2)
    run("repair", tmp_path, code=2)
    run("repair", tmp_path, "--out", tmp_path / "a", "--case", tmp_path / "b", code=2)


def test_recover_repairs_what_came_back_in_part_and_goes_on_where_it_stopped(tmp_path):
    source, case = tmp_path / "in", tmp_path / "case"
    source.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        (source / name).write_bytes(locked(picture(), [Span(131072, 196608)]))
    (source / "lost.png").write_bytes(locked(picture(), [Span(0, 10**7)]))
    again = ("recover", source, "--case", case, "--workers", "2", "--budget", "0s")
    run(*again, code=13)
    repaired = sorted(path.name for path in (case / "recovered" / "repaired").rglob("*.png"))
    assert repaired == ["a.png", "b.png", "c.png"]
    database = sqlite3.connect(case / "case.sqlite")
    stored = "SELECT count(*), sum(item) FROM records WHERE type = 'Mended'"
    assert database.execute(stored).fetchone() == (3, 0)  # no file's own entry is touched
    states = dict(database.execute("SELECT path, state FROM files"))
    assert len(states) == 4
    assert "recovered" not in states.values()
    # A run that was killed before the last of them was stored does that one only.
    last = "SELECT max(item) FROM journal WHERE step = 'repair'"
    database.execute(f"DELETE FROM journal WHERE step = 'repair' AND item = ({last})")
    database.commit()
    run(*again, code=13)
    assert database.execute(stored).fetchone()[0] == 4
    database.close()
    result = json.loads((case / "result.json").read_bytes())
    assert {Path(each["path"]).name for each in result["repaired_files"]} == set(repaired)


def repaired_in(case):
    return json.loads((case / "result.json").read_bytes())["repaired_files"]


def test_texts_beside_a_rebuilt_file_are_in_the_chain(tmp_path):
    source, case = tmp_path / "in", tmp_path / "case"
    source.mkdir()
    (source / "a.docx").write_bytes(locked(DOCUMENT, holes(len(DOCUMENT), "odd")))
    run("recover", source, "--case", case, "--workers", "1", "--budget", "0s", code=13)
    beside = sorted(path.name for path in (case / "recovered" / "repaired").rglob("*.txt"))
    assert "a.docx.txt" in beside
    run("case", "verify", case)
    (case / "recovered" / "repaired" / "in" / "a.docx.txt").write_bytes(b"other")
    run("case", "verify", case, code=14)


def test_a_damaged_file_that_no_locker_touched_is_repaired_in_its_case(tmp_path):
    source, case = tmp_path / "in", tmp_path / "case"
    source.mkdir()
    chance = random.Random(5)
    rows = b"".join(b"%d,lamp,%d\n" % (number, chance.randrange(10**6)) for number in range(40_000))
    data = bytearray(gzip.compress(rows, mtime=0))
    assert len(data) > 2 * KIB64
    data[KIB64 : KIB64 + 4096] = bytes(4096)
    (source / "orders.csv.gz").write_bytes(data)
    run("recover", source, "--case", case, "--workers", "1", "--budget", "0s")
    [told] = repaired_in(case)
    head = gzip.decompress((case / told["path"]).read_bytes())
    assert len(head) > KIB64
    assert rows.startswith(head)


def test_what_a_key_opens_later_takes_the_place_of_what_was_rebuilt(tmp_path):
    source, case, key = tmp_path / "in", tmp_path / "case", tmp_path / "private.key"
    source.mkdir()
    key.write_bytes(INC_PRIVATE)
    rows = "".join(f"{number},lamp {number * 7919 % 1013},{number * 31}\n" for number in range(170_000))
    plain = b"number,article,cents\n" + rows.encode()
    (source / "orders.csv.INC").write_bytes(lock_inc(plain, b"orders.csv"))
    (source / "other.csv").write_bytes(locked(table(), [Span(0, KIB64)]))
    run("recover", source, "--case", case, "--workers", "1", "--budget", "0s", code=13)
    before = {Path(each["path"]).name: each for each in repaired_in(case)}
    assert set(before) == {"orders.csv", "other.csv"}
    assert {each["instead"] for each in before.values()} == {""}
    lines = (case / before["orders.csv"]["path"]).read_bytes().splitlines()
    assert set(lines) < set(plain.splitlines())
    run("recover", source, "--case", case, "--key", key, "--workers", "1", "--budget", "0s", code=3)
    after = repaired_in(case)
    assert [Path(each["path"]).name for each in after] == ["other.csv", "orders.csv"]
    whole = after[1]["instead"]
    assert after[0]["instead"] == ""
    assert (case / whole).read_bytes() == plain
    assert (case / after[1]["path"]).read_bytes().splitlines() == lines  # nothing is deleted
    assert f"<code>{whole}</code>" in (case / "report.html").read_text()
    run("case", "verify", case)
    database = sqlite3.connect(case / "case.sqlite")
    waiting = (
        "SELECT count(*) FROM journal JOIN files ON item = files.id WHERE step = 'repair' AND output NOTNULL"
    )
    assert database.execute(waiting).fetchone() == (0,)
    database.close()


def test_the_log_beside_a_database_fills_it(tmp_path):
    """By name, in a folder and in a case, also under the names that a locker gives."""
    source, made = tmp_path / "in", tmp_path / "made"
    source.mkdir()
    made.mkdir()
    data, log, truth = in_wal(made / "shop.db")
    harmed = locked(data, [Span(KIB64, len(data))])
    (source / "shop.db.locked").write_bytes(harmed)
    (source / "shop.db-wal").write_bytes(log)
    out, case = tmp_path / "out", tmp_path / "case"
    run("repair", source / "shop.db.locked", "--out", out)
    newer = {row for row in truth if row[2] >= 1000}
    assert newer <= rows_of(out / "shop.db.locked", "orders") <= truth
    run("recover", source, "--case", case, "--workers", "1", "--budget", "0s", "--no-repair", code=13)
    rows = json.loads(run("repair", "--case", case, "--json"))["files"]
    assert len(rows) == 1
    assert newer <= rows_of(case / rows[0]["output"], "orders") <= truth


def test_recover_rebuilds_a_database_of_which_only_the_log_is_left(tmp_path):
    source, case, made = tmp_path / "in", tmp_path / "case", tmp_path / "made"
    source.mkdir()
    made.mkdir()
    data, log, truth = in_wal(made / "shop.db")
    (source / "shop.db.locked").write_bytes(locked(data, [Span(0, len(data))]))
    (source / "shop.db-wal").write_bytes(log)
    run("recover", source, "--case", case, "--workers", "1", "--budget", "0s", code=13)
    (rebuilt,) = [path for path in case.rglob("shop.db*") if path.read_bytes().startswith(b"SQLite format 3")]
    assert {row for row in truth if row[2] >= 1000} <= rows_of(rebuilt, "orders") <= truth
