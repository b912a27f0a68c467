"""The map of the space: every cluster once, those of files that are there apart; and what a dry run tells."""

import random
import sqlite3

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.catalog.formats import database_samples
from tests.fixtures.in_process import InProcess
from tests.fixtures.tools import run
from tests.makers.office_files import files
from unransom.catalog.oracle import judge
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.core.streams import BytesReader
from unransom.recover.carve.classes import DENSE, KNOWN, LOCKED, LOCKED_HEAD, TEXT, ZERO, page_clusters
from unransom.recover.carve.known import Known, all_clusters, hashes_of, sealed_clusters
from unransom.recover.carve.mapping import ORDER, _settled, holdings, overlaid_of, settle
from unransom.recover.carve.records import Looked
from unransom.recover.carve.scan import scan
from unransom.recover.carve.space import Space
from unransom.run.carving import Job, carve

CLUSTER = 4096
MiB = 1 << 20


def noise(seed, clusters):
    return random.Random(seed).randbytes(clusters * CLUSTER)


def padded(data):
    return data + bytes(-len(data) % CLUSTER)


def database():
    made = sqlite3.connect(":memory:")
    made.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, what TEXT)")
    made.executemany("INSERT INTO orders (what) VALUES (?)", [(f"order {n} " * 9,) for n in range(3000)])
    made.commit()
    return made.serialize()


def tablespace():
    """Return a tablespace whose pages end with the ends of their log sequence numbers, as real ones do."""
    made = bytearray(database_samples.innodb(size=16384, pages=8))
    for start in range(0, len(made) - 16384, 16384):
        made[start + 16380 : start + 16384] = made[start + 20 : start + 24]
    return bytes(made)


@pytest.mark.parametrize("make", [tablespace, database_samples.mssql, database])
def test_pages_of_databases_are_told(make):
    data = padded(make())
    count = len(data) // CLUSTER
    assert page_clusters(data, CLUSTER).sum() >= 0.9 * (count - data.count(bytes(CLUSTER)))


@given(st.binary(min_size=512, max_size=3000), st.sampled_from([512, 1024, 4096]))
def test_no_bytes_break_the_tests_for_pages(unit, cluster):
    assert len(page_clusters(unit * 30, cluster)) == len(unit) * 30 // cluster


def test_other_files_hold_no_pages():
    data = b"".join(padded(each.data) for each in files(48) if not each.name.startswith("sqlite"))
    assert page_clusters(data + noise(1, 4000), CLUSTER).sum() <= 4


def test_equal_clusters_have_equal_hashes_and_others_others():
    data = noise(2, 500)
    hashes = hashes_of(data + data[:CLUSTER] + b"ab" * 2048, CLUSTER)
    assert len(set(hashes.tolist())) == 501
    assert hashes[500] == hashes[0]
    assert hashes[501] == 0  # repeats a word: of any file
    changed = bytearray(data[:CLUSTER])
    for place in range(0, CLUSTER, 7):
        changed[place] ^= 1
        assert hashes_of(bytes(changed), CLUSTER)[0] != hashes[0]
        changed[place] ^= 1


def test_what_a_locker_left_as_it_was_is_no_locked_cluster():
    plain, sealed = noise(3, 8), noise(4, 4)
    copy = sealed + plain[4 * CLUSTER :]  # the second half was left: dense too
    locked, heads = sealed_clusters(BytesReader(copy), CLUSTER)
    known = Known(np.zeros(0, np.uint64), np.sort(locked), heads)
    image = plain + bytes(CLUSTER) + copy
    space = Space(BytesReader(image))
    seen = Looked(scan=scan(space, Span(0, space.size), CLUSTER, known.mark), found=(), skipped=0)
    settle([seen])
    assert seen.scan.classes.tolist() == [DENSE] * 8 + [ZERO] + [LOCKED] * 8
    left = files(1).__next__().data  # its first cluster is a picture's or a document's
    assert [len(each) for each in sealed_clusters(BytesReader(b"text " * 3000 + left), CLUSTER)] == [0, 0]


