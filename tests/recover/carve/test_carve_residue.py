"""Carving real file systems after a pass of a locker: what comes back, its names, and what is told."""

import hashlib
import json
import os
import random
import sqlite3
import struct
import subprocess

import numpy as np
import pytest

from tests.fixtures.disks import MiB
from tests.fixtures.images import KINDS
from tests.fixtures.in_process import InProcess
from tests.fixtures.tools import run, tool
from tests.makers.locked_disks import locked_disk
from tests.makers.office_files import files
from tests.makers.raw_image import File
from unransom.core.errors import UsageError
from unransom.recover.carve.mapping import ORDER
from unransom.run.carving import Job, carve

INTACT = {"ext4": 0.98, "ntfs": 0.99, "xfs": 0.98}
NAMED = {"ext4": 0.8, "ntfs": 0.8, "xfs": 0.8}


def grown(data, number):
    """Return what a locker leaves that fills up to blocks of 16 and appends a tail of 300 bytes."""
    return random.Random(number).randbytes(-(-len(data) // 16) * 16 + 300)


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """``disk(kind)``: an image after a pass of a locker, and what was on it; made once."""
    made = {}

    def make(kind):
        if kind not in made:
            image = tmp_path_factory.mktemp(kind) / "disk.img"
            folders = ("bills", "Aufträge", "shop 3/2026")
            named = [
                File(f"{folders[number % 3]}/{number}.{each.name.rpartition('.')[2]}", each.data)
                for number, each in enumerate(files(40))
            ]
            made[kind] = image, locked_disk(image, kind, named, seal=grown)
        return made[kind]

    return make


def sums(outcome):
    return {each.digests.sha256: each for each in outcome.files}


@pytest.mark.parametrize("kind", INTACT)
def test_what_is_intact_comes_back_with_its_name(tmp_path, disk, kind):
    image, originals = disk(kind)
    outcome = carve(Job(str(image), tmp_path / "out"), InProcess())
    intact = [each for each in originals if each.intact]
    found = sums(outcome)
    assert len(intact) >= 5
    assert sum(each.sha256 in found for each in intact) >= INTACT[kind] * len(intact)
    paths = {(each.original.decode(), each.digests.sha256) for each in outcome.files}
    named = [each for each in intact if (each.path, each.sha256) in paths]
    assert len(named) >= NAMED[kind] * len(intact)
    right = {each.sha256 for each in originals}
    wrong = [each for each in outcome.files if each.digests.sha256 not in right]
    assert len(wrong) <= 0.05 * len(outcome.files)
    for each in outcome.files:
        path = tmp_path / "out" / os.fsdecode(each.path)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == each.digests.sha256
        assert each.path.startswith(b"named/") == bool(each.original)


def sound(number):
    """Return a WAV sound, which nothing puts together once it is in pieces."""
    samples = (9000 * np.sin(np.arange(150_000) / (20 + number))).astype("<i2").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 44100, 88200, 2, 16)
    return (
        b"RIFF"
        + struct.pack("<I", len(samples) + 36)
        + b"WAVE"
        + form
        + b"data"
        + struct.pack("<I", len(samples))
        + samples
    )


def test_files_in_many_pieces_lie_where_their_extents_are_left(tmp_path):
    image = tmp_path / "disk.img"
    sounds = [File(f"{number}.wav", sound(number)) for number in range(6)]
    originals = locked_disk(image, "ext4", sounds, options=("-O", "^has_journal"))
    found = sums(carve(Job(str(image), tmp_path / "out"), InProcess()))
    assert sum(each.intact for each in originals) >= 4
    assert [each.path for each in originals if each.intact and each.sha256 not in found] == []


WRAPPED = [each for each in KINDS if each.name in {"qcow2-3", "vmdk-twoGbMaxExtentSparse", "ewf-segments"}]


@pytest.mark.parametrize("kind", WRAPPED, ids=lambda kind: kind.name)
def test_wrapped_disks_give_the_same(tmp_path, disk, kind):
    raw, _ = disk("ntfs")
    image = tmp_path / kind.file
    kind.make(raw, image)
    expected = carve(Job(str(raw), tmp_path / "raw"), InProcess())
    assert set(sums(carve(Job(str(image), tmp_path / "out"), InProcess()))) == set(sums(expected))


def test_trimmed_disks_are_told(tmp_path):
    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        file.truncate(24 * MiB)
    run("e2fsprogs", "mkfs.ext4", "-q", "-F", "-b", "4096", image)
    outcome = carve(Job(str(image), tmp_path / "out"), InProcess())
    assert (outcome.empty, outcome.files) == (True, ())


def test_files_of_a_set_of_hashes_are_not_kept(tmp_path, disk):
    image, _ = disk("ntfs")
    whole = carve(Job(str(image), tmp_path / "whole"), InProcess())
    one, other = whole.files[0].digests, whole.files[1].digests
    text, database = tmp_path / "known.txt", tmp_path / "rds.db"
    text.write_text(f"%%%% size,md5,sha256,filename\n{one.size},{one.md5},{one.sha256},/usr/bin/x\n")
    with sqlite3.connect(database) as made:
        made.execute("CREATE TABLE METADATA (metadata_id INTEGER, sha256 TEXT, sha1 TEXT, md5 TEXT)")
        made.execute("INSERT INTO METADATA VALUES (1, ?, '', ?)", (other.sha256.upper(), other.md5.upper()))
    made.close()
    out = tmp_path / "out"
    outcome = carve(Job(str(image), out, left_out=(text, database)), InProcess())
    assert set(sums(outcome)) == set(sums(whole)) - {one.sha256, other.sha256}
    assert outcome.known == 2
    written = [
        json.loads(line)["digests"]["sha256"] for line in (out / "carved.jsonl").read_text().splitlines()
    ]
    assert sorted(written) == sorted(each.digests.sha256 for each in outcome.files)
    left = {
        hashlib.sha256(path.read_bytes()).hexdigest() for path in out.rglob("*.*") if path.suffix != ".jsonl"
    }
    assert not left & {one.sha256, other.sha256}


def test_sets_as_hashdeep_and_the_nsrl_write_them_are_read(tmp_path, disk):
    image, _ = disk("ntfs")
    whole = carve(Job(str(image), tmp_path / "whole"), InProcess())
    folder, rds = tmp_path / "known", tmp_path / "rds.db"
    folder.mkdir()
    for each in whole.files[:3]:
        (folder / each.digests.md5).write_bytes((tmp_path / "whole" / os.fsdecode(each.path)).read_bytes())
    listed = tmp_path / "known.txt"
    listing = subprocess.run([tool("hashdeep", "hashdeep"), "-r", folder], check=True, capture_output=True)
    listed.write_bytes(listing.stdout)
    with sqlite3.connect(rds) as made:  # tables and indexes as in the minimal sets of RDS v3
        made.execute(
            "CREATE TABLE FILE (sha256 VARCHAR NOT NULL, sha1 VARCHAR NOT NULL, md5 VARCHAR NOT NULL,"
            " file_name VARCHAR NOT NULL, file_size INTEGER NOT NULL, package_id INTEGER NOT NULL)"
        )
        made.execute("CREATE TABLE PKG (package_id INTEGER NOT NULL, name VARCHAR NOT NULL)")
        made.execute("CREATE INDEX by_hash ON FILE (sha256)")
        for each in whole.files[3:5]:
            row = (
                each.digests.sha256.upper(),
                "0" * 40,
                each.digests.md5.upper(),
                "x.dll",
                each.digests.size,
            )
            made.execute("INSERT INTO FILE VALUES (?, ?, ?, ?, ?, 1)", row)
    made.close()
    outcome = carve(Job(str(image), tmp_path / "out", left_out=(listed, rds)), InProcess())
    assert set(sums(outcome)) == set(sums(whole)) - {each.digests.sha256 for each in whole.files[:5]}


def test_what_the_space_holds_is_told(tmp_path, disk):
    image, _ = disk("ntfs")
    outcome = carve(Job(str(image), tmp_path / "out", dry=True), InProcess())
    assert {"zero", "text", "dense", "other"} < set(outcome.holds) == set(ORDER)
    assert sum(outcome.holds.values()) == outcome.searched
    assert outcome.holds["zero"] > outcome.holds["dense"] > 0


def test_a_set_that_cannot_be_read_is_told(tmp_path, disk):
    image, _ = disk("ntfs")
    broken = tmp_path / "rds.db"
    broken.write_bytes(b"SQLite format 3\0" + bytes(5000))
    with pytest.raises(UsageError):
        carve(Job(str(image), tmp_path / "out", left_out=(broken,)), InProcess())
