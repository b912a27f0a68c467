"""Carving as a step of a case: originals in free space come back by name, are counted, and help keys."""

import hashlib
import json
from collections import Counter

import pytest

from tests.fixtures.in_process import InProcess
from tests.fixtures.locked import INC_PRIVATE, lock_inc
from tests.makers.locked_disks import locked_disk
from tests.makers.office_files import files
from tests.makers.raw_image import File
from unransom.case.case import Case
from unransom.case.files import records_of
from unransom.recover.carve.records import Carved
from unransom.report import labels
from unransom.run import searches
from unransom.run.carving import Job as CarveJob
from unransom.run.carving import carve
from unransom.run.listing import rows
from unransom.run.recover import Job, recover


def seal(data, number):
    return lock_inc(data, b"%d" % number)


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """An image of ext4 after a pass of INC, and what was on it."""
    image = tmp_path_factory.mktemp("disk") / "fs01.img"
    made = [
        File(f"shop {number % 3}/{number}.{each.name.rpartition('.')[2]}", each.data)
        for number, each in enumerate(files(32))
    ]
    return image, locked_disk(image, "ext4", made, extension=".INC", seal=seal)


def table(case):
    with Case(case) as opened:
        return list(rows(opened))


def is_exact(case, row, originals):
    path = case / row["output"]
    return hashlib.sha256(path.read_bytes()).hexdigest() == originals[row["path"].removesuffix(".INC")]


def test_originals_come_back_under_their_names_without_a_key(tmp_path, disk):
    image, originals = disk
    case = tmp_path / "case"
    result = recover(Job(sources=(str(image),), case=case), InProcess())
    listed = table(case)
    carved = [row for row in listed if row["method"] == "carve" and row["locked"]]
    digests = {each.path: each.sha256 for each in originals}
    intact = [each for each in originals if each.intact]
    assert len(carved) >= 0.8 * len(intact) >= 5
    assert all(is_exact(case, row, digests) for row in carved)
    assert {row["output"] for row in carved} <= {
        f"recovered/{row['source']}/{row['path'][:-4]}" for row in carved
    }
    assert {row["state"] for row in carved} == {"recovered"}
    counts = Counter(row["state"] for row in listed)
    assert result.counts.recovered == counts["recovered"]
    assert sum(counts.values()) == result.counts.total
    only_carved = [row for row in listed if row["method"] == "carve" and not row["locked"]]
    assert result.counts.carved == sum(row["state"] == "recovered" for row in only_carved)
    assert result.counts.locked == sum(row["family"] == "inc" for row in listed)
    with Case(case) as opened:
        (family,) = {ref for ref, *_ in searches.groups(opened.database) if ref}
        pairs = searches.pairs(opened.database, family)
        assert len({pair.locked.path for pair in pairs if pair.how == "name"}) >= len(carved)
        assert len(list(records_of(opened.database, Carved))) >= len(carved)


def test_a_key_opens_only_what_carving_left(tmp_path, disk):
    image, originals = disk
    case, key = tmp_path / "case", tmp_path / "private.key"
    key.write_bytes(INC_PRIVATE)
    recover(Job(sources=(str(image),), case=case, keys=(key,)), InProcess())
    digests = {each.path: each.sha256 for each in originals}
    locked = [row for row in table(case) if row["family"] == "inc"]
    assert len(locked) == len(originals)
    assert {row["state"] for row in locked} == {"recovered"}
    assert all(is_exact(case, row, digests) for row in locked)
    assert {row["method"] for row in locked} == {"carve", "unlock"}


@pytest.mark.parametrize("stop", [1, 3, 5])
def test_an_interrupted_run_goes_on(tmp_path, disk, stop):
    image, _ = disk
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    recover(Job(sources=(str(image),), case=whole), InProcess())
    with pytest.raises(KeyboardInterrupt):
        recover(Job(sources=(str(image),), case=broken), InProcess(stop_after=stop))
    recover(Job(sources=(), case=broken), InProcess())
    assert table(broken) == table(whole)
    again = InProcess()
    recover(Job(sources=(), case=broken), again)
    assert table(broken) == table(whole)
    assert json.loads((broken / "result.json").read_text())["counts"]["recovered"] > 0


def test_carving_can_be_left_out(tmp_path, disk):
    image, _ = disk
    recover(Job(sources=(str(image),), case=tmp_path / "case", left_out=frozenset({"carve"})), InProcess())
    assert {row["method"] for row in table(tmp_path / "case")} == {None}


def test_the_map_of_free_space_is_in_the_result_and_in_both_reports(tmp_path, disk):
    image, _ = disk
    case = tmp_path / "case"
    recover(Job(sources=(str(image),), case=case), InProcess())
    outcome = carve(CarveJob(str(image), tmp_path / "out", dry=True), InProcess())
    (space,) = json.loads((case / "result.json").read_text())["spaces"]
    assert space["source"] == image.name
    assert outcome.holds == space["holds"]
    assert sum(space["holds"].values()) == space["searched"] == outcome.searched > 0
    assert labels.LABELS["spaces"].text in (case / "report.html").read_text()
    recover(Job(sources=(), case=case), InProcess())  # an image is carved once
    assert json.loads((case / "result.json").read_text())["spaces"] == [space]
