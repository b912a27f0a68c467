"""A search that is stopped goes on where it was: no part of it is searched twice."""

import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest

from tests.fixtures.locked import picture
from tests.fixtures.program import UNRANSOM
from tests.lockers import drawn
from tests.lockers.prometheus import seal

LONGEST = 10.0  # seconds of work that may be lost
WAIT = 120.0  # seconds: machines of tests are slow


def searched(case):
    """Return the parts of the search over all seeds that are done, in the order they were."""
    with closing(sqlite3.connect(f"file:{case}/case.sqlite?mode=ro", uri=True)) as database:
        query = (
            "SELECT json_extract(body, '$.shard') FROM records WHERE type = 'Searched'"
            " AND json_extract(body, '$.attack') = 'seeds' ORDER BY id"
        )
        return [shard for (shard,) in database.execute(query)]


def start(tmp_path, budget):
    command = [UNRANSOM, "recover", tmp_path / "in", "--case", tmp_path / "case", "--budget", budget]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    )


def wait_for(tmp_path, count, process):
    """Wait until so many parts are done; return them."""
    until = time.monotonic() + WAIT
    while time.monotonic() < until:
        assert process.poll() is None, process.communicate()
        try:
            done = searched(tmp_path / "case")
        except sqlite3.OperationalError:  # not made yet
            done = []
        if len(done) >= count:
            return done
        time.sleep(0.2)
    raise AssertionError("nothing is searched")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_search_goes_on_where_it_was_stopped(tmp_path, how):
    (tmp_path / "in").mkdir()
    locked = seal(picture("sound"), drawn("a key that is no seed's", 32))
    (tmp_path / "in/a.png.PROM[x@mail.ch]").write_bytes(locked)
    first = start(tmp_path, "10m")
    before = wait_for(tmp_path, 3, first)
    os.killpg(first.pid, how)
    _, errors = first.communicate(timeout=LONGEST)
    if how is signal.SIGINT:
        assert first.returncode == 130
        assert "again" in errors
    stopped = searched(tmp_path / "case")
    assert stopped[: len(before)] == before
    second = start(tmp_path, "10m")
    after = wait_for(tmp_path, len(stopped) + 2, second)
    os.killpg(second.pid, signal.SIGINT)
    second.communicate(timeout=WAIT)
    assert after[: len(stopped)] == stopped
    assert len(set(after)) == len(after)
    assert sorted(after)[: len(stopped)] == list(range(1, len(stopped) + 1))
