"""Probes of made systems: HTTP, SQL of real servers, verdicts, comparison, time to recovery."""

import contextlib
import csv
import json
import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openpyxl
import pytest

from tests.restore.database_servers import MariaDB, PostgreSQL
from tests.restore.made_case import make_case, unransom
from unransom.core.errors import UsageError
from unransom.restore.cutover.asking import carry_out
from unransom.restore.cutover.probes import Probe, load_probes


class System(BaseHTTPRequestHandler):
    """A made OMS; ``answers`` has status and body by path, ``asked`` what was asked."""

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        status, body = self.server.answers.get(self.path, (404, b"{}"))
        if body is None:
            time.sleep(3)
            body = b""
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for piece in (body[at : at + 1] for at in range(len(body))) if "/drops" in self.path else [body]:
            with contextlib.suppress(OSError):
                self.wfile.write(piece)
                time.sleep(0.1 if "/drops" in self.path else 0)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def system():
    server = ThreadingHTTPServer(("127.0.0.1", 0), System)
    server.daemon_threads = True
    server.answers = {"/orders": (200, b'{"orders": [{"id": "1", "lines": [{}]}], "total": 3, "ok": true}')}
    server.asked = []
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def asked(folder, **about):
    before = about.pop("before", "")
    probe = Probe(system="OMS", name="it", **about)
    (answer,) = carry_out([probe], folder, {probe.id: before})
    return answer.grade.value, answer.value, str(answer.why)


def test_http_status_and_shape(system, tmp_path):
    url = system.url + "/orders"
    shape = {
        "orders": "list",
        "orders.0.id": "text",
        "orders.0.lines": "list",
        "total": "number",
        "ok": "bool",
    }
    assert asked(tmp_path, http=url, shape=shape)[:2] == ("good", "200")
    assert asked(tmp_path, http=url, values={"total": 3, "ok": True})[0] == "good"
    assert asked(tmp_path, http=url, values={"ok": 1})[0] == "bad"
    assert "no text" in asked(tmp_path, http=url, shape={"total": "text"})[2]
    assert "no orders.1" in asked(tmp_path, http=url, shape={"orders.1": "any"})[2]
    assert asked(tmp_path, http=system.url + "/gone")[1:] == ("404", "it answers with status 404")
    assert asked(tmp_path, http=system.url + "/gone", status=(404,))[0] == "good"
    system.answers["/orders"] = (200, b"<html>")
    assert "no JSON" in asked(tmp_path, http=url, shape=shape)[2]
    system.answers["/orders"] = (200, b"[" * 100_000)
    assert "no JSON" in asked(tmp_path, http=url, shape=shape)[2]


