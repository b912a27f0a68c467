"""The main job from the outside: the command line on locked evidence."""

import base64
import json
import os
import sqlite3
import subprocess
import sys

import pytest

from tests.fixtures.locked import (
    INC_PRIVATE,
    PHOBOS_KEY,
    expected,
    lock_inc,
    lock_phobos,
    originals,
    picture,
    recovered,
    result_of,
    write,
)
from tests.fixtures.planted import tree_state
from tests.fixtures.program import UNRANSOM
from tests.lockers import drawn


def unransom(*arguments, check=None):
    run = subprocess.run([UNRANSOM, *map(str, arguments)], capture_output=True, text=True, check=False)
    if check is not None:
        assert run.returncode == check, run.stdout + run.stderr
    return run


def counts(case):
    return result_of(case)["counts"]


@pytest.fixture
def case(tmp_path):
    return tmp_path / "case"


def test_every_file_comes_back_and_the_evidence_is_not_touched(locked_folder, case):
    before = tree_state(locked_folder.folder)
    unransom("recover", locked_folder.folder, "--case", case, "--key", locked_folder.key, check=0)
    assert recovered(case) == expected(locked_folder.originals)
    assert tree_state(locked_folder.folder) == before
    total = len(locked_folder.originals) + len(locked_folder.intact)
    assert counts(case)["in"] == total
    assert counts(case)["recovered"] == len(locked_folder.originals)
    assert counts(case)["intact"] == len(locked_folder.intact)
    assert (case / "report.html").stat().st_size > 1000
    unransom("case", "verify", case, check=0)


def test_a_second_run_does_nothing_again(locked_folder, case):
    command = ("recover", locked_folder.folder, "--case", case, "--key", locked_folder.key)
    unransom(*command, check=0)
    before = {path: path.stat().st_ino for path in (case / "recovered").rglob("*")}
    chain = (case / "chain.jsonl").read_bytes()
    unransom(*command, check=0)
    assert {path: path.stat().st_ino for path in (case / "recovered").rglob("*")} == before
    assert (case / "chain.jsonl").read_bytes() == chain


def test_without_a_key_the_report_says_what_is_wanted(locked_folder, case):
    run = unransom("recover", locked_folder.folder, "--case", case, check=13)
    assert "X25519" in run.stdout
    (family,) = result_of(case)["families"]
    assert family["files"] == len(locked_folder.originals)
    assert family["wanted"]["text"]
    assert not recovered(case)


def test_a_key_that_comes_later_opens_what_was_left(locked_folder, case, tmp_path):
    wrong = tmp_path / "wrong.key"
    wrong.write_bytes(bytes(range(32)))
    unransom("recover", locked_folder.folder, "--case", case, "--key", wrong, check=14)
    assert not recovered(case)
    unransom("recover", locked_folder.folder, "--case", case, "--key", locked_folder.key, check=0)
    assert recovered(case) == expected(locked_folder.originals)
    assert result_of(case)["problems"] == []


def test_a_wrong_key_is_told_by_the_wrap_where_the_wrap_can(tmp_path, case):
    write(tmp_path / "in", {b"a.png.phobos": lock_phobos(picture("a"), "a.png")})
    (tmp_path / "wrong.key").write_bytes(bytes(32))
    unransom("recover", tmp_path / "in", "--case", case, "--key", tmp_path / "wrong.key", check=13)
    (tmp_path / "right.key").write_bytes(PHOBOS_KEY)
    unransom("recover", tmp_path / "in", "--case", case, "--key", tmp_path / "right.key", check=0)
    assert recovered(case) == expected({b"a.png": picture("a")})


def test_names_in_footers_stay_inside_the_case(tmp_path, case):
    names = [
        "..\\..\\x.png",
        "/etc/passwd",
        "CON",
        "C:\\Windows\\nul.png",
        "a\n\x1b[31m.png",
        "名" * 300,
        "..",
    ]
    write(
        tmp_path / "in",
        {b"%d.locked" % number: lock_phobos(picture(name), name) for number, name in enumerate(names)},
    )
    (tmp_path / "key").write_bytes(PHOBOS_KEY)
    unransom("recover", tmp_path / "in", "--case", case, "--key", tmp_path / "key", check=0)
    found = recovered(case)
    assert sorted(found.values()) == sorted(
        expected({name.encode(): picture(name) for name in names}).values()
    )
    assert not [path for path in tmp_path.rglob("*.png") if case not in path.parents]
    for name in found:
        assert not {b"..", b"CON", b"nul.png"} & set(name.split(b"/"))


def test_two_originals_of_one_name_both_come_back(tmp_path, case):
    files = {b"1.lock": lock_phobos(picture("one"), "a.png"), b"2.lock": lock_phobos(picture("two"), "a.png")}
    write(tmp_path / "in", files)
    (tmp_path / "key").write_bytes(PHOBOS_KEY)
    unransom("recover", tmp_path / "in", "--case", case, "--key", tmp_path / "key", check=0)
    assert sorted(recovered(case)) == [b"a.2.png", b"a.png"]


