"""Royal's areas, whichever of the ways that the descriptions leave open was the locker's."""

import pytest

from tests.lockers import drawn, packed
from tests.lockers import royal as maker
from unransom.catalog.families import royal
from unransom.catalog.schemes.assemble import Assembly
from unransom.catalog.schemes.family import FileKey
from unransom.core.streams import BytesReader, Salvage

SECRET = drawn("royal", 48)
KEY = FileKey({"key": SECRET[:32], "iv": SECRET[32:]})
TEXT = b"10042;two lamps;shipped to Hamburg\n"


def locked(plain, **vector):
    tail = drawn("blob", 512) + len(plain).to_bytes(8, "little") + vector["percent"].to_bytes(8, "little")
    return Salvage(BytesReader(maker.seal(plain, KEY.parts["key"], KEY.parts["iv"], vector) + tail))


def opened(reader):
    return b"".join(bytes(view) for view in Assembly(reader, royal.plan(reader, royal.read(reader), KEY)))


@pytest.mark.parametrize("step", ["tenth", "blocks", "both rounded", "left"])
@pytest.mark.parametrize(("percent", "anew"), [(1, False), (37, True), (50, False), (99, False)])
def test_areas_are_seen_from_the_content(step, percent, anew):
    size = 5_300_077
    plain = (TEXT * (size // len(TEXT) + 1))[:size]
    assert opened(locked(plain, percent=percent, step=step, anew=anew)) == plain


@pytest.mark.parametrize(
    ("size", "percent", "step", "anew"),
    [(5_242_881, 50, "tenth", False), (5_300_003, 10, "left", True), (5_300_003, 33, "tenth", True)],
)
def test_areas_of_an_archive_are_seen_from_its_checksums(monkeypatch, size, percent, step, anew):
    monkeypatch.setattr(maker, "SMALL", royal.SMALL)
    plain = packed("archive", size)
    assert opened(locked(plain, percent=percent, step=step, anew=anew)) == plain


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, royal.SMALL])
def test_files_that_are_not_large_are_locked_whole(size):
    plain = (TEXT * (size // len(TEXT) + 1))[:size]
    reader = locked(plain, percent=50)
    assert royal.read(reader).plain_size == size
    assert opened(reader) == plain


@pytest.mark.parametrize(("size", "percent"), [(16, 50), (33, 50), (48, 0), (48, 101), (2**63, 50)])
def test_sizes_and_percentages_that_cannot_be_are_no_mark(size, percent):
    tail = drawn("blob", 512) + size.to_bytes(8, "little") + percent.to_bytes(8, "little")
    known = royal.read(Salvage(BytesReader(drawn("content", 48) + tail)))
    assert (known is not None) == (size == 33 and 1 <= percent <= 100)
