"""Content under a keystream of which some bytes are known, and that may repeat or begin anew."""

import pytest

from tests.lockers import content, drawn, shared
from unransom.catalog.schemes.assemble import assembled
from unransom.catalog.schemes.extents import Repeat, Whole
from unransom.catalog.schemes.family import BadMarkError, FileKey, Mark
from unransom.catalog.schemes.known import KnownStream
from unransom.core.streams import BytesReader, Salvage


def opened(plan, locked, key):
    mark = Mark(bits=0, plain_size=len(locked))
    reader = Salvage(BytesReader(locked))
    return assembled(reader, plan(reader, mark, FileKey({"key": key})))[0]


@pytest.mark.parametrize("anew", [1, 7, 30, 64, 1000, 5000])
def test_a_keystream_begins_anew_after_so_many_locked_bytes(anew):
    plain, key = content("anew", 3000), drawn("anew", 30)
    pieces = (shared.xored(plain[start : start + anew], key) for start in range(0, len(plain), anew))
    assert opened(KnownStream(repeats=True, anew=anew), b"".join(pieces), key) == plain


def test_only_locked_bytes_count():
    plain, key = content("gaps", 1000), drawn("gaps", 30)
    locked = bytearray(plain)
    for start in range(0, len(plain), 100):  # 40 of every 100 bytes, the key anew with every one of them
        locked[start : start + 40] = shared.xored(plain[start : start + 40], key)
    plan = KnownStream(extents=Repeat(on=40, off=60), repeats=True, anew=40)
    assert opened(plan, bytes(locked), key) == plain


def test_no_file_is_cut_into_too_many_pieces():
    with pytest.raises(BadMarkError):
        opened(KnownStream(extents=Whole(), repeats=True, anew=1), bytes(1 << 19), drawn("many", 3))
