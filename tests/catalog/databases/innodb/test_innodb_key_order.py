"""The order of the keys of pages, by what the pages say of their neighbours."""

from types import SimpleNamespace

import numpy as np
import pytest

from unransom.catalog.databases.innodb import pages
from unransom.catalog.databases.innodb.charsets import LATIN1
from unransom.catalog.databases.innodb.key_order import is_told
from unransom.catalog.databases.innodb.schema import Field
from unransom.catalog.databases.innodb.types import column_type
from unransom.catalog.databases.innodb.unnamed import _ranks

FIELD = Field("k", column_type("varchar(20)", LATIN1), nullable=False)
FOUND = SimpleNamespace(layout=SimpleNamespace(fields=(FIELD,), key=1))


def ranks(ends: list[tuple[bytes, bytes]], links: list[tuple[int, int]]) -> list[int] | None:
    """Return the ranks of the first and last keys of pages 0, 1, …, by their neighbours' numbers."""
    table = np.array(links, np.dtype([("previous", "<u4"), ("next", "<u4")]))
    found = SimpleNamespace(space=SimpleNamespace(table=table), layout=FOUND.layout)
    ranked = _ranks(found, np.arange(len(ends)), [(key,) for pair in ends for key in pair])
    return None if ranked is None else ranked.tolist()


@pytest.mark.parametrize("ends", [[(b"AB", b"Cx"), (b"Ya", b"zz"), (b"[a", b"`z")]])
def test_what_stands_behind_a_lost_page_and_at_the_end_tells_of_letters_and_signs(ends):
    """Lower letters come behind the signs, capitals in front of them."""
    behind_lost = [(90, 91), (92, 93), (93, 94)]
    assert ranks(ends, behind_lost) == [0, 1, 2, 3, 4, 5]
    assert ranks(ends, [(90, 91), (92, 93), (94, pages.NIL)]) == [0, 1, 2, 3, 4, 5]
    turned = [ends[2], *ends[:2]]
    assert ranks(turned, [(pages.NIL, 91), (92, 93), (94, 95)]) == [0, 1, 2, 3, 4, 5]


def test_of_letters_with_accents_it_is_not_known_where_they_belong():
    assert is_told((b"plain [text]",), (FIELD,))
    assert not is_told(("Å".encode("latin-1"),), (FIELD,))