def test_runs_of_locked_files_go_over_the_ends_of_regions():
    row = np.array([LOCKED, LOCKED, TEXT, LOCKED, LOCKED_HEAD, LOCKED, KNOWN, LOCKED, LOCKED_HEAD], np.uint8)
    rest = [DENSE, LOCKED, LOCKED, KNOWN, DENSE, LOCKED]
    assert _settled(row, running=True).tolist() == [LOCKED, LOCKED, TEXT, *rest]
    assert _settled(row, running=False).tolist() == [DENSE, DENSE, TEXT, *rest]
    assert _settled(row[:0], running=True).tolist() == []


@pytest.mark.parametrize("more", [0, 1, 4000])
def test_every_byte_is_of_one_class(more):
    head = b"%PDF-1.4\n" + b"1 0 obj\n" * 300
    parts = [padded(head), bytes(5 * CLUSTER), noise(5, 7), b"lines of text\n" * 3000, padded(database())]
    image = b"".join(padded(part) for part in parts) + (head * 2)[:more]
    known = Known(np.sort(all_clusters(BytesReader(noise(5, 7)), CLUSTER)), *(np.zeros(0, np.uint64),) * 2)
    space = Space(BytesReader(image))
    seen = scan(space, Span(0, space.size), CLUSTER, known.mark)
    starts = [0, len(image) - more] if more else [0]
    looked = Looked(scan=seen, found=(), skipped=0, overlaid=overlaid_of(seen, starts))
    sizes = holdings([looked])
    assert list(sizes) == list(ORDER)
    assert sum(sizes.values()) == len(image)
    assert min(sizes.values()) >= 0
    assert sizes["header"] == CLUSTER + more
    assert sizes["known"] == 7 * CLUSTER
    assert sizes["zero"] == 5 * CLUSTER
    assert sizes["database"] > 50 * CLUSTER


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """An ext4 image with sound and locked files, and copies of both that were deleted."""
    folder = tmp_path_factory.mktemp("map")
    image, mount = folder / "disk.img", folder / "files"
    mount.mkdir()
    made = [each.data for each in files(24) if len(each.data) > 3 * CLUSTER][:6]
    for number, data in enumerate(made):
        (mount / f"{number}.bin").write_bytes(data)
        (mount / f"bill {number}.pdf.locked").write_bytes(noise(number, 30))
        (mount / f"gone {number}.a").write_bytes(data)
        (mount / f"gone {number}.b").write_bytes(noise(number, 30))
    with image.open("wb") as file:
        file.truncate(32 * MiB)
    run("e2fsprogs", "mkfs.ext4", "-q", "-b", "4096", "-d", mount, image)
    for number in range(6):
        for kind in "ab":
            run("e2fsprogs", "debugfs", "-w", "-R", f'rm "gone {number}.{kind}"', image)
    return image, made


def test_copies_of_files_that_are_there_are_told_apart(tmp_path, disk):
    image, made = disk
    outcome = carve(Job(str(image), tmp_path / "out", dry=True), InProcess())
    assert sum(outcome.holds.values()) == outcome.searched
    sound = [data for data in made if judge(BytesReader(data)).validation.grade is Grade.GOOD]
    assert outcome.holds["locked"] == 6 * 30 * CLUSTER
    assert outcome.holds["known"] >= sum(len(data) // CLUSTER - 4 for data in sound) * CLUSTER > 0


def test_a_dry_run_tells_what_sets_and_folders_would_leave_out(tmp_path, disk):
    image, made = disk
    every = carve(Job(str(image), tmp_path / "every", dry=True), InProcess())
    folder = tmp_path / "known" / "below"
    folder.mkdir(parents=True)
    for number, data in enumerate(made):
        (folder / str(number)).write_bytes(data)
    (folder / "link").symlink_to(folder)
    job = Job(str(image), tmp_path / "dry", dry=True, left_out=(folder.parent,))
    dry = carve(job, InProcess())
    real = carve(Job(str(image), tmp_path / "real", left_out=(folder.parent,)), InProcess())
    assert dry.known == real.known > 3
    assert len(dry.files) + dry.known == len(every.files)
    assert {each.digests.sha256 for each in dry.files} == {each.digests.sha256 for each in real.files}
    assert list((tmp_path / "dry").iterdir()) == []
