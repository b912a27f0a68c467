"""Whole runs on made images: what comes back, how far it is proven, and that a killed run goes on."""

import hashlib
import json
import os

import pytest

from tests.catalog.formats import program_samples
from tests.catalog.formats.pdf_maker import make_pdf
from tests.fixtures.in_process import InProcess
from tests.makers.office_files import files
from tests.makers.raw_image import CLUSTER, raw_image
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.recover.carve.found import Claims, Found, Proof, resolve
from unransom.run import carving
from unransom.run.carving import Job, carve


@pytest.fixture(scope="module")
def image():
    return raw_image(list(files(40)), seed=4, decoys=0.08)


def written(folder, image):
    path = folder / "disk.img"
    path.write_bytes(image.data)
    return str(path)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_files_come_back_exact_and_proven_ones_are_right(tmp_path, image):
    outcome = carve(Job(written(tmp_path, image), tmp_path / "out"), InProcess())
    wanted = {each.sha256: each for each in image.placed if each.scenario != "decoy"}
    got = {digest(tmp_path / "out" / os.fsdecode(each.path)): each for each in outcome.files}
    assert all(each.digests.sha256 in got for each in outcome.files)
    back = [each for each in wanted.values() if each.sha256 in got]
    whole = [each for each in wanted.values() if each.scenario == "whole"]
    broken = [each for each in wanted.values() if each.scenario != "whole"]
    assert [each.name for each in whole if each not in back] == []
    assert len([each for each in broken if each in back]) >= 0.7 * len(broken)
    proven = [each for each in outcome.files if each.proof in {"checksum-proved", "structure-proved"}]
    assert [each.path for each in proven if each.digests.sha256 not in wanted] == []
    wrong = [each for each in outcome.files if each.digests.sha256 not in wanted]
    assert len(wrong) <= 0.05 * len(outcome.files)


def test_extents_say_where_the_bytes_came_from(tmp_path, image):
    outcome = carve(Job(written(tmp_path, image), tmp_path / "out"), InProcess())
    places = {each.sha256: each.clusters for each in image.placed}
    for each in outcome.files:
        data = b"".join(image.data[extent.start : extent.end] for extent in each.extents)
        assert hashlib.sha256(data).hexdigest() == each.digests.sha256
        if each.digests.sha256 in places:
            assert each.extents[0].start == places[each.digests.sha256][0] * CLUSTER


def test_dry_run_writes_nothing_and_tells_the_same(tmp_path, image):
    source = written(tmp_path, image)
    dry = carve(Job(source, tmp_path / "dry", dry=True), InProcess())
    real = carve(Job(source, tmp_path / "out"), InProcess())
    assert list((tmp_path / "dry").iterdir()) == []
    assert {each.extents for each in dry.files} == {each.extents for each in real.files}


def test_least_proof_leaves_out_what_is_only_likely(tmp_path, image):
    outcome = carve(Job(written(tmp_path, image), tmp_path / "out", least=Proof.STRUCTURE), InProcess())
    assert set(outcome.by_proof()) == {"checksum-proved", "structure-proved"}


@pytest.mark.parametrize("stop", [1, 6, 13])
def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path, image, stop, monkeypatch):
    monkeypatch.setattr(carving, "SMALL_REGION", 1 << 20)
    monkeypatch.setattr(carving, "BATCH_FILES", 8)
    source, out = written(tmp_path, image), tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        carve(Job(source, out), InProcess(stop_after=stop))
    executor = InProcess()
    outcome = carve(Job(source, out), executor)
    whole = InProcess()
    expected = carve(Job(source, tmp_path / "other"), whole)
    assert {each.digests.sha256 for each in outcome.files} == {each.digests.sha256 for each in expected.files}
    assert executor.performed < whole.performed
    lines = (out / "carved.jsonl").read_text().splitlines()
    assert len({json.loads(line)["digests"]["sha256"] for line in lines}) == len(outcome.files)


def test_files_on_smaller_clusters_are_found(tmp_path):
    made = list(files(16))
    data = b"".join(each.data + bytes(-len(each.data) % 512) for each in made)
    (tmp_path / "disk.img").write_bytes(data)
    outcome = carve(Job(str(tmp_path / "disk.img"), tmp_path / "out"), InProcess())
    wanted = {hashlib.sha256(each.data).hexdigest() for each in made}
    assert wanted <= {each.digests.sha256 for each in outcome.files}


def test_holes_of_a_sparse_image_cost_nothing(tmp_path, image):
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.seek(64 << 30)
        file.write(image.data)
        file.truncate(1 << 40)
    executor = InProcess()
    outcome = carve(Job(str(path), tmp_path / "out", dry=True), executor)
    assert outcome.searched < len(image.data) + 2 * carving.HOLE
    assert len(outcome.files) > 18
    assert min(each.extents[0].start for each in outcome.files) >= 64 << 30


def test_a_font_is_proven_only_where_all_of_its_tables_hold(tmp_path):
    font, filler = program_samples.font(), b"nothing that is of a font\n" * 20_000
    clusters = [font[at : at + CLUSTER].ljust(CLUSTER, b"\0") for at in range(0, len(font), CLUSTER)]
    cut = [*clusters[:3], filler[: 8 * CLUSTER], *clusters[3:]]
    path = tmp_path / "disk.img"
    path.write_bytes(filler[: 3 * CLUSTER] + b"".join(clusters) + filler[:CLUSTER] + b"".join(cut))
    found = carve(Job(str(path), tmp_path / "out"), InProcess()).files
    proofs = {each.digests.sha256: each.proof for each in found if each.format == "font"}
    assert proofs.pop(hashlib.sha256(font).hexdigest()) == "structure-proved"
    assert set(proofs.values()) == {"heuristic"}


def test_a_proven_file_within_a_document_is_a_part_of_it():
    say_nothing = say("x")
    document = Found("ole2", [Span(8192, 100_000)], Proof.DECODER, 900, say_nothing)
    inside = Found("ooxml", [Span(20_992, 22_602)], Proof.CHECKSUM, 224, say_nothing)
    beside = Found("png", [Span(12_288, 16_000)], Proof.CHECKSUM, 224, say_nothing)
    assert resolve([inside, document], Claims(1 << 20, CLUSTER)) == [document]
    assert resolve([inside, document, beside], Claims(1 << 20, CLUSTER)) == [beside, inside]


def test_two_documents_in_one_file_are_proven_only_together(tmp_path):
    """Some programs write one behind the other; a second that is not whole must not end as another does."""
    first, second, other = make_pdf(3), make_pdf(5), make_pdf(9)
    assert len(first) % CLUSTER

    def padded(data):
        return data + bytes(-len(data) % CLUSTER)

    def carved(name, *parts):
        image = tmp_path / name
        image.write_bytes(bytes(2 * CLUSTER) + b"".join(map(padded, parts)) + bytes(4 * CLUSTER))
        outcome = carve(Job(str(image), tmp_path / name.upper()), InProcess())
        return {each.digests.sha256: each.proof for each in outcome.files}

    def sha256(data):
        return hashlib.sha256(data).hexdigest()

    both = first + second
    assert carved("whole", both, other) == dict.fromkeys(map(sha256, (both, other)), "structure-proved")
    cut = both[: (len(first) // CLUSTER + 1) * CLUSTER]
    assert carved("cut", cut, other) == {sha256(first): "decoder-accepted", sha256(other): "structure-proved"}
