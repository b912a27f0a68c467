"""Moves to a real S3 server that breaks and fills up, with deaths anywhere; undo leaves no trace."""

import hashlib
import os
import random

import pytest

from tests.fixtures.unreliable_store import unreliable_store
from tests.restore.made_case import content, killed, make_case, status, unransom
from unransom.restore.moving import bucket as target_module


def objects(server, bucket, prefix=""):
    """Return every object: its bytes' digest, its type and its metadata."""
    found = {}
    for page in server.writer.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for each in page.get("Contents", []):
            answer = server.writer.get_object(Bucket=bucket, Key=each["Key"])
            body = answer["Body"].read()
            found[each["Key"]] = (hashlib.sha256(body).hexdigest(), answer["ContentType"], answer["Metadata"])
    return found


def versions(server, bucket):
    """Return every version and marker, by key, the newest first."""
    found = {}
    for page in server.writer.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for kind in ("Versions", "DeleteMarkers"):
            for each in page.get(kind, []):
                about = (each["LastModified"], kind, each["VersionId"], each["IsLatest"])
                found.setdefault(each["Key"], []).append(about)
    return {key: sorted(entries, reverse=True) for key, entries in found.items()}


def digests(server, bucket):
    return {key: about[0] for key, about in objects(server, bucket).items()}


def expected(contents, prefix="shop/"):
    return {prefix + path.decode(): hashlib.sha256(data).hexdigest() for path, data in contents.items()}


SOAK = int(os.environ.get("UNRANSOM_RESTORED", "50000"))  # files of the long run
CONTENTS = {b"img/%04d.jpg" % number: content(number) for number in range(60)} | {"名.txt".encode(): b""}
THERE = {
    b"shop/img/0000.jpg": b"what the locker left",
    b"shop/img/0001.jpg": content(1),
    b"shop/img/0002.jpg": content(3),  # as long as what comes, and something else
    b"other/stays.txt": b"stays",
}


@pytest.mark.parametrize("versioned", [False, True], ids=["plain", "versioned"])
def test_everything_moves_and_undo_leaves_the_bucket_as_it_was(s3_server, tmp_path, versioned):
    bucket = s3_server.new_bucket(THERE, versioned=versioned)
    about = {"ContentType": "image/x-old", "CacheControl": "max-age=9", "Metadata": {"owner": "shop"}}
    s3_server.writer.put_object(Bucket=bucket, Key="shop/img/0000.jpg", Body=b"encrypted", **about)
    if versioned:
        s3_server.writer.delete_object(Bucket=bucket, Key="shop/img/0002.jpg")
    before, history = objects(s3_server, bucket), versions(s3_server, bucket)
    case = make_case(tmp_path / "case", CONTENTS)
    environment = s3_server.writing
    unransom("restore", "plan", "--case", case, "--to", f"s3://{bucket}", environment=environment)
    assert objects(s3_server, bucket) == before
    printed = unransom("restore", "apply", "--case", case, environment=environment)
    assert f"{len(CONTENTS) - 1} moved, 1 was there already" in printed
    now = objects(s3_server, bucket)
    assert {key: about[0] for key, about in now.items() if key.startswith("shop/")} == expected(CONTENTS)
    assert now["shop/img/0000.jpg"][1] == "image/x-old"
    assert now["shop/img/0005.jpg"][1] == "image/jpeg"
    unransom("restore", "verify", "--case", case, environment=environment)
    s3_server.writer.put_object(Bucket=bucket, Key="shop/img/0007.jpg", Body=b"a new picture")
    unransom("restore", "verify", "--case", case, environment=environment, code=14)
    assert "0007" in unransom("restore", "undo", "--case", case, environment=environment, code=3)
    assert (
        objects(s3_server, bucket).pop("shop/img/0007.jpg")[0] == hashlib.sha256(b"a new picture").hexdigest()
    )
    if versioned:
        for version in versions(s3_server, bucket)["shop/img/0007.jpg"][:1]:
            s3_server.writer.delete_object(Bucket=bucket, Key="shop/img/0007.jpg", VersionId=version[2])
        unransom("restore", "undo", "--case", case, environment=environment)
        assert versions(s3_server, bucket) == history
    else:
        s3_server.writer.delete_object(Bucket=bucket, Key="shop/img/0007.jpg")
        unransom("restore", "undo", "--case", case, environment=environment)
    assert objects(s3_server, bucket) == before


