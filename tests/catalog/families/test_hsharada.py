"""The areas of HsHarada in files that are too large to be made."""

import pytest

from unransom.catalog.families import hsharada
from unransom.catalog.schemes.family import FileKey, Unlock
from unransom.core.spans import Span

MIB = 1 << 20
KEY = FileKey({"key": bytes(32), "iv": bytes(16)})


class Zeros:
    """A sparse file."""

    def __init__(self, size):
        self.size = size

    def read_at(self, offset, length):
        return bytes(max(0, min(length, self.size - offset)))


@pytest.mark.parametrize(
    ("areas", "gib", "count", "last"),
    [
        (hsharada.WIDE, 2, 3, Span(1784 * MIB, 1872 * MIB)),
        (hsharada.WIDE, 64, 12, Span(9812 * MIB, 9900 * MIB)),
        (hsharada.NARROW, 2, 4, Span(2034 * MIB, 2048 * MIB)),
        (hsharada.NARROW, 64, 13, Span(8136 * MIB, 8161 * MIB)),
    ],
)
def test_areas_stop_at_the_end_of_the_file_or_of_what_the_locker_reaches(areas, gib, count, last):
    spans = list(areas.spans(gib << 30))
    assert len(spans) == count
    assert spans[-1] == last


def test_what_is_plain_where_only_one_build_locks_was_locked_by_the_other():
    locked = Zeros((2 << 30) + 256)
    mark = hsharada.TAIL(locked)
    plan = hsharada.plan(locked, mark, KEY)
    unlocked = [(piece.offset, piece.length) for piece in plan.pieces if isinstance(piece, Unlock)]
    assert unlocked == [(n * 678 * MIB, min(25, 2048 - n * 678) * MIB) for n in range(4)]
