"""Every command as a stranger calls it: what it prints, and the code it ends with."""

import csv
import io
import json
import subprocess

import pytest

from tests.fixtures.locked import INC_PRIVATE, lock_inc, picture, write
from tests.fixtures.program import unransom
from unransom.catalog.families import FAMILIES
from unransom.catalog.formats import FORMATS
from unransom.cli.program import COMMANDS
from unransom.crypto.answers import ANSWERS


@pytest.fixture
def folder(tmp_path):
    files = {b"a.png.INC": lock_inc(picture("a"), b"a"), b"b.png": picture("b"), b"=cmd.txt": b"order\n" * 40}
    write(tmp_path / "in", files)
    (tmp_path / "key").write_bytes(INC_PRIVATE)
    return tmp_path / "in"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_help_names_every_command_in_either_language(language):
    shown = unransom("--lang", language, "--help").stdout
    for command in COMMANDS:
        assert f"  {command.name} " in shown
    assert ("恢复" in shown) == (language == "zh")


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_every_command_has_help_with_an_example(command):
    assert f"unransom {command}" in unransom(command, "--help").stdout.split("Example:", 1)[1]


def test_the_language_may_stand_anywhere(folder):
    assert "加密" in unransom("triage", folder, "--lang", "zh").stdout


def test_triage_tells_what_is_locked_and_adds_up(folder):
    shown = unransom("triage", folder).stdout
    assert "locked     inc" in shown
    assert "in 3 = " in shown
    rows = [json.loads(line) for line in unransom("triage", folder, "--jsonl").stdout.splitlines()]
    assert {row["path"]: row["state"] for row in rows} == {
        "a.png.INC": "locked",
        "b.png": "intact",
        "=cmd.txt": "intact",
    }


def test_csv_runs_no_formula(folder):
    for name in (" =cmd.txt", "\uff1dcmd.txt"):
        (folder / name).write_text("order\n")
    rows = list(csv.DictReader(io.StringIO(unransom("triage", folder, "--csv").stdout)))
    paths = {row["path"] for row in rows}
    assert paths == {"a.png.INC", "b.png", "'=cmd.txt", "' =cmd.txt", "'\uff1dcmd.txt"}


def test_unlock_writes_the_original_and_never_over_a_file(folder, tmp_path):
    command = ("unlock", folder / "a.png.INC", "--key", tmp_path / "key", "--out", tmp_path / "out")
    unransom(*command)
    unransom(*command)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.2.png", "a.png"]
    assert (tmp_path / "out/a.png").read_bytes() == picture("a")


def test_keys_says_which_key_opens_what(folder, tmp_path):
    assert "inc: key" in unransom("keys", folder, "--key", tmp_path / "key").stdout
    assert "wanted: " in unransom("keys", folder, code=13).stdout
    found = json.loads(unransom("keys", folder, "--key", tmp_path / "key", "--json").stdout)
    assert found["found"][0]["bits"] >= 64


def test_verify_grades_files(folder, tmp_path):
    unransom("verify", folder / "b.png")
    damaged = bytearray(picture("b"))
    damaged[900] ^= 1
    (tmp_path / "c.png").write_bytes(damaged)
    row = json.loads(unransom("verify", tmp_path / "c.png", "--jsonl", code=14).stdout)
    assert row["verdict"] == "partial"
    assert "damaged" in row["why"]
    manifest = subprocess.run(["sha256sum", "b.png"], cwd=folder, capture_output=True, check=True).stdout
    (tmp_path / "m.sha256").write_bytes(manifest)
    row = json.loads(
        unransom("verify", folder / "b.png", "--manifest", tmp_path / "m.sha256", "--jsonl").stdout
    )
    assert row["check"] == "manifest"


def test_a_case_is_made_shown_and_reported(folder, tmp_path):
    case = tmp_path / "case"
    unransom("case", "new", case, "--name", "ACME")
    unransom("recover", folder, "--case", case, "--key", tmp_path / "key")
    assert "ACME" in unransom("case", "show", case).stdout
    assert json.loads(unransom("case", "show", case, "--json").stdout)["counts"]["recovered"] == 1
    unransom("report", "--case", case, "--lang", "zh")
    assert '<html lang="zh' in (case / "report.html").read_text()
    listed = unransom("files", "--case", case, "--state", "recovered", "--csv").stdout
    assert "recovered/in/a.png" in listed


def test_a_changed_output_is_found(folder, tmp_path):
    unransom("recover", folder, "--case", tmp_path / "case", "--key", tmp_path / "key")
    unransom("case", "verify", tmp_path / "case")
    output = tmp_path / "case/recovered/in/a.png"
    output.chmod(0o644)
    output.write_bytes(picture("other"))
    assert "a.png" in unransom("case", "verify", tmp_path / "case", code=14).stdout
    output.unlink()
    assert "missing" in unransom("case", "verify", tmp_path / "case", code=14).stdout


@pytest.mark.parametrize(("subject", "entries"), [("families", FAMILIES), ("formats", FORMATS)])
def test_list_names_everything_with_its_limits(subject, entries):
    rows = json.loads(unransom("list", subject, "--json").stdout)
    assert [row["name"] for row in rows] == [each.name for each in entries]
    shown = unransom("list", subject).stdout
    for each in entries:
        assert each.title in shown
        assert all(limitation in shown for limitation in each.limitations)


def test_list_sources_and_doctor_and_selftest():
    assert "s3://" in unransom("list", "sources").stdout
    assert "pytsk3" in unransom("doctor").stdout
    shown = unransom("selftest").stdout
    assert shown.count("ok ") == len(ANSWERS)
    assert "WRONG" not in shown


def test_progress_as_json_goes_to_standard_error(folder, tmp_path):
    run = unransom(
        "recover", folder, "--case", tmp_path / "case", "--key", tmp_path / "key", "--progress", "json"
    )
    events = [json.loads(line) for line in run.stderr.splitlines()]
    assert {"list", "triage", "keys", "unlock", "integrity"} <= {event["operation"] for event in events}
    assert all(event["finished"] in {True, False} for event in events)


def test_sizes_that_mean_nothing_are_refused(folder, tmp_path):
    run = unransom("recover", folder, "--case", tmp_path / "case", "--memory-limit", "lots", code=2)
    assert "hint:" in run.stderr
