"""What repeats under XOR: found where it is, and nowhere else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lockers import drawn, ecb, shared
from tests.soak import LONGER
from unransom.catalog.families import hive1
from unransom.core.spans import Span
from unransom.crypto.search.keystream.blocks import learned, looked_up, rows_of
from unransom.crypto.search.keystream.chunks import between_zeros, modal
from unransom.crypto.search.keystream.periods import period_of, periods_in, sample_period
from unransom.crypto.search.keystream.sharing import shares
from unransom.crypto.search.keystream.tables import Table
from unransom.crypto.search.keystream.voting import Vote, doubted, independent, votes


def as_bytes(data):
    return np.frombuffer(data, np.uint8)


@pytest.mark.parametrize("length", [3, 7, 20, 64, 257, 1000, 8192, 25000])
def test_a_key_that_repeats_is_found_by_its_length_and_voted_for(length):
    plain = shared.letter("period", max(12 * length, 4000))
    key = drawn(f"key {length}", length)
    locked = as_bytes(shared.xored(plain, key))
    period = period_of(locked)
    assert period.length == length
    vote = next(votes([locked], length))
    assert (vote.key == as_bytes(key))[vote.known].all()
    assert vote.known.mean() > 0.5


@pytest.mark.parametrize("seed", range(4 * LONGER))
def test_random_bytes_have_no_period(seed):
    noise = as_bytes(drawn(f"random {seed}", 100_000))
    assert period_of(noise) is None
    assert not sample_period(noise)


def test_pieces_in_which_a_key_begins_anew_are_a_period():
    key = drawn("anew", 100)
    plain = shared.letter("anew", 200_000)
    pieces = (shared.xored(plain[start : start + 4096], key) for start in range(0, len(plain), 4096))
    assert 4096 in {length for length, _ in periods_in(as_bytes(b"".join(pieces)))}


def test_what_is_plain_has_period_one():
    assert period_of(as_bytes(shared.letter("plain", 50_000))).length == 1


def test_what_is_voted_for_without_enough_content_is_not_called_known():
    key = drawn("short", 5000)
    locked = as_bytes(shared.xored(shared.letter("few", 10_000), key))
    vote = next(votes([locked], 5000))
    assert not vote.known.any()


def test_neighbours_that_are_all_off_by_the_same_are_not_known():
    data, key = as_bytes(shared.letter("off", 60_000)), as_bytes(drawn("off", 600))
    off = np.where((np.arange(600) >= 100) & (np.arange(600) < 140), np.uint8(0x41), np.uint8(0))
    vote = Vote(key ^ off, np.full(600, 400.0, np.float32), "text")
    locked = data ^ np.resize(key, len(data))
    assert (doubted([locked], vote).known == (off == 0)).all()
    assert doubted([locked], vote._replace(key=key)).known.all()


def test_a_byte_that_is_far_less_sure_than_most_is_not_known():
    data, key = as_bytes(shared.letter("weak", 60_000)), as_bytes(drawn("weak", 600))
    margin = np.full(600, 400.0, np.float32)
    margin[300] = 60.0
    known = doubted([data ^ np.resize(key, len(data))], Vote(key, margin, "text")).known
    assert known.sum() == 599
    assert not known[300]


def test_what_is_the_same_in_every_turn_makes_no_byte_of_a_key_sure():
    data, key = as_bytes(shared.letter("pages", 60_000)).copy(), as_bytes(drawn("pages", 600))
    same = (np.arange(600) >= 100) & (np.arange(600) < 140)
    data.reshape(-1, 600)[:, same] = 0
    off = np.where(same, np.uint8(ord(" ")), np.uint8(0))
    locked = data ^ np.resize(key, len(data))
    known = independent(locked, Vote(key ^ off, np.full(600, 400.0, np.float32), "text")).known
    assert not known[same].any()
    assert known[~same].mean() > 0.9


def test_no_byte_of_a_key_is_sure_beside_one_that_is_not():
    data, key = as_bytes(shared.letter("beside", 60_000)), as_bytes(drawn("beside", 600))
    margin = np.full(600, 400.0, np.float32)
    margin[300] = 0.0
    known = independent(data ^ np.resize(key, len(data)), Vote(key, margin, "text")).known
    assert not known[296:305].any()
    assert known.mean() > 0.9


@given(st.binary(max_size=600))
def test_any_bytes_have_a_period_or_none(data):
    found = period_of(as_bytes(data))
    assert found is None or 1 <= found.length <= len(data) // 2


def test_the_chunk_between_zeros_is_the_commonest():
    chunk = drawn("chunk", 64)
    rows = np.zeros((50, 192), np.uint8)
    rows[:, :64] = as_bytes(chunk)
    rows[10:20, 64:] = 7
    rows[10:20, :64] = as_bytes(drawn("other", 640)).reshape(10, 64)
    found = modal(between_zeros(rows, 64))
    assert (found.chunk, found.times, found.of) == (chunk, 38, 38)
    assert modal(rows[:0, :64]) is None


def test_two_files_under_one_keystream_show_it_and_others_do_not():
    one, other = shared.letter("one", 4000), shared.letter("other", 4000)
    stream = shared.chacha("shared", 4000)
    both = [as_bytes(shared.xored(each, stream)) for each in (one, other)]
    assert shares(*both)
    assert not shares(both[0], as_bytes(shared.xored(other, shared.chacha("another", 4000))))
    assert not shares(as_bytes(one), as_bytes(other))


def solve(count, size, spans):
    """Return which share of a table of Hive comes back from files of ``size`` bytes."""
    rng = np.random.default_rng(7)
    secret = rng.integers(0, 256, hive1.TABLE, dtype=np.uint8)
    table = Table(hive1.TABLE)
    for _ in range(count):
        numbers = rng.bytes(16)
        for span in spans(size):
            first, second = hive1.under(numbers, span)
            table.learn(first, second, secret[first] ^ secret[second])
    values, known = table.solved()
    difference = (values ^ secret)[known]
    assert (difference == difference[0]).all()  # one byte for all, which no keystream shows
    return known.mean()


def test_hives_table_from_120_keystreams_of_a_mebibyte():
    assert solve(120, 1 << 20, lambda size: [Span(0, size)]) >= 0.95


def test_hives_table_from_6400_keystreams_of_10500_bytes():
    # The last MiB is seen by the short windows only, of which so many files leave half out.
    assert solve(6400, 10_500, lambda size: [Span(0, size)]) >= 0.94


def test_a_wrong_original_contradicts_the_table():
    rng = np.random.default_rng(8)
    secret = rng.integers(0, 256, hive1.TABLE, dtype=np.uint8)
    table = Table(hive1.TABLE)
    first, second = hive1.under(rng.bytes(16), Span(0, 4096))
    stream = secret[first] ^ secret[second]
    table.learn(first, second, stream)
    assert table.check(first, second, stream).differed == 0
    assert table.check(first, second, stream ^ np.arange(4096).astype(np.uint8)).differed > 3000


def test_blocks_are_looked_up_and_contradictions_left_out():
    plain = ecb.database("shop", 6)
    locked = ecb.seal(plain, drawn("ecb", 32))
    book = learned(rows_of(as_bytes(locked)), rows_of(as_bytes(plain)))
    assert book.differed == 0
    assert book.agreed > 1000
    out, found = looked_up(book.locked, book.plain, rows_of(as_bytes(locked)))
    assert found.all()
    assert out.tobytes() == plain
    other = as_bytes(drawn("nothing", 160)).reshape(-1, 16)
    assert not looked_up(book.locked, book.plain, other)[1].any()
    wrong = as_bytes(plain).copy()
    wrong[5 * 4096 + 4000] ^= 1  # a zero in one place is not a zero in the original
    assert learned(rows_of(as_bytes(locked)), rows_of(wrong)).differed == 1
