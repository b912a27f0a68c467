"""kill -9, Ctrl-C and full disks at any moment: the same command ends with the same result."""

import json
import random
import shutil
import signal
import subprocess
import time

import pytest

from tests.fixtures.locked import expected, recovered, result_of
from tests.fixtures.planted import tree_state
from tests.fixtures.program import UNRANSOM
from tests.soak import LONGER


def command(locked, case):
    return [UNRANSOM, "recover", locked.folder, "--case", case, "--key", locked.key]


def start(locked, case):
    return subprocess.Popen(
        command(locked, case),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(locked, case):
    run = subprocess.run(command(locked, case), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert recovered(case) == expected(locked.originals)
    counts = result_of(case)["counts"]
    assert counts["recovered"] == len(locked.originals)
    assert counts["in"] == len(locked.originals) + len(locked.intact)
    subprocess.run([UNRANSOM, "case", "verify", case], check=True, stdout=subprocess.DEVNULL)
    assert not list((case / "scratch").iterdir())


def kill_all(process):
    """Kill the process and its workers, as a power cut does."""
    subprocess.run(["pkill", "-9", "-s", str(process.pid)], check=False)
    process.wait()
    process.stderr.close()


def finished(case):
    """Return what must not be done again: the outputs that the case has in its journal."""
    if not (case / "case.sqlite").exists():
        return {}
    run = subprocess.run(
        [UNRANSOM, "files", "--case", case, "--state", "recovered", "--jsonl"],
        capture_output=True,
        check=False,
    )
    outputs = [case / json.loads(line)["output"] for line in run.stdout.splitlines()]
    return {path: path.stat().st_ino for path in outputs}


@pytest.mark.parametrize("seed", range(3 * LONGER))
def test_kill_9_at_any_moment_and_again(locked_folder, tmp_path, seed):
    case = tmp_path / "case"
    before = tree_state(locked_folder.folder)
    moments = random.Random(seed)
    for _ in range(3):
        process = start(locked_folder, case)
        time.sleep(moments.uniform(0.05, 1.6))
        kill_all(process)
    there = finished(case)
    finish(locked_folder, case)
    assert {path: path.stat().st_ino for path in there} == there
    assert tree_state(locked_folder.folder) == before


def test_a_killed_worker_costs_nothing(locked_folder, tmp_path):
    case = tmp_path / "case"
    process = start(locked_folder, case)
    for _ in range(200):
        workers = subprocess.run(
            ["pgrep", "-f", "-s", str(process.pid), "forkserver"], capture_output=True, text=True, check=False
        ).stdout.split()
        if len(workers) >= 2 or process.poll() is not None:
            break
        time.sleep(0.01)
    for worker in workers[1:]:
        subprocess.run(["kill", "-9", worker], check=False, stderr=subprocess.DEVNULL)
    process.stderr.read()
    process.stderr.close()
    process.wait()
    finish(locked_folder, case)


def test_ctrl_c_ends_with_130_and_goes_on(locked_folder, tmp_path):
    case = tmp_path / "case"
    process = start(locked_folder, case)
    while not (case / "chain.jsonl").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "again" in errors
    finish(locked_folder, case)


def test_a_full_disk_is_said_clearly_and_the_run_goes_on_with_room(locked_folder, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    case = small / "case"
    script = (
        f"mount -t tmpfs -o size=2M tmpfs {small} || exit 99\n"
        f'"$@"; first=$?\n'
        f"mount -o remount,size=64M {small}\n"
        f'"$@"; second=$?\n'
        f"cp -a {case} {tmp_path}/kept\n"
        f"echo codes $first $second"
    )
    run = subprocess.run(
        [
            shutil.which("unshare"),
            "--mount",
            "--map-root-user",
            "sh",
            "-c",
            script,
            "sh",
            *command(locked_folder, case),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.splitlines()[-1] == "codes 1 0", run.stdout + run.stderr
    assert "no space" in run.stderr
    assert "hint:" in run.stderr
    assert recovered(tmp_path / "kept") == expected(locked_folder.originals)
