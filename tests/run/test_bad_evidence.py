"""Evidence that is damaged: what can be had is had, and the rest is said."""

import json
import subprocess

import pytest

from tests.fixtures.locked import INC_PRIVATE, expected, lock_inc, picture, recovered, result_of
from tests.fixtures.program import UNRANSOM

PICTURES = {f"p{number}.png".encode(): picture(f"bad {number}", 200) for number in range(20)}
LOCKED = {name + b".INC": lock_inc(data, name) for name, data in PICTURES.items()}


def recover(image, tmp_path):
    (tmp_path / "key").write_bytes(INC_PRIVATE)
    command = [UNRANSOM, "recover", image, "--case", tmp_path / "case", "--key", tmp_path / "key"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode in {0, 3, 13, 14}, run.stdout + run.stderr
    counts = result_of(tmp_path / "case")["counts"]
    states = ("intact", "recovered", "partial", "lost", "unknown", "skipped", "failed")
    assert counts["in"] == sum(counts[state] for state in states)
    return run.returncode


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["ntfs", "ext4", "fat"])
def test_a_truncated_image_gives_what_is_left(kind, share, tmp_path, disks):
    image = getattr(disks, kind)(LOCKED)
    with image.open("r+b") as file:
        file.truncate(int(image.stat().st_size * share))
    recover(image, tmp_path)
    right = expected(PICTURES)
    rows = subprocess.run(
        [UNRANSOM, "files", "--case", tmp_path / "case", "--jsonl"],
        capture_output=True,
        text=True,
        check=True,
    )
    good = [
        row for row in map(json.loads, rows.stdout.splitlines()) if row["verdict"] == "good" and row["output"]
    ]
    for row in good:  # whatever is called good is right
        assert row["sha256"] in right.values()


def test_an_image_of_noise_is_no_crash(tmp_path):
    image = tmp_path / "noise.img"
    image.write_bytes(b"\xeb\x52\x90NTFS    " + picture("noise", 500))
    recover(image, tmp_path)
    assert not recovered(tmp_path / "case")
