"""The same job on a dask cluster, also when workers die in the middle."""

import subprocess
import time

from tests.fixtures.locked import expected, recovered, result_of
from tests.fixtures.program import UNRANSOM


def start(locked, case, address):
    command = [UNRANSOM, "recover", locked.folder, "--case", case, "--key", locked.key, "--cluster", address]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def check(process, locked, case):
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, out + errors
    assert recovered(case) == expected(locked.originals)
    assert result_of(case)["counts"]["in"] == len(locked.originals) + len(locked.intact)


def test_a_cluster_gives_the_same_result(locked_folder, cluster, tmp_path):
    check(start(locked_folder, tmp_path / "case", cluster.address), locked_folder, tmp_path / "case")


def test_a_worker_that_is_killed_in_the_middle_changes_nothing(locked_folder, cluster, tmp_path):
    process = start(locked_folder, tmp_path / "case", cluster.address)
    while process.poll() is None and not (tmp_path / "case/chain.jsonl").exists():
        time.sleep(0.01)
    time.sleep(0.5)
    cluster.workers[0].kill()
    cluster.add_worker()
    check(process, locked_folder, tmp_path / "case")


def test_no_scheduler_is_a_clear_error(locked_folder, tmp_path):
    process = start(locked_folder, tmp_path / "case", "tcp://127.0.0.1:9")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "no scheduler answers" in errors
