"""Plain AES in ways whose locked bytes do not look random, so that no vector of identification fits them."""

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
