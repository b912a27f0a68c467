"""Two lockers' markers in one head: what the second one moved to the end is the first one's marker."""

from itertools import product

import pytest

from tests.lockers import drawn, hive6, hunters1
from unransom.catalog import families
from unransom.catalog.schemes.assemble import Assembly
from unransom.catalog.schemes.family import FileKey
from unransom.core.streams import BytesReader, Salvage

MAKERS = {"hive6": hive6, "hunters1": hunters1}
TEXT = b"10042;two lamps;shipped to Hamburg\n" * 100


def opened(name, locked, secrets):
    reader, family = Salvage(BytesReader(locked)), families.family(name)
    plan = family.plan(reader, family.read(reader), FileKey({"secrets": secrets}))
    return b"".join(bytes(view) for view in Assembly(reader, plan))


@pytest.mark.parametrize(("first", "second"), list(product(MAKERS, repeat=2)))
def test_a_text_that_was_locked_twice(first, second):
    secrets = drawn("first", 510), drawn("second", 510)
    once = MAKERS[first].seal(TEXT, secrets[0], drawn("check", 4), drawn("blob", 640))
    twice = MAKERS[second].seal(once, secrets[1], drawn("again", 4), drawn("other blob", 640))
    assert opened(second, twice, secrets[1][:504]) == once
    assert opened(first, once, secrets[0][:504]) == TEXT
