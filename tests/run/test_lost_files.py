"""Files that nobody can bring back, from the command line to the report."""

import json
import subprocess

from tests.catalog.losses.made import MADE
from tests.fixtures.locked import result_of
from tests.fixtures.program import UNRANSOM

RULES = ("emptied", "zeroed", "cut", "azov", "sicarii")


def test_lost_files_are_counted_and_explained(tmp_path):
    evidence, case = tmp_path / "share", tmp_path / "case"
    evidence.mkdir()
    (evidence / "README.txt").write_bytes(
        b"Your files are encrypted. Write to a@b.example and pay in Bitcoin."
    )
    (evidence / "empty.txt").write_bytes(b"")
    (evidence / "zeros.img").write_bytes(bytes(90_000))
    for rule in RULES:
        folder = evidence / rule
        folder.mkdir()
        for made in MADE[rule]:
            (folder / made.name.decode().rpartition("/")[2]).write_bytes(made.data)
    whole = sum(made.whole for rule in RULES for made in {made.name: made for made in MADE[rule]}.values())
    run = subprocess.run(
        [UNRANSOM, "recover", evidence, "--case", case], capture_output=True, text=True, check=False
    )
    result = result_of(case)
    assert result["counts"]["lost"] == whole
    assert result["counts"]["intact"] == 3
    proven = {group["rule"]: group for group in result["losses"] if group["proven"]}
    assert {"emptied", "zeroed", "azov"} <= set(proven)
    assert proven["emptied"]["whole"] == proven["emptied"]["files"] == 2
    assert proven["zeroed"]["size"] == sum(len(made.data) for made in MADE["zeroed"])
    assert proven["azov"]["whole"] == 0
    assert proven["azov"]["references"]
    warnings = {group["rule"]: group for group in result["losses"] if not group["proven"]}
    assert set(warnings) == {"azov", "sicarii"}
    assert warnings["sicarii"]["size"] == 0
    assert not [note for note in result["notes"] if note["kind"] in {"lost", "doubtful"}]
    assert "do not pay for these" in run.stdout
    assert "do not pay for these" in (case / "report.html").read_text()
    listed = subprocess.run(
        [UNRANSOM, "files", "--case", case, "--state", "lost", "--jsonl"],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [json.loads(line) for line in listed.stdout.splitlines()]
    assert len(rows) == whole
    assert all(row["why"] and row["family"] is None for row in rows)


def test_no_key_is_asked_for_where_all_is_lost(tmp_path):
    evidence, case = tmp_path / "share", tmp_path / "case"
    evidence.mkdir()
    (evidence / "a.pdf.akira").write_bytes(b"")
    run = subprocess.run(
        [UNRANSOM, "recover", evidence, "--case", case], capture_output=True, text=True, check=False
    )
    assert run.returncode == 3
    assert "pay for nothing" in run.stdout


def test_the_rules_are_listed_with_their_references():
    run = subprocess.run([UNRANSOM, "list", "losses", "--json"], capture_output=True, text=True, check=True)
    rules = {rule["name"]: rule for rule in json.loads(run.stdout)}
    assert set(RULES) < set(rules)
    assert all(rule["references"] and rule["limitations"] for rule in rules.values())
