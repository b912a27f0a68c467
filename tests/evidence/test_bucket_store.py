"""What is special about buckets: versions, deleted objects, pages, faults of the network, secrets."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from tests.fixtures.buckets import S3Server
from tests.fixtures.planted import some_bytes
from unransom import evidence
from unransom.core.errors import EvidenceChangedError, UnreadableError, UsageError
from unransom.core.records import FileRef, Problem, Source
from unransom.core.streams import chunks
from unransom.evidence.stores import bucket as bucket_module
from unransom.evidence.stores.bucket import BucketStore, Locator

Bucket = Callable[..., str]


@pytest.fixture
def store_of(s3_environment: S3Server) -> Iterator[Callable[[str], BucketStore]]:
    """Opens stores without retries and caches, and closes them."""
    opened: list[BucketStore] = []

    def open_store(location: str) -> BucketStore:
        opened.append(BucketStore(evidence.identify(location)))
        return opened[-1]

    yield open_store
    for store in opened:
        store.close()


def refs(store: BucketStore) -> list[FileRef]:
    found = list(store.files())
    assert all(isinstance(each, FileRef) for each in found), found
    return [each for each in found if isinstance(each, FileRef)]


def content(store: BucketStore, ref: FileRef) -> bytes:
    with store.open(ref) as reader:
        return b"".join(chunks(reader))


def rank(ref: FileRef) -> str:
    return Locator.parse(ref.locator).rank


def test_all_versions_are_listed_and_told_apart(
    s3_bucket: Bucket, s3_environment: S3Server, store_of: Callable[[str], BucketStore]
) -> None:
    name = s3_bucket({b"ledger.db": b"version 1"}, versioned=True)
    writer = s3_environment.writer
    for text in (b"version two", b"LOCKED"):
        writer.put_object(Bucket=name, Key="ledger.db", Body=text)
    store = store_of(f"s3://{name}")
    found = refs(store)
    assert [(ref.path, rank(ref), content(store, ref)) for ref in found] == [
        (b"ledger.db", "current", b"LOCKED"),
        (b"ledger.db", "older", b"version two"),
        (b"ledger.db", "older", b"version 1"),
    ]
    assert len({ref.version for ref in found}) == 3
    assert all(ref.version and not ref.deleted for ref in found)


def test_versions_of_a_deleted_object_are_marked(
    s3_bucket: Bucket, s3_environment: S3Server, store_of: Callable[[str], BucketStore]
) -> None:
    name = s3_bucket({b"a": b"1", b"gone": b"first", b"z": b"1"}, versioned=True)
    s3_environment.writer.put_object(Bucket=name, Key="gone", Body=b"second")
    s3_environment.writer.delete_object(Bucket=name, Key="gone")
    store = store_of(f"s3://{name}")
    assert [(ref.path, ref.deleted, rank(ref), content(store, ref)) for ref in refs(store)] == [
        (b"a", False, "current", b"1"),
        (b"gone", True, "current", b"second"),
        (b"gone", True, "older", b"first"),
        (b"z", False, "current", b"1"),
    ]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_do_not_matter(
    s3_bucket: Bucket, s3_environment: S3Server, store_of: Callable[[str], BucketStore], size: int
) -> None:
    name = s3_bucket({b"%d" % number: b"1" for number in range(4)}, versioned=True)
    for number in range(4):
        s3_environment.writer.put_object(Bucket=name, Key=f"{number}", Body=b"2")
    for number in (0, 2, 3):
        s3_environment.writer.delete_object(Bucket=name, Key=f"{number}")
    store = store_of(f"s3://{name}")
    expected = refs(store)
    assert [ref.deleted for ref in expected] == [True, True, False, False, True, True, True, True]
    real = store._s3.call_s3

    def small_pages(method: str, **arguments: Any) -> Any:
        return real(method, **{**arguments, "MaxKeys": size})

    store._s3.call_s3 = small_pages
    assert refs(store) == expected


def test_objects_from_before_versioning_are_read(
    s3_bucket: Bucket, s3_environment: S3Server, store_of: Callable[[str], BucketStore]
) -> None:
    name = s3_bucket({b"old": b"before", b"kept": b"as it is"})
    status = {"Status": "Enabled"}
    s3_environment.writer.put_bucket_versioning(Bucket=name, VersioningConfiguration=status)
    s3_environment.writer.put_object(Bucket=name, Key="old", Body=b"after")
    store = store_of(f"s3://{name}")
    assert [(ref.path, rank(ref), content(store, ref)) for ref in refs(store)] == [
        (b"kept", "current", b"as it is"),
        (b"old", "current", b"after"),
        (b"old", "older", b"before"),
    ]


def test_a_prefix_is_a_folder_or_an_object(s3_bucket: Bucket, store_of: Callable[[str], BucketStore]) -> None:
    name = s3_bucket({b"docs/a": b"1", b"docs/b/c": b"2", b"docs2/d": b"3", b"docs": b"4", b"docs/e/": b""})
    assert [ref.path for ref in refs(store_of(f"s3://{name}/docs"))] == [b"a", b"b/c"]
    assert [ref.path for ref in refs(store_of(f"s3://{name}/docs/"))] == [b"a", b"b/c"]
    single = store_of(f"s3://{name}/docs2/d")
    (ref,) = refs(single)
    assert (ref.path, content(single, ref)) == (b"d", b"3")
    assert len(refs(store_of(f"s3://{name}"))) == 4
    assert refs(store_of(f"s3://{name}/nothing")) == []


def test_a_deleted_version_or_replaced_object_is_a_changed_one(
    s3_bucket: Bucket, s3_environment: S3Server, store_of: Callable[[str], BucketStore]
) -> None:
    name = s3_bucket({b"a": b"12345", b"b": b"12345"})
    store = store_of(f"s3://{name}")
    first, second = refs(store)
    with store.open(second) as reader:
        s3_environment.writer.put_object(Bucket=name, Key="b", Body=b"54321")
        with pytest.raises(EvidenceChangedError):
            reader.read_at(0, 5)
    s3_environment.writer.delete_object(Bucket=name, Key="a")
    for ref in (first, second):
        with pytest.raises(EvidenceChangedError), store.open(ref):
            pass


def test_a_large_object_is_read_whichever_etag_the_store_lists(
    s3_bucket: Bucket, s3_environment: S3Server, store_of: Callable[[str], BucketStore]
) -> None:
    """This server keeps it in pieces, and without versions it lists their ETag, not that of the object."""
    large = random.Random(4).randbytes(9 << 20)
    name = s3_bucket({b"large": large})
    store = store_of(f"s3://{name}")
    (ref,) = refs(store)
    assert content(store, ref) == large
    time.sleep(1.1)  # times are whole seconds
    s3_environment.writer.put_object(Bucket=name, Key="large", Body=large[::-1])
    with pytest.raises(EvidenceChangedError), store.open(ref):
        pass


def test_a_bucket_that_is_not_there_is_a_problem(store_of: Callable[[str], BucketStore]) -> None:
    (found,) = store_of("s3://no-such-bucket-here").files()
    assert isinstance(found, Problem)
    assert "AWS_ENDPOINT_URL" in str(found.resolution)


def test_a_wrong_key_is_a_problem(
    s3_bucket: Bucket, store_of: Callable[[str], BucketStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = s3_bucket({b"a": b"1"})
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    found = list(store_of(f"s3://{name}").files())
    assert found
    assert all(isinstance(each, Problem) for each in found)


def test_without_the_right_to_list_versions_current_objects_are_listed(
    s3_bucket: Bucket, store_of: Callable[[str], BucketStore]
) -> None:
    name = s3_bucket({b"%d" % number: b"x" for number in range(5)})
    store = store_of(f"s3://{name}")
    real = store._s3.call_s3

    def refusing(method: str, **arguments: Any) -> Any:
        if method == "list_object_versions":
            raise PermissionError("Access Denied")
        return real(method, **({**arguments, "MaxKeys": 2} if "list" in method else arguments))

    store._s3.call_s3 = refusing
    problem, *found = store.files()
    assert isinstance(problem, Problem)
    assert [each.path for each in found if isinstance(each, FileRef)] == [b"0", b"1", b"2", b"3", b"4"]
    assert isinstance(found[0], FileRef)
    assert content(store, found[0]) == b"x"


def test_pages_that_never_end_do(s3_bucket: Bucket, store_of: Callable[[str], BucketStore]) -> None:
    store = store_of(f"s3://{s3_bucket({b'a': b'1'})}")
    store._s3.call_s3 = lambda *_, **__: {"IsTruncated": True, "NextKeyMarker": "a"}
    (found,) = store.files()
    assert isinstance(found, Problem)


def test_only_calls_that_read_are_made(s3_bucket: Bucket, store_of: Callable[[str], BucketStore]) -> None:
    store = store_of(f"s3://{s3_bucket({b'a': b'1', b'b': some_bytes(1, 9000)}, versioned=True)}")
    made = set()
    real = store._s3.call_s3

    def noting(method: str, **arguments: Any) -> Any:
        made.add(method)
        return real(method, **arguments)

    store._s3.call_s3 = noting
    for ref in refs(store):
        content(store, ref)
    assert made == {"list_object_versions", "head_object", "get_object"}


def test_a_store_that_does_not_answer_is_tried_again(
    s3_bucket: Bucket, store_of: Callable[[str], BucketStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = s3_bucket({b"a": b"all of it"})
    failures = [OSError("reset by peer")] * 3
    real = bucket_module.sync

    def failing(*arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return real(*arguments)

    monkeypatch.setattr(bucket_module, "sync", failing)
    store = store_of(f"s3://{name}")
    (ref,) = refs(store)
    with store.open(ref) as reader, pytest.raises(UnreadableError):
        reader.read_at(0, 9)
    monkeypatch.setattr(bucket_module, "NETWORK", bucket_module.NETWORK.__class__(attempts=3, pause=0))
    whole = evidence.open_store(store.source)
    with whole.open(ref) as reader:
        assert reader.read_at(4, 5) == b"of it"
    whole.close()


def test_nothing_secret_is_in_the_record(s3_bucket: Bucket, s3_environment: S3Server) -> None:
    source = evidence.identify(f"s3://{s3_bucket({})}")
    text = msgspec.json.encode(source).decode()
    assert not [value for value in s3_environment.environment.values() if value in text]


def test_without_the_part_for_buckets_the_hint_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(evidence.importlib, "import_module", missing)
    with pytest.raises(UsageError) as caught:
        evidence.open_store(Source(id="b", kind="bucket", location="s3://b"))
    assert "unransom[bucket]" in str(caught.value.hint)


def test_what_was_told_for_the_metadata_is_not_asked_for_again(
    s3_bucket: Bucket, store_of: Callable[[str], BucketStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of(f"s3://{s3_bucket({b'a': b'one', b'b': b'two'})}")
    asked = []
    call = store._s3.call_s3
    monkeypatch.setattr(
        store._s3, "call_s3", lambda method, **more: asked.append(method) or call(method, **more)
    )
    for ref in refs(store):
        asked.clear()
        store.metadata(ref)
        assert len(content(store, ref)) == 3
        assert asked == ["head_object", "get_object"]
        assert len(content(store, ref)) == 3  # opened later it is asked for anew
        assert asked[2:] == ["head_object", "get_object"]
