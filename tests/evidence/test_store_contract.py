"""What every store must do, whatever it opens: stable lists, true contents, bounds, no trace."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random

import msgspec
import pytest

from tests.fixtures.planted import Planted, plant_image
from unransom import evidence
from unransom.core.errors import EvidenceChangedError
from unransom.core.records import FileRef, Kind, Source
from unransom.core.streams import Reader, chunks
from unransom.evidence.store import Store

IMAGES = ("ext4", "ntfs", "fat", "exfat", "mbr", "gpt")
KINDS = ("folder", "file", "bucket", *IMAGES)


@pytest.fixture(params=KINDS)
def planted(request: pytest.FixtureRequest) -> Planted:
    if request.param in IMAGES:
        images = request.getfixturevalue("planted_images")
        return plant_image(request.param, images, request.getfixturevalue("tmp_path"))
    return request.getfixturevalue(f"plant_{request.param}")


@pytest.fixture
def store(planted: Planted) -> Iterator[Store]:
    opened = evidence.open_store(evidence.identify(planted.location))
    yield opened
    opened.close()


def live(store: Store) -> dict[bytes, FileRef]:
    refs = [ref for ref in store.files() if isinstance(ref, FileRef)]
    return {ref.path: ref for ref in refs if not ref.deleted and not ref.stream}


def test_is_recognised(planted: Planted) -> None:
    source = evidence.identify(planted.location)
    assert source.kind == planted.kind
    assert msgspec.json.decode(msgspec.json.encode(source), type=Source) == source


def test_lists_every_file_with_its_size(planted: Planted, store: Store) -> None:
    refs = live(store)
    assert {path: ref.size for path, ref in refs.items()} == {
        path: len(content) for path, content in planted.files.items()
    }
    assert all(ref.kind is Kind.FILE and ref.source == store.source.id for ref in refs.values())


def test_lists_no_problem_and_the_same_twice(store: Store) -> None:
    first = list(store.files())
    assert all(isinstance(each, FileRef) for each in first)
    assert list(store.files()) == first


def test_a_list_that_nobody_finishes_does_no_harm(planted: Planted, store: Store) -> None:
    next(iter(store.files()))
    assert len(live(store)) == len(planted.files)


def test_contents_are_true(planted: Planted, store: Store) -> None:
    for path, ref in live(store).items():
        with store.open(ref) as reader:
            assert isinstance(reader, Reader)
            assert reader.size == ref.size
            assert b"".join(chunks(reader, step=70_000)) == planted.files[path], path


def test_reads_end_where_the_file_ends(planted: Planted, store: Store) -> None:
    for path, ref in live(store).items():
        content = planted.files[path]
        with store.open(ref) as reader:
            assert reader.read_at(0, 0) == b""
            assert reader.read_at(ref.size, 10) == b""
            assert reader.read_at(ref.size + 10**12, 10) == b""
            assert reader.read_at(max(0, ref.size - 1), 100) == content[-1:]
            assert reader.read_at(0, 4096) == content[:4096]


def test_a_record_that_was_stored_opens_in_a_new_process(planted: Planted, store: Store) -> None:
    source = msgspec.json.decode(msgspec.json.encode(store.source), type=Source)
    for path, ref in live(store).items():
        again = msgspec.json.decode(msgspec.json.encode(ref), type=FileRef)
        other = evidence.open_store(source)
        with other.open(again) as reader:
            assert reader.read_at(0, 1 << 16) == planted.files[path][: 1 << 16]
        other.close()


def test_threads_read_one_reader_at_once(planted: Planted, store: Store) -> None:
    path, ref = max(live(store).items(), key=lambda item: item[1].size)
    content = planted.files[path]

    def reads_well(seed: int) -> bool:
        order = Random(seed)
        ranges = [(order.randrange(len(content)), order.randrange(1, 200_000)) for _ in range(25)]
        return all(reader.read_at(at, length) == content[at : at + length] for at, length in ranges)

    with store.open(ref) as reader, ThreadPoolExecutor(4) as pool:
        assert all(pool.map(reads_well, range(8)))


def test_nothing_of_the_evidence_changes(planted: Planted) -> None:
    before = planted.snapshot()
    source = evidence.identify(planted.location)
    store = evidence.open_store(source)
    store.fingerprint()
    for ref in live(store).values():
        with store.open(ref) as reader:
            reader.read_at(0, 1 << 20)
    store.close()
    assert planted.snapshot() == before


def test_a_changed_file_is_not_opened(planted: Planted, store: Store) -> None:
    source = msgspec.structs.replace(store.source, fingerprint=store.fingerprint())
    path, ref = max(live(store).items(), key=lambda item: item[1].size)
    planted.change(path)

    def open_again() -> None:
        with evidence.open_store(source).open(ref):
            pass

    with pytest.raises(EvidenceChangedError) as caught:
        open_again()
    assert caught.value.hint


def test_closing_twice_does_nothing(store: Store) -> None:
    store.close()
    store.close()