def ordeal(s3_server, tmp_path, contents, *, versioned, every=23, seed=1):
    """Move with deaths, 500s and a bucket that fills up, check every hash, undo with deaths and 500s."""
    bucket = s3_server.new_bucket(THERE, versioned=versioned)
    before = objects(s3_server, bucket)
    history = versions(s3_server, bucket)
    case = make_case(tmp_path / "case", contents)
    chance, count = random.Random(seed), len(contents)
    deaths = 0
    with unreliable_store(s3_server.endpoint) as store:
        environment = {**s3_server.writing, "AWS_ENDPOINT_URL": store.endpoint}
        unransom("restore", "plan", "--case", case, "--to", f"s3://{bucket}", environment=environment)
        store.every = every
        for _ in range(2):
            goal = store.puts + chance.randrange(count // 10, count // 4)
            deaths += killed(
                *("restore", "apply", "--case", case),
                when=lambda goal=goal: store.puts > goal,
                environment=environment,
                within=900,
            )
        store.room = count // 5
        full = unransom("restore", "apply", "--case", case, environment=environment, code=1)
        assert "no room" in full
        assert "hint" in full
        assert store.refused
        store.room = None
        unransom("restore", "apply", "--case", case, environment=environment)
        assert status(case)[0]["state"] == "applied"
        found = {key: about for key, about in digests(s3_server, bucket).items() if key.startswith("shop/")}
        assert found == expected(contents)
        for _ in range(2):
            goal = store.requests + chance.randrange(count // 4, count // 2)
            deaths += killed(
                *("restore", "undo", "--case", case),
                when=lambda goal=goal: store.requests > goal,
                environment=environment,
                within=900,
            )
        unransom("restore", "undo", "--case", case, environment=environment)
        assert store.failed > count // every
    assert deaths == 4
    assert objects(s3_server, bucket) == before
    assert versions(s3_server, bucket) == history or not versioned
    return store


@pytest.mark.parametrize("versioned", [False, True], ids=["plain", "versioned"])
def test_deaths_errors_and_a_full_bucket_leave_no_trace(s3_server, tmp_path, versioned):
    count = 700 if versioned else 1300
    contents = {b"img/%04d.jpg" % number: content(number) for number in range(count)}
    ordeal(s3_server, tmp_path, contents, versioned=versioned)


@pytest.mark.soak
@pytest.mark.timeout(4 * 3600)
def test_fifty_thousand_files(s3_server, tmp_path):
    contents = {b"img/%04d.jpg" % number: content(number, 1000) for number in range(SOAK)}
    ordeal(s3_server, tmp_path, contents, versioned=False, every=211)


def test_large_objects_go_in_parts_and_no_part_is_left_behind(s3_server, tmp_path, monkeypatch):
    bucket = s3_server.new_bucket({b"shop/b.iso": b"old"})
    case = make_case(
        tmp_path / "case", {b"a.iso": content("a", 35 << 20), b"b.iso": content("b", (32 << 20) + 1)}
    )
    before = objects(s3_server, bucket)
    environment = s3_server.writing
    unransom("restore", "plan", "--case", case, "--to", f"s3://{bucket}/", environment=environment)
    upload = s3_server.writer.create_multipart_upload(Bucket=bucket, Key="shop/x.iso")["UploadId"]
    with unreliable_store(s3_server.endpoint) as store:
        proxied = {**environment, "AWS_ENDPOINT_URL": store.endpoint}
        assert killed(
            *("restore", "apply", "--case", case), when=lambda: store.puts >= 2, environment=proxied
        )
    unransom("restore", "apply", "--case", case, environment=environment)
    assert digests(s3_server, bucket)["shop/a.iso"] == hashlib.sha256(content("a", 35 << 20)).hexdigest()
    uploads = s3_server.writer.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    assert [each["UploadId"] for each in uploads] == [upload]  # somebody else's stays
    unransom("restore", "undo", "--case", case, environment=environment)
    assert objects(s3_server, bucket) == before
    assert target_module.PART == 16 << 20


def test_a_bucket_that_is_not_there_or_may_not_be_written_is_told(s3_server, tmp_path):
    case = make_case(tmp_path / "case", {b"a.jpg": b"a"})
    printed = unransom(
        *("restore", "plan", "--case", case, "--to", "s3://no-such-bucket"),
        environment=s3_server.writing,
        code=2,
    )
    assert "AWS_ENDPOINT_URL" in printed
    bucket = s3_server.new_bucket({})
    readable = s3_server.environment
    unransom("restore", "plan", "--case", case, "--to", f"s3://{bucket}", environment=readable)
    assert "refuses" in unransom("restore", "apply", "--case", case, environment=readable, code=3)
