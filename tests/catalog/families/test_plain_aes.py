"""Plain AES in ways whose locked bytes do not look random, so that no vector of identification fits them."""

import zlib

import pytest

from tests.lockers import content, drawn
from tests.lockers.locked import seal
from unransom.catalog.families.locked import FAMILY
from unransom.catalog.schemes.assemble import Assembly
from unransom.core.keys import Key, KeyKind
from unransom.core.streams import BytesReader, Salvage


@pytest.mark.parametrize("size", [1000, 4096, 30011])
def test_blocks_that_are_locked_each_by_itself_are_opened(size):
    plain, key = content("locked ecb", size), drawn("locked ecb key", 32)
    locked = Salvage(BytesReader(seal(plain, key, b"", "ecb", "none")), b"orders.csv.locked")
    mark = FAMILY.read(locked)
    plan = FAMILY.plan(locked, mark, FAMILY.unwrap(mark, Key(KeyKind.RAW, key, "test")))
    assert b"".join(bytes(view) for view in Assembly(locked, plan)) == plain


def table(rows):
    """Return rows of numbers below a heading whose letters are nowhere else."""
    return b"quantity,weight\n" + b"".join(
        b"%d,%d.%d\n" % (row, row * 7 % 100, row % 10) for row in range(rows)
    )


def document(size):
    """Return a PDF of one compressed stream, of which only the first block is the same in several modes."""
    stream = zlib.compress(drawn("locked document", size))
    parts = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>"]
    parts.append(b"<</Length %d/Filter/FlateDecode>>stream\n%b\nendstream" % (len(stream), stream))
    data, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(data))
        data += b"%d 0 obj%b endobj\n" % (number, part)
    table_at = len(data)
    data += b"xref\n0 4\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return data + b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % table_at


@pytest.mark.parametrize("plain", [table(2000), document(30_000)], ids=["table", "document"])
@pytest.mark.parametrize("mode", ["cbc", "ctr", "cfb"])
@pytest.mark.parametrize("place", ["head", "tail"])
def test_the_mode_is_told_by_what_follows_the_first_block(plain, mode, place):
    key, iv = drawn("locked modes key", 32), drawn("locked modes iv", 16)
    locked = Salvage(BytesReader(seal(plain, key, iv, mode, place)), b"orders.locked")
    mark = FAMILY.read(locked)
    plan = FAMILY.plan(locked, mark, FAMILY.unwrap(mark, Key(KeyKind.RAW, key, "test")))
    assert b"".join(bytes(view) for view in Assembly(locked, plan)) == plain
