"""Wrappers: retry, cache, throttle, faults."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fixtures.planted import some_bytes
from unransom import evidence
from unransom.core.errors import UnreadableError
from unransom.core.records import FileRef
from unransom.core.spans import Span
from unransom.core.streams import BytesReader, Reader, Salvage, chunks
from unransom.evidence.descriptors import DescriptorReader, open_quietly
from unransom.evidence.wrap.cache import CachedReader
from unransom.evidence.wrap.faulty import Bad, Faults, FaultyReader, faulty
from unransom.evidence.wrap.retry import SECTOR, Patience, RetryReader
from unransom.evidence.wrap.throttle import Allowance, ThrottledReader, throttled

DATA = some_bytes(7, 200_000)


class Sleeper:
    """A clock that only goes on when someone sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


class Counting(BytesReader):
    """A reader that notes what it is asked for."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.asked: list[tuple[int, int]] = []

    def read_at(self, offset: int, length: int) -> bytes:
        self.asked.append((offset, length))
        return super().read_at(offset, length)


def scratched(*bad: Bad) -> FaultyReader:
    return FaultyReader(BytesReader(DATA), Faults(bad=bad))


# Retry


def test_retry_overcomes_faults_that_pass() -> None:
    sleeper = Sleeper()
    reader = RetryReader(scratched(Bad(100, 101, times=2)), Patience(3, 0.5, 10), sleeper.sleep)
    assert reader.read_at(0, len(DATA)) == DATA
    assert sleeper.pauses == [0.5, 1.0]


def test_retry_names_the_sector_that_fails() -> None:
    reader = RetryReader(scratched(Bad(50_000, 50_001)), Patience(attempts=2), Sleeper().sleep)
    with pytest.raises(UnreadableError) as caught:
        reader.read_at(10, 150_000)
    start = 50_000 // SECTOR * SECTOR
    assert (caught.value.offset, caught.value.length) == (start, SECTOR)
    assert reader.read_at(10, start - 10) == DATA[10:start]
    assert reader.read_at(start + SECTOR, 10**9) == DATA[start + SECTOR :]


def test_retry_loses_one_sector_of_a_page_that_the_cache_refuses_whole(tmp_path: Path) -> None:
    class Page(DescriptorReader):
        def read_at(self, offset: int, length: int) -> bytes:
            if offset // 4096 * 4096 <= 50_000 < -(-(offset + length) // 4096) * 4096:
                raise UnreadableError(offset, length)
            return super().read_at(offset, length)

        def read_past_cache(self, offset: int, length: int) -> bytes:
            if offset <= 50_000 < offset + length:
                raise UnreadableError(offset, length)
            return DATA[offset : offset + length]

    (tmp_path / "file").write_bytes(DATA)
    with Page(open_quietly(os.fsencode(tmp_path / "file"), 0)) as page:
        salvage = Salvage(RetryReader(page, sleep=Sleeper().sleep, sector=512), sector=512)
        read = salvage.read_at(0, len(DATA))
    start = 50_000 // 512 * 512
    assert salvage.lost == [Span(start, start + 512)]
    assert read == DATA[:start] + bytes(512) + DATA[start + 512 :]


def test_retry_does_not_try_again_what_it_has_given_up() -> None:
    sleeper = Sleeper()
    reader = RetryReader(scratched(Bad(50_000, 50_001)), Patience(3, 1, 100), sleeper.sleep)
    for _ in range(3):
        with pytest.raises(UnreadableError) as caught:
            reader.read_at(49_999, 3)
        assert 49_999 <= caught.value.offset <= 50_000 < caught.value.offset + caught.value.length
        spent = len(sleeper.pauses)
    with pytest.raises(UnreadableError):
        reader.read_at(50_000, 1)
    assert len(sleeper.pauses) == spent == 4


def test_retry_runs_out_of_patience_and_not_of_time() -> None:
    sleeper = Sleeper()
    reader = RetryReader(scratched(Bad(0, len(DATA))), Patience(5, 1, 20), sleeper.sleep)
    salvage = Salvage(reader)
    assert b"".join(chunks(salvage)) == bytes(len(DATA))
    assert sleeper.now == 20


def test_retry_gives_up_on_a_source_that_fails_at_random() -> None:
    class Moody(BytesReader):
        def read_at(self, offset: int, length: int) -> bytes:
            if length > SECTOR:
                raise UnreadableError(offset, length)
            return super().read_at(offset, length)

    reader = RetryReader(Moody(DATA), Patience(attempts=1), Sleeper().sleep)
    with pytest.raises(UnreadableError, match="now and then"):
        reader.read_at(0, len(DATA))


spans = st.tuples(st.integers(0, 60_000), st.integers(1, 9_000)).map(lambda s: Bad(s[0], s[0] + s[1]))


@given(st.lists(spans, max_size=5), st.integers(0, 60_000), st.integers(0, 70_000))
def test_retry_and_salvage_lose_only_sectors_with_bad_bytes(
    bad: Sequence[Bad], offset: int, length: int
) -> None:
    data = DATA[:65_000]
    faulty_reader = FaultyReader(BytesReader(data), Faults(bad=tuple(bad)))
    salvage = Salvage(RetryReader(faulty_reader, Patience(attempts=1), Sleeper().sleep))
    read = salvage.read_at(offset, length)
    wanted = data[offset : offset + length]
    assert len(read) == len(wanted)
    lost = {at for span in salvage.lost for at in range(span.start, span.end)}
    for at, (got, true) in enumerate(zip(read, wanted, strict=True), offset):
        assert got == (0 if at in lost else true)
    for span in salvage.lost:
        assert any(each.start < span.end and span.start < each.end for each in bad)
        assert len(span) <= SECTOR


# Cache


def test_cache_asks_once_for_what_it_keeps() -> None:
    inner = Counting(DATA)
    reader = CachedReader(inner, block=1000, blocks=3)
    for _ in range(5):
        assert reader.read_at(10, 20) == DATA[10:30]
        assert reader.read_at(990, 20) == DATA[990:1010]
    assert inner.asked == [(0, 1000), (1000, 1000)]
    assert reader.read_at(0, 50_000) == DATA[:50_000]  # a stream passes by
    assert inner.asked[-1] == (0, 50_000)
    for number in range(5, 8):
        reader.read_at(number * 1000, 1)
    reader.read_at(0, 1)
    assert inner.asked[-1] == (0, 1000)  # had been pushed out


def test_cache_does_not_lose_what_lies_beside_a_bad_range() -> None:
    reader = CachedReader(scratched(Bad(500, 501)), block=1000)
    assert reader.read_at(0, 500) == DATA[:500]
    assert reader.read_at(501, 100) == DATA[501:601]
    with pytest.raises(UnreadableError):
        reader.read_at(450, 100)


@given(
    st.integers(1, 5000), st.integers(1, 4), st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 6000)))
)
def test_cache_gives_what_is_inside(block: int, blocks: int, reads: list[tuple[int, int]]) -> None:
    data = DATA[:8_000]
    reader = CachedReader(BytesReader(data), block, blocks)
    for offset, length in reads:
        assert reader.read_at(offset, length) == data[offset : offset + length]


def test_cache_serves_threads() -> None:
    reader = CachedReader(BytesReader(DATA), block=512, blocks=4)

    def reads_well(seed: int) -> bool:
        return all(
            reader.read_at(at * seed % 190_000, 700) == DATA[at * seed % 190_000 :][:700] for at in range(500)
        )

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(reads_well, (1009, 1013, 1019, 1021)))


# Throttle


def test_throttle_keeps_the_rate_of_all_readers_together() -> None:
    sleeper = Sleeper()
    allowance = Allowance(1000, sleeper.clock, sleeper.sleep)
    readers = [ThrottledReader(BytesReader(DATA), allowance) for _ in range(2)]
    for number in range(10):
        assert readers[number % 2].read_at(0, 500) == DATA[:500]
    assert sleeper.now == pytest.approx(9 * 0.5)
    assert readers[0].size == len(DATA)


def test_throttle_does_not_save_up_what_was_not_read() -> None:
    sleeper = Sleeper()
    reader = ThrottledReader(BytesReader(DATA), Allowance(1000, sleeper.clock, sleeper.sleep))
    sleeper.now = 1000
    for _ in range(3):
        reader.read_at(0, 1000)
    assert sleeper.now == pytest.approx(1002)


# Faults, and stores


def test_faults_are_what_was_declared() -> None:
    sleeper = Sleeper()
    reader = FaultyReader(
        BytesReader(DATA), Faults((Bad(10, 20, times=1),), longest=7, delay=0.25), sleeper.sleep
    )
    assert reader.read_at(0, 100) == DATA[:7]
    with pytest.raises(UnreadableError):
        reader.read_at(15, 1)
    assert reader.read_at(15, 1) == DATA[15:16]
    assert sleeper.pauses == [0.25] * 3


def test_stores_can_be_wrapped_again_and_again(tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(DATA)
    (tmp_path / "good").write_bytes(DATA)
    inner = evidence.open_store(evidence.identify(str(tmp_path)))
    store = throttled(faulty(inner, {b"bad": Faults((Bad(0, 1),))}), 1e9)
    assert store.source == inner.source
    assert store.fingerprint() == inner.fingerprint()
    bad, good = (each for each in store.files() if isinstance(each, FileRef))
    with store.open(good) as reader:
        assert isinstance(reader, Reader)
        assert reader.read_at(0, len(DATA)) == DATA
    with store.open(bad) as reader, pytest.raises(UnreadableError):
        reader.read_at(0, 1)
    store.close()
