"""Requests to a store: any key, any answer, and copies of objects in parts."""

import hashlib

import pytest

from tests.restore.made_case import content
from unransom.restore.moving import bucket as bucket_module
from unransom.restore.moving.bucket import BucketPlace
from unransom.restore.moving.place import NOTHING, OTHER, SAME, MoveError, Throttle
from unransom.restore.moving.plan import Entry
from unransom.restore.moving.requests import Requests

KEYS = ("a b+c%20.txt", "名/图 片~(1)'!*.jpg", "x=&y?z#;@$,.txt", "deep/" * 30 + "é.bin")


@pytest.fixture
def environment(s3_server, monkeypatch):
    for name, value in s3_server.writing.items():
        monkeypatch.setenv(name, value)


def entry_of(path, data):
    digests = hashlib.sha256(data).hexdigest(), hashlib.md5(data).hexdigest()
    return Entry(1, path, path, len(data), *digests)


def test_a_key_may_have_any_character(s3_server, environment):
    bucket = s3_server.new_bucket({})
    ask = Requests(bucket, 4)
    for key in KEYS:
        ask(
            "put_object",
            Key=key,
            Body=key.encode(),
            Metadata={"unransom-number": "7"},
            ContentType="text/x-a",
        )
        assert s3_server.writer.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
        head = ask("head_object", Key=key)
        assert (head["ContentLength"], head["ContentType"]) == (len(key.encode()), "text/x-a")
        assert head["Metadata"] == {"unransom-number": "7"}
        assert ask("get_object", Key=key)["Body"].read() == key.encode()
        ask("delete_object", Key=key)
        for method in ("head_object", "get_object"):
            with pytest.raises(FileNotFoundError):
                ask(method, Key=key)
    ask.close()


def test_what_the_store_refuses_is_told_in_its_words(s3_server, monkeypatch):
    bucket = s3_server.new_bucket({b"a": b"a"})
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    ask = Requests(bucket, 4)
    with pytest.raises(MoveError, match="AccessDenied"):
        ask("put_object", Key="b", Body=b"b")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    wrong = Requests(bucket, 4)
    with pytest.raises(MoveError, match="SignatureDoesNotMatch"):
        wrong("get_object", Key="a")
    for each in (ask, wrong):
        each.close()


def test_a_listing_tells_what_is_there(s3_server, environment, tmp_path):
    there = {b"shop/%04d" % number: content(number) for number in range(0, 40, 3)}
    place = BucketPlace(f"s3://{s3_server.new_bucket(there)}/shop", "p" * 64, Throttle(0))
    entries = [entry_of(f"{number:04}", content(number + number % 2)) for number in range(40)]
    place.survey(entries)
    asked = []
    place._head, original = (lambda key: asked.append(key) or original(key)), place._head
    kinds = [place.look(entry, tmp_path).kind for entry in entries]
    assert kinds == [NOTHING if number % 3 else OTHER if number % 2 else SAME for number in range(40)]
    assert len(asked) == len(there)
    place.survey([])
    place.close()


def test_an_object_too_large_for_one_request_is_copied_in_parts(
    s3_server, environment, tmp_path, monkeypatch
):
    monkeypatch.setattr(bucket_module, "MOST_COPIED", 6 << 20)
    bucket = s3_server.new_bucket({})
    old, new = content("old", 13 << 20), b"new"
    about = {"ContentType": "image/x-old", "Metadata": {"owner": "shop"}}
    s3_server.writer.put_object(Bucket=bucket, Key="a.iso", Body=old, **about)
    (tmp_path / "a.iso").write_bytes(new)
    place, entry = BucketPlace(f"s3://{bucket}", "p" * 64, Throttle(0)), entry_of("a.iso", new)
    found = place.look(entry, tmp_path / "a.iso")
    mark = place.put(1, entry, tmp_path / "a.iso", found)
    assert s3_server.writer.get_object(Bucket=bucket, Key="a.iso")["Body"].read() == new
    place.back(1, entry, found, mark)
    place.forget(1, entry, found)
    answer = s3_server.writer.get_object(Bucket=bucket, Key="a.iso")
    assert (answer["Body"].read(), answer["ContentType"]) == (old, "image/x-old")
    assert answer["Metadata"] == {"owner": "shop"}
    assert [each["Key"] for each in s3_server.writer.list_objects_v2(Bucket=bucket)["Contents"]] == ["a.iso"]
    place.close()
