"""Nothing goes back unscanned: YARA rules, ClamAV's interface, and what happens when a scanner fails."""

import json
import stat
from pathlib import Path

import pytest

from tests.restore.made_case import make_case, status, unransom
from unransom.core.errors import UnransomError, UsageError
from unransom.restore.moving.scan import ClamScanner, YaraScanner, scanners

# Put together here, so that no scanner takes this file for the test file.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
RULE = 'rule shop_skimmer { strings: $a = "skim(card)" condition: $a }'
# ClamAV's documented interface: --file-list, "path: Name FOUND", exit 1 where something was found.
FAKE = """#!/bin/sh
[ "$1" = --version ] && { echo "ClamAV 1.4.3/27800"; exit 0; }
code=0
for word in "$@"; do case "$word" in --file-list=*) list="${word#--file-list=}";; esac; done
while read -r path; do
  if grep -q virus "$path"; then echo "$path: Win.Test.Made-1 FOUND"; code=1; fi
  if grep -q huge "$path"; then echo "$path: Heuristics.Limits.Exceeded.MaxFileSize FOUND"; code=1; fi
done < "$list"
echo "$@" >> "$0.calls"
exit $code
"""


@pytest.fixture
def files(tmp_path):
    made = {
        "clean.php": b"hello",
        "skimmed.php": b"x skim(card) y",
        "eicar.com": EICAR,
        "none": b"",
        "v": b"virus",
    }
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    return {name: tmp_path / name for name in made}


@pytest.fixture
def rules(tmp_path):
    (tmp_path / "rules/deep").mkdir(parents=True)
    (tmp_path / "rules/deep/shop.yar").write_text(RULE)
    (tmp_path / "rules/readme.txt").write_text("no rule")
    return tmp_path / "rules"


@pytest.fixture
def clamscan(tmp_path, monkeypatch):
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "clamscan").write_text(FAKE)
    (programs / "clamscan").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return programs / "clamscan"


def test_rules_of_a_folder_and_our_own_find_what_they_fit(files, rules):
    scanner = YaraScanner([rules], 2)
    found = scanner.scan(list(files.values()))
    assert {path.name: str(why) for path, why in found.items()} == {
        "skimmed.php": "the rule shop_skimmer fits it",
        "eicar.com": "the rule eicar_test_file fits it",
    }
    assert "1 files of rules" in scanner.name
    assert YaraScanner([], 1).name != scanner.name


def test_rules_that_cannot_be_used_are_told(tmp_path, rules):
    with pytest.raises(UsageError, match="no rules"):
        YaraScanner([tmp_path / "rules/nothing"], 1)
    (rules / "broken.yara").write_text("rule {")
    with pytest.raises(UsageError, match="compiled"):
        YaraScanner([rules], 1)


def test_a_file_that_cannot_be_scanned_is_held(tmp_path):
    found = YaraScanner([], 1).scan([tmp_path / "gone"])
    assert "could not be scanned" in str(found[tmp_path / "gone"])


def test_clamav_is_used_where_it_is_installed(files, clamscan):
    *_, scanner = scanners([], 2)
    assert scanner.name == "ClamAV 1.4.3/27800"
    assert {path.name: str(why) for path, why in scanner.scan(list(files.values())).items()} == {
        "v": "ClamAV says Win.Test.Made-1"
    }
    assert len(scanners([], 2, clamav=False)) == 1


def test_what_clamav_cannot_look_at_as_a_whole_does_not_pass(tmp_path, clamscan):
    (tmp_path / "disk.iso").write_bytes(b"huge")
    found = ClamScanner(str(clamscan)).scan([tmp_path / "disk.iso"])
    assert "cannot look at all of it" in str(found[tmp_path / "disk.iso"])
    called = Path(f"{clamscan}.calls").read_text()
    # Without these it passes a file of 100 MB as clean.
    assert {"--max-filesize=2000M", "--max-scansize=2000M", "--alert-exceeds-max=yes"} <= {*called.split()}


def test_clamav_that_fails_passes_nothing(files, clamscan):
    clamscan.write_text('#!/bin/sh\necho "cannot connect" >&2\nexit 2\n')
    with pytest.raises(UnransomError, match="could not scan"):
        ClamScanner(str(clamscan)).scan(list(files.values()))


def test_a_file_in_which_something_is_found_is_held_and_named(tmp_path, rules, clamscan):
    contents = {b"a.php": b"skim(card)", b"b.php": b"a virus", b"c.php": b"clean"}
    case = make_case(tmp_path / "case", contents)
    (tmp_path / "share").mkdir()
    unransom("restore", "plan", "--case", case, "--to", tmp_path / "share")
    printed = unransom("restore", "apply", "--case", case, "--rules", rules, code=3)
    assert "shop/a.php  the rule shop_skimmer fits it" in printed
    assert "shop/b.php  ClamAV says Win.Test.Made-1" in printed
    assert [path.name for path in (tmp_path / "share/shop").iterdir()] == ["c.php"]
    assert status(case)[0]["counts"] == {"held": 2, "moved": 1}
    last = json.loads((case / "chain.jsonl").read_text().splitlines()[-1])
    assert last["facts"]["held files"] == 2
    assert "ClamAV 1.4.3" in last["facts"]["scanned with"]
    # Other rules: what is waiting is scanned again, and what was held in error moves.
    printed = unransom("restore", "apply", "--case", case, "--batch", 1, "--no-clamav")
    assert "3 moved" in printed


def test_without_any_scanner_nothing_moves_unless_somebody_says_why(tmp_path, monkeypatch):
    from unransom.case.case import Case
    from unransom.run import restoring

    case = make_case(tmp_path / "case", {b"a.php": b"a"})
    (tmp_path / "share").mkdir()
    unransom("restore", "plan", "--case", case, "--to", tmp_path / "share")
    settings = restoring.Settings()
    with Case(case) as opened, restoring.opened(opened, restoring.default_plan(case), settings) as work:
        with pytest.raises(UsageError, match="can scan"):
            restoring.apply(opened, work, 1, [])
        restoring.apply(opened, work, 1, [], "from the air-gapped copy")
    last = json.loads((case / "chain.jsonl").read_text().splitlines()[-1])
    assert last["facts"]["scanned with"] == "none: from the air-gapped copy"
