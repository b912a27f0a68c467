"""Moves to a folder: priorities, sign-off, what is in the way, death anywhere, undo without a trace."""

import csv
import json
import os
import random
import re
import sqlite3

import openpyxl
import pytest

from tests.restore.made_case import content, killed, make_case, status, tree, unransom
from unransom.core.records import Grade

COUNT = 60
FILES = {b"de/%03d.jpg" % number: content(number) for number in range(COUNT)}


@pytest.fixture
def case(tmp_path):
    odd = {"目录/订单 表.xlsx".encode(): b"sheet", b"raw-\xff\xfe.bin": b"odd name", b"empty.txt": b""}
    return make_case(tmp_path / "case", FILES | odd)


@pytest.fixture
def target(tmp_path):
    """A share that is in use: some files are there, with their own times, modes and links."""
    folder = tmp_path / "share"
    (folder / "shop/de").mkdir(parents=True)
    (folder / "other").mkdir()
    (folder / "shop/de/000.jpg").write_bytes(b"what the locker left")
    (folder / "shop/de/000.jpg").chmod(0o640)
    os.utime(folder / "shop/de/000.jpg", ns=(1, 1_700_000_000_000_000_000))
    (folder / "shop/de/001.jpg").write_bytes(content(1))
    (folder / "shop/de/002.jpg").symlink_to("000.jpg")
    (folder / "other/stays.txt").write_bytes(b"stays")
    return folder


def moved(target):
    return {path.relative_to(target / "shop") for path in (target / "shop").rglob("*") if path.is_file()}


def test_everything_moves_and_undo_leaves_no_trace(case, target):
    before = tree(target)
    unransom("restore", "plan", "--case", case, "--to", target)
    assert tree(target) == before  # a plan writes nothing
    printed = unransom("restore", "apply", "--case", case, "--no-clamav")
    assert f"{len(FILES) + 2} moved" in printed
    assert "1 was there already" in printed
    for path, data in FILES.items():
        found = target / "shop" / path.decode()
        assert found.read_bytes() == data
        assert not found.is_symlink()
    assert (target / "shop/目录/订单 表.xlsx").read_bytes() == b"sheet"
    assert (target / os.fsdecode(b"shop/raw-\xff\xfe.bin")).read_bytes() == b"odd name"
    assert (target / "shop/empty.txt").stat().st_size == 0
    assert (target / "shop/de/000.jpg").stat().st_mode & 0o777 == 0o640
    unransom("restore", "verify", "--case", case)
    unransom("restore", "undo", "--case", case)
    assert tree(target) == before
    assert status(case)[0]["state"] == "undone"
    unransom("restore", "apply", "--case", case, "--no-clamav")  # and again
    assert (target / "shop/de/059.jpg").read_bytes() == content(59)
    unransom("case", "verify", case)
    acts = [json.loads(line)["act"] for line in (case / "chain.jsonl").read_text().splitlines()]
    assert [act.removeprefix("restore ") for act in acts[-5:]] == [
        *("planned", "applied", "verified", "undone", "applied"),
    ]


def test_files_get_names_back_that_cases_cannot_hold(tmp_path, target):
    before = tree(target)
    names = [b'new "offer": 5? <de>|*.txt', b"aux/dr./CON", b"a\\b\n.txt"]
    case = make_case(tmp_path / "case", {name: name for name in names})
    unransom("restore", "plan", "--case", case, "--to", target)
    unransom("restore", "apply", "--case", case, "--no-clamav")
    for name, path in zip(names, [names[0], b"_aux/dr./_CON", b"a_b_.txt"], strict=True):
        assert (target / "shop" / os.fsdecode(path)).read_bytes() == name
    unransom("restore", "undo", "--case", case)
    assert tree(target) == before


def test_batches_move_by_priority_and_only_when_the_one_before_is_signed(case, target, tmp_path):
    rules = tmp_path / "first.toml"
    rules.write_text(
        '[[batch]]\nname = "what sells"\npaths = ["shop/de/00*.jpg"]\nfirst = "newest"\n'
        '[[batch]]\nname = "new"\nnewer = 2026-02-10\nmost_files = 15\n'
    )
    plan = unransom("restore", "plan", "--case", case, "--to", target, "--priorities", rules, "--json")
    made = json.loads(plan[: plan.rindex("}") + 1])
    assert [(each["name"], each["files"]) for each in made["batches"]] == [
        ("what sells", 10),
        ("new 1/2", 15),
        ("new 2/2", 8),
        ("everything else", 30),
    ]
    lines = (case / "restore/plan.jsonl").read_text().splitlines()
    assert json.loads(lines[1])["path"] == "shop/de/009.jpg"
    unransom("restore", "apply", "--case", case, "--batch", 2, code=2)
    unransom("restore", "sign", "--case", case, "--batch", 1, "--by", "Chen", code=2)
    unransom("restore", "apply", "--case", case)
    assert "not signed off" in unransom("restore", "apply", "--case", case, code=2)
    unransom("restore", "sign", "--case", case, "--batch", 1, "--by", "Chen", "--note", "shop shows them")
    unransom("restore", "apply", "--case", case)
    assert [each["state"] for each in status(case)] == ["signed", "applied", "waiting", "waiting"]
    assert (target / "shop/de/000.jpg").read_bytes() == content(0)
    first = tree(target)
    unransom("restore", "undo", "--case", case, "--batch", 2)
    unransom("restore", "apply", "--case", case, "--batch", 2)
    assert tree(target) == first
    unransom("restore", "undo", "--case", case, "--batch", 1)
    assert (target / "shop/de/000.jpg").read_bytes() == b"what the locker left"
    assert status(case)[0]["signed_by"] == ""


