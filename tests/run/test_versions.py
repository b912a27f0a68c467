"""A bucket that keeps versions, locked by overwriting: ``recover`` takes the versions of before."""

import json
import os
import subprocess
import sys

import pytest

from tests.fixtures.locked import expected, lock_inc, originals, recovered, result_of


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