def test_a_manifest_outranks_what_the_output_says_of_itself(locked_folder, case, tmp_path):
    manifest = tmp_path / "before.sha256"
    hashes = expected(locked_folder.originals)
    lines = [f"{digest}  {path.decode()}\n" for path, digest in hashes.items() if path.isascii()]
    manifest.write_text("".join(lines))
    command = ("recover", locked_folder.folder, "--key", locked_folder.key, "--manifest", manifest)
    unransom(*command, "--case", case, check=0)
    lines[3] = lines[3].replace(lines[3][:6], "000000")
    manifest.write_text("".join(lines))
    unransom(*command, "--case", tmp_path / "case2", check=14)
    (bad,) = [row for row in rows(tmp_path / "case2") if row["verdict"] == "bad"]
    assert "before.sha256" in bad["why"]


def rows(case, *options):
    run = unransom("files", "--case", case, "--jsonl", *options, check=0)
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_files_lists_one_row_per_file_with_bytes_of_its_name(locked_folder, case):
    unransom("recover", locked_folder.folder, "--case", case, "--key", locked_folder.key, check=0)
    found = rows(case)
    assert len(found) == len(locked_folder.originals) + len(locked_folder.intact)
    assert {row["state"] for row in found} == {"recovered", "intact"}
    assert all(
        (case / row["output"]).exists()
        for row in found
        if row["state"] == "recovered" and row["path"].isascii()
    )
    assert len(rows(case, "--state", "intact")) == len(locked_folder.intact)


def test_odd_entries_are_counted_and_do_no_harm(tmp_path, case):
    folder = tmp_path / "in"
    write(
        folder,
        {b"empty": b"", b"a.png.INC": lock_inc(picture("a"), b"a"), b"tail only.INC": bytes(32) + b"INC"},
    )
    (folder / "loop").symlink_to(folder)
    (folder / "dangling").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    (tmp_path / "key").write_bytes(INC_PRIVATE)
    unransom("recover", folder, "--case", case, "--key", tmp_path / "key")
    found = counts(case)
    assert found["in"] == 6
    assert found["skipped"] == 3
    assert b"a.png" in recovered(case)


def test_evidence_that_changed_is_refused(tmp_path, case):
    image = tmp_path / "one.png.INC"
    image.write_bytes(lock_inc(picture("a"), b"a"))
    unransom("recover", image, "--case", case, check=13)
    image.write_bytes(lock_inc(picture("b"), b"b"))
    run = unransom("recover", image, "--case", case, check=12)
    assert "has changed" in run.stderr


def test_the_case_must_not_lie_in_the_evidence(locked_folder):
    run = unransom("recover", locked_folder.folder, "--case", locked_folder.folder / "case", check=2)
    assert "hint:" in run.stderr
    assert not (locked_folder.folder / "case").exists()


def test_a_locked_case_is_refused(locked_folder, case):
    unransom("case", "new", case, check=0)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from unransom.case.lock import Lock;"
            "lock = Lock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()",
            str(case),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    holder.stdout.readline()
    unransom("recover", locked_folder.folder, "--case", case, check=11)
    holder.communicate()
    unransom("case", "show", case, check=0)


def test_no_key_is_stored_anywhere_in_the_case(locked_folder, case):
    unransom("recover", locked_folder.folder, "--case", case, "--key", locked_folder.key, check=0)
    forms = (INC_PRIVATE, INC_PRIVATE.hex().encode())
    for path in case.rglob("*"):
        if path.is_file():
            assert not any(form in path.read_bytes() for form in forms), path


def test_the_case_opens_with_plain_sqlite3(locked_folder, case):
    unransom("recover", locked_folder.folder, "--case", case, "--key", locked_folder.key, check=0)
    database = sqlite3.connect(f"file:{case}/case.sqlite?mode=ro", uri=True)
    assert database.execute("SELECT count(*) FROM files WHERE state = 'recovered'").fetchone()[0] == len(
        originals()
    )
    database.close()


def test_wrong_usage_is_told_apart_from_failure(tmp_path, case):
    assert unransom().returncode == 2
    assert unransom("recover").returncode == 2
    assert unransom("recover", tmp_path / "nowhere", "--case", case).returncode == 2
    assert unransom("case", "show", tmp_path / "nowhere").returncode == 10
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "other.txt").write_text("x")
    assert unransom("case", "new", tmp_path / "full").returncode == 2


def test_the_whole_tree_on_request(locked_folder, case):
    command = ("recover", locked_folder.folder, "--case", case, "--key", locked_folder.key, "--all")
    unransom(*command, check=0)
    assert recovered(case) == expected(locked_folder.originals | locked_folder.intact)
    assert counts(case)["intact"] == len(locked_folder.intact)
    unransom("case", "verify", case, check=0)


def test_what_a_key_holder_would_need_is_each_wrapped_key_once(tmp_path):
    files = {b"%d.lock" % number: lock_phobos(picture(str(number)), "a.png") for number in range(5)}
    write(tmp_path / "in", files | {b"b.png.INC": lock_inc(picture("b"), b"b")})
    found = json.loads(unransom("keys", tmp_path / "in", "--wanted", check=0).stdout)
    assert [(key["family"], key["files"]) for key in found] == [("phobos", 5), ("inc", 1)]
    assert found[0]["campaign"] == "ba0babc0ffee"
    assert found[0]["bytes"] == sum(map(len, files.values()))
    assert base64.b64decode(found[0]["wrapped"]) == drawn("phobos blob", 128)