def test_people_of_the_case_approve_the_plan_before_anything_moves(case, target, tmp_path):
    keys = {role: tmp_path / f"{role}.pem" for role in ("owner", "lead", "operator")}
    for role, key in keys.items():
        own = () if role == "owner" else ("--key", keys["owner"])
        unransom("case", "people", case, "--add", f"a {role}", "--role", role, "--new-key", key, *own)
    unransom("restore", "plan", "--case", case, "--to", target)
    before = tree(target)
    refused = unransom("restore", "apply", "--case", case, "--no-clamav", code=2)
    assert "0 of the 3" in refused
    act = re.search(r"'(restore [0-9a-f]{64})'", refused)[1]
    for role, code in (("lead", 3), ("operator", 3)):
        unransom("case", "approve", case, act, "--key", keys[role], code=code)
    assert "2 of the 3" in unransom("restore", "apply", "--case", case, "--no-clamav", code=2)
    assert tree(target) == before
    unransom("case", "approve", case, act, "--key", keys["owner"])
    unransom("restore", "apply", "--case", case, "--no-clamav")
    assert len(moved(target)) >= len(FILES)
    unransom("case", "verify", case)


def test_only_what_is_good_or_accepted_by_name_moves(tmp_path, target):
    grades = {b"a.txt": Grade.UNKNOWN, b"b.jpg": Grade.PARTIAL, b"c.jpg": Grade.BAD}
    case = make_case(tmp_path / "case", dict.fromkeys([*grades, b"d.jpg"], b"x"), grades=grades)
    unransom("restore", "plan", "--case", case, "--to", target, code=3)
    accept = ("--accept", "*.txt", "read by Li", "--accept", "shop/b.jpg", "the top is enough")
    unransom("restore", "plan", "--case", case, "--to", target, *accept, code=3)
    lines = [json.loads(line) for line in (case / "restore/plan.jsonl").read_text().splitlines()]
    entries = {line["path"]: line for line in lines if "path" in line}
    assert [entries[f"shop/{name}"]["batch"] for name in ("a.txt", "b.jpg", "c.jpg", "d.jpg")] == [1, 1, 0, 1]
    assert entries["shop/a.txt"]["accepted"] == "read by Li"
    assert (entries["shop/c.jpg"]["verdict"], "accepted" in entries["shop/d.jpg"]) == ("bad", False)
    unransom("restore", "apply", "--case", case)
    assert not (target / "shop/c.jpg").exists()
    assert (target / "shop/b.jpg").exists()
    chain = [json.loads(line) for line in (case / "chain.jsonl").read_text().splitlines()]
    assert ["shop/a.txt", "read by Li"] in chain[-2]["facts"]["accepted"]


def test_a_plan_that_was_edited_is_refused(case, target):
    unransom("restore", "plan", "--case", case, "--to", target)
    plan = case / "restore/plan.jsonl"
    whole = plan.read_bytes()
    for damaged in (
        whole.replace(b"shop/de/003", b"shop/de/xyz"),
        whole.replace(b'"path":"shop/de/003.jpg"', b'"path":"../../etc/passwd"'),
        whole[:-10],
        whole[: whole.rindex(b"\n", 0, -1) + 1],
        b"{}\n",
        b"",
    ):
        plan.write_bytes(damaged)
        unransom("restore", "apply", "--case", case, code=1)
    plan.write_bytes(whole)
    unransom("restore", "apply", "--case", case)
    assert "moved by" in unransom("restore", "plan", "--case", case, "--to", target, code=2)
    unransom("restore", "plan", "--case", case, "--to", target, "--plan", case / "restore/more.jsonl")


def test_a_source_that_changed_does_not_move(case, target):
    unransom("restore", "plan", "--case", case, "--to", target)
    source = case / "recovered/shop/de/005.jpg"
    source.chmod(0o600)
    source.write_bytes(b"x" * 200)
    assert "has changed" in unransom("restore", "apply", "--case", case, code=3)
    assert not (target / "shop/de/005.jpg").exists()
    assert status(case)[0]["state"] == "begun"
    source.write_bytes(content(5))
    unransom("restore", "apply", "--case", case)
    assert status(case)[0]["state"] == "applied"


