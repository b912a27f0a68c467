"""The layouts of the DFRWS challenges: that the maker places what they say, and what comes back of them."""

import hashlib
from collections import Counter
from itertools import pairwise

import pytest

from tests.catalog.formats import film_samples, program_samples, system_samples
from tests.fixtures.in_process import InProcess
from tests.makers.challenges import DFRWS_2006, DFRWS_2007, SECTOR, Scenario, challenge_image
from tests.makers.office_files import files
from tests.makers.raw_image import File
from unransom.run.carving import Job, carve

KINDS = {"jpg": "jpg", "pdf": "pdf", "office": "ole2", "zip": "zip"}


def pools(count=160):
    """Return files of each kind; of films, sounds and pages only copies of one."""
    by_type = {}
    for each in files(count):
        if b"/Number" not in each.data:  # documents that are the same but for this cannot be told apart
            by_type.setdefault(each.name.partition("/")[0], []).append(each)
    made = {kind: iter(by_type[name]) for kind, name in KINDS.items()}
    return made | {
        "html": (File(f"html/{n}", system_samples.html() + b"<!-- %d -->" % n) for n in range(99)),
        "mp3": (File(f"mp3/{n}", film_samples.mp3(frames=60 + n)) for n in range(99)),
        "exec": (File(f"exec/{n}", program_samples.elf()) for n in range(1)),
    }


def test_every_scenario_of_both_challenges_is_there():
    assert len(DFRWS_2006) == 22
    assert sorted(int(each.name) for each in DFRWS_2007) == list(range(1, 90))
    names = {each.name: each for each in DFRWS_2007}
    assert names["44"] == Scenario("44", "office", "A2 A1 A3")
    assert names["72"].layout == "A1 B2 A2"


def test_pieces_lie_as_the_layout_says_and_files_with_lost_pieces_are_decoys():
    one = [Scenario("x", "mp3", "A3 ~ A1 B1/2 A2")]
    image = challenge_image(one, pools(8), seed=2)
    placed = {each.scenario: each for each in image.placed}
    assert set(placed) == {"x", "decoy"}
    clusters = placed["x"].clusters
    data = b"".join(bytes(image.data[number * SECTOR : (number + 1) * SECTOR]) for number in clusters)
    assert hashlib.sha256(data[: placed["x"].size]).hexdigest() == placed["x"].sha256
    jumps = [after for before, after in pairwise(clusters) if after - before != 1]
    assert [jump > clusters[0] for jump in jumps] == [True, False]  # the second piece, the third
    assert clusters[0] < placed["decoy"].clusters[0] < jumps[0]


def test_scenarios_without_files_are_left_out():
    image = challenge_image(DFRWS_2007, {"jpg": iter(list(files(40)))}, seed=1)
    assert {each.name.partition("/")[0] for each in image.placed} <= {
        each.name.partition("/")[0] for each in files(8)
    }
    assert "24" not in {each.scenario for each in image.placed}


@pytest.mark.parametrize(("scenarios", "least"), [(DFRWS_2006, 0.7), (DFRWS_2007, 0.5)])
def test_files_come_back_from_the_layouts(tmp_path, scenarios, least):
    wanted = [each for each in scenarios if set(each.kinds.split()) <= {*KINDS}]
    image = challenge_image(wanted, pools(), seed=3)
    (tmp_path / "disk.img").write_bytes(image.data)
    outcome = carve(Job(str(tmp_path / "disk.img"), tmp_path / "out"), InProcess())
    there = {each.sha256: each for each in image.placed if each.scenario != "decoy"}
    back = Counter(each.digests.sha256 in there for each in outcome.files)
    assert back[True] >= least * len(there)
    proven = [each for each in outcome.files if each.proof in {"checksum-proved", "structure-proved"}]
    assert [each for each in proven if each.digests.sha256 not in there] == []
