"""`unransom repair` as a stranger calls it."""

import json
import sqlite3
import subprocess

from tests.catalog.formats.repair.damage import holes, locked
from tests.catalog.formats.repair.test_repair_sqlite import made
from tests.catalog.formats.repair.test_repair_text import table
from tests.fixtures.program import UNRANSOM
from unransom.core.spans import Span


def repair(*arguments, code=0):
    command = [UNRANSOM, "repair", *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == code, run.stdout + run.stderr
    return run.stdout


def test_a_folder_is_repaired_file_by_file(tmp_path):
    source = tmp_path / "in"
    (source / "sub").mkdir(parents=True)
    database = made(tmp_path / "a.db")
    (source / "shop.db").write_bytes(locked(database, holes(len(database), "odd")))
    (source / "sub/list.csv").write_bytes(locked(table(), [Span(0, 65536)]))
    (source / "sound.db").write_bytes(database)
    (source / "noise.bin").write_bytes(locked(bytes(9000), [Span(0, 9000)]))
    before = {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    out = tmp_path / "out"
    rows = {row["file"]: row for row in json.loads(repair(source, "--out", out, "--json", code=3))["files"]}
    assert {name: row["state"] for name, row in rows.items()} == {
        "shop.db": "partial",
        "sub/list.csv": "partial",
        "sound.db": "sound",
        "noise.bin": "failed",
    }
    assert {path for path in source.rglob("*") if path.is_file()} == set(before)
    assert all(path.read_bytes() == data for path, data in before.items())
    assert sorted(path.name for path in out.rglob("*") if path.is_file()) == ["list.csv", "shop.db"]
    shop = rows["shop.db"]
    assert shop["verdict"] == "partial"
    assert shop["map"][-1][1] == shop["size"] == (out / "shop.db").stat().st_size
    assert shop["lost"]
    connection = sqlite3.connect(out / "shop.db")
    assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    (count,) = connection.execute("select count(*) from orders").fetchone()
    connection.close()
    assert shop["counts"]["rows of orders"]["left"] == count > 1000
    again = {path: path.stat().st_ino for path in out.rglob("*") if path.is_file()}
    repair(source, "--out", out, code=3)
    assert {path: path.stat().st_ino for path in out.rglob("*") if path.is_file()} == again


def test_a_byte_map_says_what_is_lost(tmp_path):
    data = table()
    file, lost = tmp_path / "list.csv", tmp_path / "lost.json"
    file.write_bytes(data.replace(b"\r\n40,", b"\r\n41,"))
    lost.write_text('[[0, 100, "plain"], [100, 300, "lost"]]')
    shown = repair(file, "--map", lost, "--out", tmp_path / "out")
    assert "list.csv" in shown
    kept = (tmp_path / "out/list.csv").read_bytes()
    assert kept.startswith(data[: data.rfind(b"\n", 0, 100) + 1])
    assert kept.endswith(data[-1000:])
    assert len(data) - 400 < len(kept) < len(data) - 199


def test_what_is_no_byte_map_is_said(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("a,b\n")
    assert repair(file, "--map", file, "--out", tmp_path / "out", code=2) == ""
    assert repair(tmp_path, "--map", file, "--out", tmp_path / "out", code=2) == ""
