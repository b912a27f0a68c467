"""Files that are checked as they come: gzip, SQLite, MP3; what is called proven, and what damage does."""

import gzip
import random
import sqlite3
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.catalog.formats import database_samples, film_samples
from tests.recover.carve.boards import CLUSTER, carved_by, noise
from unransom.catalog.formats._sqlite_pages import read_cells
from unransom.core.streams import BytesReader
from unransom.recover.carve.found import Proof
from unransom.recover.carve.reassembly import frames, streams, trees


def carved(image, cluster=CLUSTER):
    return carved_by(streams.find, image, cluster)


def pieces(data, count, seed, cluster=CLUSTER):
    draw = random.Random(seed)
    total = -(-len(data) // cluster)
    cuts = [0, *sorted(draw.sample(range(1, total), count - 1)), total]
    return [
        data[start * cluster : end * cluster].ljust((end - start) * cluster, b"\0")
        for start, end in pairwise(cuts)
    ]


def words(draw, count):
    return " ".join(str(draw.randrange(10**6)) for _ in range(count)).encode()


def database(tables=4, rows=500, **options):
    """Return a database of several tables with an index, long rows, and free pages."""
    made = sqlite3.connect(":memory:")
    for name, value in options.items():
        made.execute(f"PRAGMA {name} = {value}")
    draw = random.Random(tables * rows)
    for number in range(tables):
        made.execute(f"CREATE TABLE t{number} (id INTEGER PRIMARY KEY, a TEXT, b BLOB, c REAL)")
        made.execute(f"CREATE INDEX i{number} ON t{number} (a)")
        for row in range(rows):
            long = words(draw, 1500) if row % 100 == 7 else draw.randbytes(40)
            made.execute(
                f"INSERT INTO t{number} (a, b, c) VALUES (?, ?, ?)", (f"x{row}", long, draw.random())
            )
    made.execute("CREATE TABLE gone (a)")
    made.executemany("INSERT INTO gone VALUES (?)", [(words(draw, 500),) for _ in range(20)])
    made.execute("DROP TABLE gone")
    made.commit()
    return made.serialize()


def mp3(count=300):
    """Return a sound whose first frame says how many follow."""
    sound = bytearray(film_samples.mp3(frames=count))
    at = 10 + 128 + 36
    sound[at : at + 12] = b"Info\0\0\0\1" + (count - 1).to_bytes(4)
    return bytes(sound)


FILES = {
    "gzip": gzip.compress(b" ".join(b"%d" % (n * n * 7919) for n in range(20_000)), mtime=0),
    "sqlite": database(),
    "sqlite-vacuum": database(auto_vacuum=1),
    "sqlite-512": database(2, 200, page_size=512),
    "mp3": mp3(),
}
PROOFS = {"gzip": Proof.CHECKSUM, "sqlite": Proof.DECODER, "mp3": Proof.DECODER}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("order", ["gap", "swapped", "three"])
def test_fragments_come_back_whole(name, order):
    data = FILES[name]
    parts = pieces(data, 3 if order == "three" and name not in {"gzip", "sqlite-512"} else 2, 5)
    if order == "swapped":
        parts.reverse()
    image = noise(1, 3) + b"".join(part + noise(len(part), 4) for part in parts)
    ((found, content),) = carved(image)
    assert content == data
    assert found.proof in {PROOFS[name.partition("-")[0]], Proof.HEURISTIC}


def test_a_database_in_sectors_comes_back():
    data = FILES["sqlite-512"]
    parts = pieces(data, 2, 3, 512)
    ((_, content),) = carved(noise(1, 1) + parts[0] + noise(2, 2) + parts[1] + noise(3, 1), 512)
    assert content == data


def test_two_sounds_in_turns_come_back():
    one, other = mp3(300), mp3(340)
    left, right = pieces(one, 2, 1), pieces(other, 2, 2)
    found = carved(left[0] + right[0] + left[1] + right[1] + noise(3, 4))
    assert sorted(len(content) for _, content in found) == sorted([len(one), len(other)])


def test_pages_of_another_database_do_not_hang_together():
    one, other = database(rows=500), database(rows=900)
    assert trees.hangs_together(BytesReader(one))
    half = len(one) // CLUSTER // 2 * CLUSTER
    assert not trees.hangs_together(BytesReader(one[:half] + other[half : len(one)]))
    leaves = [at for at in range(0, len(one), CLUSTER) if one[at] == 13][:2]
    swapped = bytearray(one)
    for at, from_ in (leaves, leaves[::-1]):
        swapped[at : at + CLUSTER] = one[from_ : from_ + CLUSTER]
    assert not trees.hangs_together(BytesReader(bytes(swapped)))


def test_pages_that_are_tasted_together_are_judged_as_one_by_one():
    data = database()
    (part, with_zeros) = trees.begin(BytesReader(data))
    taken = [data[at : at + CLUSTER] for at in range(CLUSTER, 8 * CLUSTER, CLUSTER)]
    taken += [bytes(CLUSTER), noise(5, 1), b"words " * (CLUSTER // 6) + b"last"]
    for check in (part.check, with_zeros.check):
        assert check.feed(data[:CLUSTER])
        alone = [check.fork().feed(piece) for piece in taken]
        assert check.tastes(taken) == alone
        assert True in alone
        assert False in alone


def test_what_is_remembered_of_pages_changes_no_judgement():
    data = database()
    memory = {}
    assert trees.hangs_together(BytesReader(data), memory)
    assert trees.hangs_together(BytesReader(data), memory)
    half = len(data) // CLUSTER // 2 * CLUSTER
    twice = data[:half] + data[half - CLUSTER : half] + data[half + CLUSTER :]
    assert not trees.hangs_together(BytesReader(twice), memory)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([2, 5, 10, 13]), st.binary(min_size=0, max_size=700), st.integers(1, 512))
def test_cells_of_any_page_are_read_within_it(kind, content, least):
    page = (bytes([kind]) + content).ljust(least, b"\xff")
    ids, tails = read_cells(page, 0)
    assert len(ids) <= len(page) // 2
    assert (tails[:, 1] > 0).all()


def test_a_database_in_one_piece_is_found_by_its_trees():
    data = database_samples.sqlite()
    ((found, content),) = carved(noise(1, 2) + data + noise(2, 2))
    assert content == data
    assert found.proof is Proof.DECODER


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.integers(0, 1 << 30), st.binary(min_size=1, max_size=8))
def test_damage_raises_nothing(name, place, noise_):
    data = bytearray(FILES[name])
    place %= len(data)
    data[place : place + len(noise_)] = noise_
    reader = BytesReader(bytes(data))
    trees.hangs_together(reader)
    for begin in (trees.begin, frames.begin):
        for part in begin(reader):
            check = part.check
            _ = check.feed(bytes(data[part.start : part.start + 30_000])) and check.holds()