def test_what_somebody_has_changed_since_stays(case, target):
    unransom("restore", "plan", "--case", case, "--to", target)
    unransom("restore", "apply", "--case", case)
    (target / "shop/de/004.jpg").write_bytes(b"a new picture")
    (target / "shop/de/006.jpg").unlink()
    assert "005" not in unransom("restore", "verify", "--case", case, code=14)
    printed = unransom("restore", "undo", "--case", case, code=3)
    assert "shop/de/004.jpg" in printed
    assert moved(target) >= {(target / "shop/de/004.jpg").relative_to(target / "shop")}
    assert (target / "shop/de/004.jpg").read_bytes() == b"a new picture"
    assert (target / "shop/de/000.jpg").read_bytes() == b"what the locker left"


def test_nothing_leads_out_of_the_target(tmp_path, target):
    outside = tmp_path / "outside"
    outside.mkdir()
    (target / "shop/link").symlink_to(outside)
    case = make_case(tmp_path / "case", {b"link/a.jpg": b"a", b"other/b.jpg": b"b"})
    (target / "shop/other").write_bytes(b"a file where a folder must be")
    unransom("restore", "plan", "--case", case, "--to", target)
    assert "not a folder" in unransom("restore", "apply", "--case", case, code=3)
    assert not list(outside.iterdir())


def test_a_folder_that_is_not_there_is_not_made(case, tmp_path):
    assert "mount" in unransom("restore", "plan", "--case", case, "--to", tmp_path / "typo", code=2)
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_anywhere_it_goes_on_and_undo_leaves_no_trace(tmp_path, target, seed):
    """Killed several times while moving, and while undoing."""
    contents = {b"de/%03d.jpg" % number: content(number) for number in range(800)}
    case = make_case(tmp_path / "case", contents)
    before = tree(target)
    unransom("restore", "plan", "--case", case, "--to", target)
    chance = random.Random(seed)
    for _ in range(2):
        goal = chance.randrange(50, 600)
        killed(
            *("restore", "apply", "--case", case, "--no-clamav"),
            when=lambda goal=goal: sum(1 for _ in (target / "shop/de").iterdir()) > goal,
        )
    unransom("restore", "apply", "--case", case, "--no-clamav")
    assert {path.name for path in (target / "shop/de").iterdir() if not path.name.endswith(".old")} == {
        path.decode()[3:] for path in contents
    }
    unransom("restore", "verify", "--case", case)
    for _ in range(2):
        goal = chance.randrange(50, 600)
        killed(
            *("restore", "undo", "--case", case),
            when=lambda goal=goal: sum(1 for _ in (target / "shop/de").iterdir()) < goal,
        )
    unransom("restore", "undo", "--case", case)
    assert tree(target) == before


def test_results_for_finance_in_both_languages_run_no_formula(tmp_path, target):
    contents = {b"=cmd|' C calc'!A0.jpg": b"evil", b"good.jpg": b"good"}
    case = make_case(tmp_path / "case", contents)
    unransom("restore", "plan", "--case", case, "--to", target, "--below", "shop", "")
    unransom("restore", "apply", "--case", case)
    for language, heading in (("en", "batch"), ("zh", "批次")):
        out = tmp_path / language
        unransom("restore", "status", "--case", case, "--out", out, "--lang", language)
        rows = list(csv.reader((out / "files.csv").read_text(encoding="utf-8").splitlines()))
        assert rows[0][0] == heading
        assert len(rows) == 3
        assert not [cell for row in rows[1:] for cell in row if cell[:1] in {"=", "+", "@"}]
        book = openpyxl.load_workbook(out / "restore.xlsx")
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        assert "f" not in {cell.data_type for cell in cells}
        assert any(str(cell.value).startswith("=cmd") for cell in cells)


def test_the_bandwidth_is_kept(tmp_path, target):
    import time

    case = make_case(tmp_path / "case", {b"%d.bin" % number: content(number, 100_000) for number in range(8)})
    unransom("restore", "plan", "--case", case, "--to", target)
    started = time.monotonic()
    unransom("restore", "apply", "--case", case, "--bandwidth", "400K", "--no-clamav")
    assert time.monotonic() - started > 1.4  # 800 kB at 410 kB a second, the first piece at once


def test_a_full_folder_is_told_before_it_is(case, target, monkeypatch, capsys):
    from unransom.cli.restore import command

    real = os.statvfs

    def small(path):
        found = list(real(path))
        found[4] = 1
        return os.statvfs_result(found)

    arguments = ["plan", "--case", str(case), "--to", str(target)]
    monkeypatch.setattr(os, "statvfs", small)
    assert command.main(arguments, standalone_mode=False) == 3
    assert "no room" in capsys.readouterr().err
    from unransom.restore.moving.move import TargetFullError

    with pytest.raises(TargetFullError):
        command.main(["apply", "--case", str(case)], standalone_mode=False)
    monkeypatch.undo()
    assert command.main(["apply", "--case", str(case)], standalone_mode=False) == 0


def test_the_journal_is_plain_sqlite(case, target):
    unransom("restore", "plan", "--case", case, "--to", target)
    unransom("restore", "apply", "--case", case)
    (journal,) = (case / "restore").glob("*/journal.sqlite")
    with sqlite3.connect(journal) as database:
        assert database.execute("SELECT count(*) FROM files WHERE state = 'moved'").fetchone()[0] > COUNT
    database.close()
