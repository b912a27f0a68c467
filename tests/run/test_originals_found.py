"""Originals are found unasked: by what is not locked, among older copies, and out of free space."""

import json
import subprocess

from tests.fixtures.program import UNRANSOM
from tests.lockers import drawn, shared

LOCKED = 24_000  # bytes at the beginning that are locked; the rest stays as it was


def head_locked(plain, stream):
    return shared.xored(plain[:LOCKED], stream) + plain[LOCKED:]


def recovered(tmp_path, *more):
    command = [UNRANSOM, "recover", tmp_path / "in", "--case", tmp_path / "case", "--budget", "90s", *more]
    run = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    rows = subprocess.run(
        [UNRANSOM, "files", "--case", tmp_path / "case", "--jsonl"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = {}
    for row in map(json.loads, rows.stdout.splitlines()):
        if row["output"]:
            found[row["path"]] = (row["verdict"], (tmp_path / "case" / row["output"]).read_bytes())
    return run, found


def test_originals_that_carving_brought_back_without_names(tmp_path):
    stream = shared.chacha("run", LOCKED)
    plain = {
        f"letter {number}.txt": shared.letter(f"l{number}", 52_000 + 37 * number) for number in range(12)
    }
    (tmp_path / "in").mkdir()
    for name, data in plain.items():
        (tmp_path / "in" / f"{name}.zq").write_bytes(head_locked(data, stream) + drawn(name, 40))
    carved = tmp_path / "carved/text"
    carved.mkdir(parents=True)
    for number in range(60):  # of nearly the same sizes, and none of them is an original
        (carved / f"disk-{number:08x}.txt").write_bytes(shared.letter(f"other {number}", 52_000 + 7 * number))
    chosen = "letter 7.txt"
    (carved / "disk-deadbeef.txt").write_bytes(plain[chosen])
    run, found = recovered(tmp_path, "--known", tmp_path / "carved")
    exact = {name for name, data in plain.items() if found.get(f"{name}.zq", ("", b""))[1] == data}
    assert exact == set(plain), run.stdout + run.stderr
    assert all(
        data == plain[name.removesuffix(".zq")]
        for name, (verdict, data) in found.items()
        if verdict == "good"
    )


def test_an_older_copy_in_the_evidence_is_an_original(tmp_path):
    stream = shared.chacha("run", 60_000)
    plain = shared.company(14)
    longest = max(plain, key=lambda name: len(plain[name]))
    (tmp_path / "in/share").mkdir(parents=True)
    (tmp_path / "in/old laptop").mkdir()
    for name, data in plain.items():
        (tmp_path / "in/share" / f"{name}.zq").write_bytes(shared.xored(data, stream) + drawn(name, 40))
    (tmp_path / "in/old laptop" / longest).write_bytes(plain[longest])
    run, found = recovered(tmp_path)
    exact = {name for name, data in plain.items() if found.get(f"share/{name}.zq", ("", b""))[1] == data}
    assert len(exact) >= 11, run.stdout + run.stderr
