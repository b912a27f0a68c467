"""Buckets and volumes that keep versions: ``recover`` takes those from before the locking, and says so."""

import json
import os
import subprocess
import sys

import pytest

from tests.fixtures.disks import Disks, MiB
from tests.fixtures.in_process import InProcess
from tests.fixtures.locked import expected, lock_inc, originals, recovered, result_of
from tests.makers.shadow_copies import reserve, reserved, shadowed
from unransom.case.case import Case
from unransom.run.recover import Job, recover
from unransom.run.searches import pairs


def unransom(*arguments, environment, expect):
    done = subprocess.run(
        [sys.executable, "-m", "unransom", *map(str, arguments)],
        check=False, capture_output=True, text=True, timeout=120, env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def files():
    odd = {path: data for path, data in originals().items() if not path.isascii()}
    plain = {path: data for path, data in originals().items() if path.endswith((b"0.png", b".csv", b".zip"))}
    assert len(plain) >= 5, sorted(originals())
    return {
        path: data for path, data in {**plain, **odd}.items() if b"\xff" not in path and len(data) < 100_000
    }


def test_the_version_before_the_locking_is_taken_and_said(s3_server, files, tmp_path):
    bucket = s3_server.new_bucket(dict.fromkeys(files, b"a draft from long before"), versioned=True)
    put = s3_server.writer.put_object
    for path, data in files.items():
        put(Bucket=bucket, Key=path.decode(), Body=data)
    put(Bucket=bucket, Key="untouched.txt", Body=b"never locked\n" * 20)
    for path, data in files.items():
        put(Bucket=bucket, Key=path.decode(), Body=lock_inc(data, path))
    case = tmp_path / "case"
    unransom("recover", f"s3://{bucket}", "--case", case, environment=s3_server.environment, expect=0)
    assert recovered(case) == expected(files)
    listed = unransom("files", "--case", case, "--state", "recovered", "--jsonl", environment={}, expect=0)
    rows = [json.loads(line) for line in listed.splitlines()]
    assert {row["method"] for row in rows} == {"copy"}
    assert all("before the locking" in row["why"] for row in rows)
    assert len(rows) == len(files)
    counts = result_of(case)["counts"]
    assert counts["total"] == 3 * len(files) + 1 if "total" in counts else counts["in"] == 3 * len(files) + 1
    unransom("case", "verify", case, environment={}, expect=0)


def test_an_object_that_was_locked_beside_and_deleted_comes_back(s3_server, files, tmp_path):
    bucket = s3_server.new_bucket(files, versioned=True)
    writer = s3_server.writer
    for path, data in files.items():
        writer.put_object(Bucket=bucket, Key=f"{path.decode()}.INC", Body=lock_inc(data, path))
        writer.delete_object(Bucket=bucket, Key=path.decode())
    case = tmp_path / "case"
    unransom("recover", f"s3://{bucket}", "--case", case, environment=s3_server.environment, expect=0)
    assert recovered(case) == expected(files)


def test_a_locked_object_without_an_older_version_waits_for_its_key(s3_server, files, tmp_path):
    bucket = s3_server.new_bucket(
        {path: lock_inc(data, path) for path, data in files.items()}, versioned=True
    )
    case = tmp_path / "case"
    options = ("--case", case, "--budget", "0")
    unransom("recover", f"s3://{bucket}", *options, environment=s3_server.environment, expect=13)
    assert not recovered(case)


def test_a_bucket_is_acquired_and_recovered_from_its_image(s3_server, files, tmp_path):
    bucket = s3_server.new_bucket(files, versioned=True)
    for path, data in files.items():
        s3_server.writer.put_object(Bucket=bucket, Key=path.decode(), Body=lock_inc(data, path))
    case = tmp_path / "case"
    unransom("acquire", f"s3://{bucket}", "--case", case, environment=s3_server.environment, expect=0)
    (image,) = (case / "evidence").iterdir()
    unransom("recover", image, "--case", case, environment={}, expect=0)
    assert recovered(case) == expected(files)
    unransom("case", "verify", case, environment={}, expect=0)


def test_a_folder_is_acquired_and_recovered_from_its_image(locked_folder, tmp_path):
    image, case = tmp_path / "shares.tar.zst", tmp_path / "case"
    unransom("acquire", locked_folder.folder, "--out", image, environment={}, expect=0)
    unransom("recover", image, "--case", case, "--key", locked_folder.key, environment={}, expect=0)
    assert recovered(case) == expected(locked_folder.originals)


SPACE = b"System Volume Information/{3808876b-c176-4e48-b7ae-04046e6cc752}"
BEFORE = 1_790_000_000 * 10**9


@pytest.fixture
def shadowed_volume(disks: Disks, files):
    """NTFS with a shadow copy from before half of its files were locked in place, the others beside."""
    plain = {path: data for path, data in files.items() if path.isascii()}
    image = disks.ntfs({**plain, b"never.txt": b"as it was\n" * 90, SPACE: reserve(120)}, 24 * MiB)
    before = image.read_bytes()
    with disks.mounted_ntfs(image) as mount:
        for number, (path, data) in enumerate(plain.items()):
            original = mount / path.decode()
            if number % 2:
                with original.open("r+b") as file:
                    file.write(lock_inc(data, path))
            else:
                original.with_name(original.name + ".INC").write_bytes(lock_inc(data, path))
                original.unlink()
    after = image.read_bytes()
    image.write_bytes(shadowed([before, after], [BEFORE], reserved(after, 120)))
    return image, plain


def test_files_come_back_from_shadow_copies(shadowed_volume, tmp_path):
    image, plain = shadowed_volume
    case = tmp_path / "case"
    unransom("recover", image, "--case", case, "--budget", "0", environment={}, expect=0)
    assert expected(plain).items() <= recovered(case).items()
    listed = unransom("files", "--case", case, "--state", "recovered", "--jsonl", environment={}, expect=0)
    rows = [json.loads(line) for line in listed.splitlines()]
    copied = [row["why"] for row in rows if row["method"] == "copy"]
    assert len(copied) >= len(plain) // 2  # what was deleted, carving may have found before
    assert all("shadow-1-1-20260921T141320Z" in why for why in copied)
    assert not list((case / "recovered").rglob("*never*"))
    unransom("case", "verify", case, environment={}, expect=0)


def test_a_key_goes_before_shadow_copies(shadowed_volume, locked_folder, tmp_path):
    image, plain = shadowed_volume
    case = tmp_path / "case"
    unransom("recover", image, "--case", case, "--key", locked_folder.key, environment={}, expect=0)
    assert expected(plain).items() <= recovered(case).items()  # carving may find more of those deleted
    listed = unransom("files", "--case", case, "--state", "recovered", "--jsonl", environment={}, expect=0)
    rows = [json.loads(line) for line in listed.splitlines()]
    in_place = [row for row in rows if row["path"].encode() in plain and row["method"] == "unlock"]
    assert len(in_place) == len(plain) // 2


def test_what_stands_in_shadow_copies_serves_to_find_keys(shadowed_volume, tmp_path):
    image, plain = shadowed_volume
    job = Job(sources=(str(image),), case=tmp_path / "case", last="triage")
    recover(job, InProcess())
    with Case(tmp_path / "case") as case:
        found = pairs(case.database, "inc")
    assert {pair.plain.path for pair in found if pair.how == "name"} == set(plain)
    assert {pair.plain.version for pair in found} == {"shadow-1-1-20260921T141320Z"}


def test_shadow_copies_are_in_the_timeline(shadowed_volume):
    image, _ = shadowed_volume
    lines = unransom("timeline", image, environment={}, expect=0).splitlines()
    made = [row for row in map(json.loads, lines) if row["timestamp_desc"] == "shadow copy"]
    assert [row["datetime"] for row in made] == ["2026-09-21T14:13:20+00:00"]
    assert "was made" in made[0]["message"]
    told = [json.loads(line)["item"] for line in lines if '"image crtime"' in line]
    assert len(told) == len(set(told))
    assert any(item.endswith("~shadow-1-1-20260921T141320Z") for item in told)
