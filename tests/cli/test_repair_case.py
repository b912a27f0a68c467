"""`unransom repair --case`: what a case has in part, or only locked, is rebuilt, told and shown."""

import io
import json
import random
import sqlite3
import subprocess
from pathlib import Path

from PIL import Image

from tests.catalog.formats.repair.damage import locked
from tests.catalog.formats.repair.test_repair_text import table
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
