"""``unransom timeline``: file systems, journals and cases as one stream for Timesketch and mactime."""

import json
import os
import subprocess
import sys
from datetime import datetime

import pytest

from tests.fixtures.in_process import InProcess
from tests.fixtures.locked import lock_inc, picture, result_of, write
from tests.fixtures.tools import tool
from tests.makers.journals import journal, record
from unransom.core.streams import chunks
from unransom.evidence import identify, open_store
from unransom.evidence.filesystems import changes
from unransom.run.recover import Job, recover

BEGAN = 1_772_405_647  # 2026-03-01T22:54:07Z


def command(*arguments, expect=0):
    done = subprocess.run(
        [sys.executable, "-m", "unransom", *map(str, arguments)],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def attacked(tmp_path):
    """Two hosts: the shop is locked one file a second, the office ten seconds later."""
    for host, begin in (("shop", BEGAN), ("office", BEGAN + 10)):
        files = {
            f"{folder}/{number}.png".encode(): picture(f"{folder}{number}")
            for folder in "ba"
            for number in range(4)
        }
        write(tmp_path / host, {path + b".INC": lock_inc(data, path) for path, data in files.items()})
        for number, path in enumerate(files):
            os.utime(tmp_path / host / f"{path.decode()}.INC", (begin + number, begin + number))
    moved = record("0.png", (BEGAN - 5) * 10**9, 0x1000) + record(
        "0.png.INC", (BEGAN - 5) * 10**9 + 100, 0x2000
    )
    (tmp_path / "shop/$J").write_bytes(journal([moved]))
    return tmp_path


def test_events_come_in_order_with_what_timesketch_needs(attacked):
    rows = [
        json.loads(line) for line in command("timeline", attacked / "shop", attacked / "office").splitlines()
    ]
    assert {"message", "datetime", "timestamp_desc", "hostname"} <= set(rows[0])
    times = [datetime.fromisoformat(row["datetime"]) for row in rows]
    assert times == sorted(times)
    assert all(time.utcoffset().total_seconds() == 0 for time in times)
    told = [row["message"] for row in rows if row["timestamp_desc"] == "usn journal"]
    assert told == ["0.png: renamed from (record 64 in 5)", "0.png.INC: renamed to (record 64 in 5)"]
    written = [
        row
        for row in rows
        if row["timestamp_desc"] == "folder mtime" and row["timestamp"] < (BEGAN + 60) * 10**6
    ]
    assert [row["timestamp"] for row in written] == sorted(row["timestamp"] for row in written)
    assert len(written) == 16


def test_only_a_stretch_is_shown_and_a_file_written(attacked, tmp_path):
    options = ("--since", "2026-03-01T22:54:09Z", "--until", "2026-03-01 22:54:10", "--format", "bodyfile")
    command("timeline", attacked / "shop", *options, "--out", tmp_path / "out.body")
    lines = (tmp_path / "out.body").read_text().splitlines()
    assert len(lines) == 2
    fields = lines[0].split("|")
    assert len(fields) == 11
    assert (fields[1], fields[8]) == ("shop/b/2.png.INC", str(BEGAN + 2))
    assert int(fields[6]) == (attacked / "shop/b/2.png.INC").stat().st_size
    command("timeline", attacked / "shop", "--since", "yesterday", expect=2)
    command("timeline", expect=2)


def test_a_case_tells_what_was_locked_when_and_how_fast(attacked, tmp_path):
    case = tmp_path / "case"
    recover(Job((str(attacked / "office"), str(attacked / "shop")), case, budget=0), InProcess())
    found = {each["source"]: each for each in result_of(case)["timelines"]}
    assert {name: each["order"] for name, each in found.items()} == {"shop": 1, "office": 2}
    assert found["shop"]["first"] == "2026-03-01T22:54:07Z"
    assert found["shop"]["folders"] == ["b", "a"]
    assert found["shop"]["files_per_second"] == pytest.approx(8 / 7, abs=0.01)
    rows = [json.loads(line) for line in command("timeline", "--case", case).splitlines()]
    locked = [row for row in rows if "locked by inc" in row["message"].lower()]
    assert len(locked) == 16
    assert any(row["timestamp_desc"] == "unransom chain" for row in rows)
    assert any(row["timestamp_desc"] == "usn journal" for row in rows)


def test_mactime_reads_the_bodyfile(attacked, tmp_path):
    command("timeline", attacked / "shop", "--format", "bodyfile", "--out", tmp_path / "body")
    read = [tool("mactime", "sleuthkit"), "-b", tmp_path / "body", "-d", "-y"]
    done = subprocess.run(read, check=True, capture_output=True, text=True)
    assert "2026-03-01T22:54:07Z" in done.stdout


def test_the_journal_of_a_volume_is_found_and_read(ntfs_image, monkeypatch):
    data = journal([record("a.txt", BEGAN * 10**9, 0x100)], hole=8192)
    image = ntfs_image({b"Extend/UsnJrnl": b""}, streams={(b"Extend/UsnJrnl", "$J"): data})
    monkeypatch.setattr(changes, "PATH", "Extend/UsnJrnl")  # where only Windows makes one
    store = open_store(identify(str(image)))
    (found,) = store.journals()
    with store.open(found) as reader:
        assert b"".join(chunks(reader)) == data
    assert found.stream == "$J"
    store.close()
