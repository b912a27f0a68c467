"""Yanluowang's areas in files too large for a vector, with a megabyte made small."""

import pytest

from tests.lockers import drawn
from tests.lockers import yanluowang as maker
from unransom.catalog.families import yanluowang
from unransom.catalog.schemes.assemble import Assembly
from unransom.catalog.schemes.family import FileKey, Mark, Unlock
from unransom.core.streams import BytesReader, Salvage

UNITS = (2000, 2097)
KEY = FileKey({"key": drawn("yanluowang", 32), "iv": bytes(16)})


@pytest.mark.parametrize(
    ("unit", "step", "late", "anew"),
    [(2000, 200, False, False), (2097, 200, False, True), (2000, 205, True, True), (2097, 205, False, False)],
)
def test_areas_of_a_large_file_are_seen_from_the_content(monkeypatch, unit, step, late, anew):
    monkeypatch.setattr(yanluowang, "MEGABYTES", UNITS)
    size = 3100 * UNITS[1]
    plain = (b"10042;two lamps;shipped\n" * size)[:size]
    first = (step - 5) * unit if late else 0
    areas = [(start, min(start + 5 * unit, size)) for start in range(first, size, step * unit)]
    locked = maker.seal(plain, KEY.parts["key"], areas, anew=anew) + drawn("tail", 128)
    reader = Salvage(BytesReader(locked))
    plan = yanluowang.plan(reader, yanluowang.read(reader), KEY)
    assert b"".join(bytes(view) for view in Assembly(reader, plan)) == plain


def test_files_up_to_3_gb_are_locked_whole():
    for size in (1, 3_000_000_000):
        plan = yanluowang.plan(BytesReader(b""), Mark(1, plain_size=size), KEY)
        assert [(piece.offset, piece.length) for piece in plan.pieces] == [(0, size)]
        assert plan.size == size


def test_files_above_3_gib_are_not():
    size = (3 << 30) + 1
    plan = yanluowang.plan(Zeros(size), Mark(1, plain_size=size), KEY)
    assert sum(isinstance(piece, Unlock) for piece in plan.pieces) > 1


class Zeros:
    """A reader over zeros."""

    def __init__(self, size):
        self.size = size

    def read_at(self, offset, length):
        return bytes(max(0, min(length, self.size - offset)))