def test_a_probe_goes_nowhere_else(system, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert asked(tmp_path, http=system.url + "/orders")[0] == "good"
    system.answers["/moved"] = (302, b"")
    assert asked(tmp_path, http=system.url + "/moved")[1:] == ("302", "it answers with status 302")
    assert asked(tmp_path, http="http://127.0.0.1:9/")[0] == "bad"
    system.answers["/slow"] = (200, None)
    assert "does not answer" in asked(tmp_path, http=system.url + "/slow", seconds=0.3)[2]
    system.answers["/drops"] = (200, b" " * 20)
    assert "timed out" in asked(tmp_path, http=system.url + "/drops", seconds=0.5)[2]


def test_secrets_come_from_the_environment(system, tmp_path, monkeypatch):
    header = {"Authorization": "env:OMS_TOKEN"}
    assert asked(tmp_path, http=system.url + "/orders", headers=header)[0] == "unknown"
    monkeypatch.setenv("OMS_TOKEN", "Bearer 1")
    assert asked(tmp_path, http=system.url + "/orders", headers=header)[0] == "good"
    assert system.asked == [("/orders", "Bearer 1")]


def made(folder, rows=5, newest=timedelta(hours=1)):
    """Make a database of orders; return the name of the file that has its URL."""
    with sqlite3.connect(folder / "oms.sqlite") as database:
        database.execute("DROP TABLE IF EXISTS orders")
        database.execute("CREATE TABLE orders (id INTEGER, placed TEXT, total TEXT)")
        for number in range(rows):
            placed = datetime.now(UTC) - newest - timedelta(hours=number)
            database.execute(
                "INSERT INTO orders VALUES (?, ?, ?)", (number, f"{placed:%Y-%m-%d %H:%M:%S}", "9.90")
            )
    database.close()
    (folder / "oms.url").write_text(f"sqlite:///{folder}/oms.sqlite\n")
    return "oms.url"


def test_counts_newest_and_statements(tmp_path):
    url = made(tmp_path)
    assert asked(tmp_path, count="orders", database=url, at_least=5)[:2] == ("good", "5")
    assert asked(tmp_path, count="orders", database=url, at_least=6)[2] == "it is 5, less than 6"
    assert asked(tmp_path, count="orders", database=url, may_fall=False, before="6")[2] == (
        "it has fallen from 6 to 5"
    )
    assert asked(tmp_path, newest="orders.placed", database=url, at_most=7200)[0] == "good"
    assert asked(tmp_path, newest="orders.placed", database=url, at_most=1800)[0] == "bad"
    assert asked(tmp_path, newest="orders.total", database=url)[2].endswith("which is no time")
    statement = "SELECT min(total) FROM orders WHERE placed < '2999-01-01 00:00:00' AND total LIKE '9%'"
    assert asked(tmp_path, sql=statement, database=url, equals=9.9)[0] == "good"
    assert asked(tmp_path, sql="SELECT 'open'", database=url, equals="open")[0] == "good"
    assert asked(tmp_path, sql="SELECT 'open'", database=url, at_least=1)[0] == "bad"
    assert asked(tmp_path, sql="SELECT id FROM orders WHERE id > 99", database=url)[2] == "there is no row"
    assert asked(tmp_path, count="nothing", database=url)[0] == "bad"
    assert asked(tmp_path, count="orders", database="none.url")[0] == "unknown"
    assert asked(tmp_path, count="orders", database="env:NO_SUCH_URL")[0] == "unknown"
    assert asked(tmp_path, count='orders"; DROP TABLE orders; --', database=url)[0] == "bad"
    assert asked(tmp_path, sql="WITH x AS (SELECT 1) DELETE FROM orders", database=url)[0] == "bad"
    assert asked(tmp_path, count="orders", database=url, equals=5)[0] == "good"


@pytest.mark.parametrize("kind", [MariaDB, PostgreSQL], ids=["mariadb", "postgresql"])
def test_a_real_server_is_only_read(tmp_path, kind):
    server = kind()
    try:
        server.run(
            "CREATE TABLE orders (id INTEGER, placed TIMESTAMP)", "INSERT INTO orders VALUES (1, now())"
        )
        (tmp_path / "oms.url").write_text(server.url)
        about = {"database": "oms.url"}
        assert asked(tmp_path, count="orders", equals=1, **about)[0] == "good"
        assert asked(tmp_path, newest="orders.placed", at_most=600, at_least=-5, **about)[0] == "good"
        for writing in ("WITH x AS (SELECT 1) DELETE FROM orders", "SELECT nextval('s')"):
            assert asked(tmp_path, sql=writing, **about)[0] == "bad"
        if kind is PostgreSQL:
            writing = "WITH x AS (DELETE FROM orders RETURNING 1) SELECT * FROM x"
            assert "read-only" in asked(tmp_path, sql=writing, **about)[2]
        assert server.run("SELECT count(*) FROM orders")[0][0] == 1
    finally:
        server.close()
    (tmp_path / "oms.url").write_text("mysql://root@127.0.0.1:9/oms")
    assert asked(tmp_path, count="orders", **about)[0] == "bad"


@pytest.mark.parametrize(
    "text",
    [
        b"[[probe]]\nsystem='a'\nname='b'",
        b"[[probe]]\nsystem='a'\nname='b'\nhttp='http://x'\ncount='t'",
        b"[[probe]]\nsystem='a'\nname='b'\nhttp='file:///etc/passwd'",
        b"[[probe]]\nsystem='a'\nname='b'\nsql='DROP TABLE x'\ndatabase='u'",
        b"[[probe]]\nsystem='a'\nname='b'\nsql=' '\ndatabase='u'",
        b"[[probe]]\nsystem='a'\nname='b'\ncount='t'",
        b"[[probe]]\nsystem='a'\nname='b'\nnewest='t'\ndatabase='u'",
        b"[[probe]]\nsystem='a'\nname='b'\ncount='t'\ndatabase='mysql://u:p@h/d'",
        b"[[probe]]\nsystem='a'\nname='b'\nhttp='http://x'\nshape={a='texts'}",
        b"[[probe]]\nsystem='a'\nname='b'\nhttp='http://x'\n" * 2,
        b"deadline=2026-11-27T16:00:00\n[[probe]]\nsystem='a'\nname='b'\nhttp='http://x'",
        b"[[probe]]\ntypo=1",
        b"\xff",
    ],
)
def test_declarations_that_make_no_sense_are_told(text):
    with pytest.raises(UsageError):
        load_probes(text)


@pytest.mark.parametrize(
    ("down_since", "deadline", "why"),
    [
        ("2126-01-01T00:00:00Z", "", "down_since lies in the future"),
        ("2026-01-02T00:00:00+01:00", "2026-01-01T22:00:00Z", "the deadline is not behind down_since"),
    ],
)
def test_times_that_cannot_be_are_refused(system, tmp_path, down_since, deadline, why):
    case = make_case(tmp_path / "case", {b"a.php": b"a"})
    (tmp_path / "probes.toml").write_text(
        f"down_since = {down_since}\n"
        + (f"deadline = {deadline}\n" if deadline else "")
        + f'[[probe]]\nsystem = "OMS"\nname = "orders"\nhttp = "{system.url}/orders"\n'
    )
    about = ("--case", case, "--probes", tmp_path / "probes.toml")
    for command in ("check", "show"):
        assert why in unransom("cutover", command, *about, code=2)
    assert not system.asked
    assert not (case / "cutover").exists()


def test_runs_are_kept_compared_and_timed(system, tmp_path):
    case = make_case(tmp_path / "case", {b"a.php": b"a"})
    database = made(tmp_path)
    now = datetime.now(UTC)
    (tmp_path / "probes.toml").write_text(
        f"down_since = {now - timedelta(hours=10):%Y-%m-%dT%H:%M:%SZ}\n"
        f"deadline = {now + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}\n"
        f'[[probe]]\nsystem = "OMS"\nname = "orders"\nhttp = "{system.url}/orders"\n'
        f'[[probe]]\nsystem = "OMS"\nname = "rows"\ncount = "orders"\nmay_fall = false\n'
        f'database = "{database}"\n'
        f'[[probe]]\nsystem = "WMS"\nname = "tasks"\nhttp = "{system.url}/=tasks"\n'
    )
    about = ("--case", case, "--probes", tmp_path / "probes.toml")
    first = unransom("cutover", "check", *about, "--label", "before batch 1", code=14)
    assert "WMS: not up after 10.0 h, 2.0 h before the deadline" in first
    assert "OMS: up since" in first
    system.answers["/=tasks"] = (200, b"{}")
    made(tmp_path, rows=4)
    second = unransom("cutover", "check", *about, "--label", "=after", code=14)
    assert "WMS: tasks was bad, is good" in second
    assert "it has fallen from 5 to 4" in second
    made(tmp_path, rows=7)
    third = json.loads(unransom("cutover", "check", *about, "--json", "--progress", "none"))
    assert {each["system"]: each["grade"] for each in third["systems"]} == {"OMS": "good", "WMS": "good"}
    assert all(9.9 < each["hours"] < 10.2 and 1.8 < each["hours_left"] < 2.1 for each in third["systems"])
    shown = unransom("cutover", "show", *about)
    assert "before batch 1: 2 of 3 good" in shown
    unransom("case", "verify", case)
    acts = [json.loads(line) for line in (case / "chain.jsonl").read_text().splitlines()]
    assert [act["facts"]["run"] for act in acts if act["act"] == "cutover checked"] == [1, 2, 3]
    for language, heading in (("en", "run"), ("zh", "次序")):
        out = tmp_path / language
        unransom("cutover", "show", *about, "--out", out, "--lang", language)
        rows = list(csv.reader((out / "probes.csv").read_text(encoding="utf-8").splitlines()))
        assert (rows[0][0], len(rows)) == (heading, 10)
        assert not [cell for row in rows[1:] for cell in row if cell[:1] in {"=", "+", "@"}]
        book = openpyxl.load_workbook(out / "cutover.xlsx")
        assert "f" not in {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}


def test_a_batch_is_probed_before_and_after(system, tmp_path):
    case = make_case(tmp_path / "case", {b"a.php": b"a"})
    (tmp_path / "share").mkdir()
    probes = tmp_path / "probes.toml"
    probes.write_text(f'[[probe]]\nsystem = "OMS"\nname = "orders"\nhttp = "{system.url}/orders"\n')
    unransom("restore", "plan", "--case", case, "--to", tmp_path / "share")
    printed = unransom("restore", "apply", "--case", case, "--probes", probes)
    assert printed.index("before-batch-1") < printed.index("after-batch-1")
    unransom("restore", "undo", "--case", case)
    system.answers = {}
    unransom("restore", "apply", "--case", case, "--probes", probes, code=14)
