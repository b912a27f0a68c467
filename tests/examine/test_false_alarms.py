"""Nothing that no locker has touched is named, and what is left of a locked file rightly or not at all.

A named family means that its mark is whole, and the block with the wrapped key is there. So a locked file
whose end was cut off is not named where the key stood there, even if the mark stands at the head: Hive's and
Hunters'. It is where the key is at the head, too, or in the name, or never was in the file. Content that is
locked and the extension of a locker are enough where its files have no more than that: random bytes at the
end of such a file are its key, for all that can be seen. It is never another family's; only where two
generations have the same extension, it may be taken for the one of which nothing else is to be seen.
"""

import contextlib
import os
import random
from pathlib import Path

import pytest

from tests.fixtures.ordinary import NAMELESS, cuts, ordinary
from tests.soak import LONGER
from unransom.core.context import Context
from unransom.core.outputs import FileReader
from unransom.core.records import FileRef, State
from unransom.core.streams import BytesReader
from unransom.examine.triage.step import run

SYSTEM = Path("/usr")
LARGEST = 1 << 20  # bytes of a system file here; benchmarks/false_alarms.py takes all
COVERED = {"hunters2"}  # marked at the head, and random bytes all through: what ends it may be the key
BY_NAME = {"akira": "akira2", "babuk_nas": "babuk_esxi"}  # generations that have no mark but the extension
MARK = 300  # bytes from the end in which most marks are


def triaged(path, reader):
    context = Context(open=lambda _: contextlib.nullcontext(reader))
    found = run(FileRef(source="s", path=path, size=reader.size), context)
    return next(record for record in found if isinstance(record, FileRef))


def alarms(path, reader):
    found = triaged(path, reader)
    return found.state is State.LOCKED and found.family


def check_ordinary(count, seed):
    wrong = [
        (file.kind, file.path, found)
        for file in ordinary(count, seed)
        if (found := alarms(file.path, BytesReader(file.data)))
    ]
    assert not wrong


def check_system(count):
    every = [
        os.path.join(folder, name)  # noqa: PTH118 bytes
        for folder, _, names in os.walk(os.fsencode(SYSTEM))
        for name in names
    ]
    random.Random(1).shuffle(every)
    seen = 0
    for path in every:
        place = Path(os.fsdecode(path))
        if place.is_symlink() or not place.is_file() or place.stat().st_size > LARGEST:
            continue
        with FileReader(path) as reader:
            assert not alarms(path, reader), path
        seen += 1
        if seen == count:
            break


def check_cuts(places, seed, *, few=False):
    for cut in cuts(places, seed, few=few):
        found = triaged(cut.path, BytesReader(cut.data))
        family = found.family if found.state is State.LOCKED else None
        if cut.path != NAMELESS:
            assert family in {None, cut.family, BY_NAME.get(cut.family)}, (cut.case, cut.ends, cut.missing)
        elif cut.keyless and cut.missing >= MARK and cut.family not in COVERED:
            assert family is None, (cut.family, cut.case, cut.missing)
        else:
            assert family in {None, cut.family}, (cut.case, cut.ends, cut.missing)


def test_ordinary_files_of_many_kinds():
    check_ordinary(2400, seed=1)


def test_system_files():
    check_system(1500)


def test_locked_files_that_were_cut():
    check_cuts(places=4, seed=1, few=True)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_files():
    check_ordinary(70_000 * LONGER, seed=2)
    check_system(20_000)
    check_cuts(places=8, seed=2)


@pytest.mark.parametrize("number", [1, 105, 600])
def test_small_numbers_at_the_end_of_dense_files(number):
    """Compiled bitcode: packed bits, a table, and numbers that may as well be sizes."""
    table = b"".join(entry.to_bytes(8, "little") for entry in range(3, 67))
    packed = bytes(random.Random(number).choices(range(256), weights=[24] + [1] * 255, k=656))
    content = packed + table + number.to_bytes(8, "little") + b"\x02" * 16
    assert not alarms(b"pgrowlocks.index.bc", BytesReader(content))


@pytest.mark.parametrize("content", [b"order 10042, two lamps, shipped\n" * 40, bytes(5000), b""])
def test_what_is_only_called_like_a_locked_file(content):
    for added in (".akira", ".INC", ".HLJkNskOq", ".PLAY", ".babyk", ".Loki", ".locked", ".OPIX", ".basta"):
        assert not alarms(b"orders.csv" + added.encode(), BytesReader(content))
