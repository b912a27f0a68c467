"""Values off the page in compressed tables of MySQL 8, on pages made as it makes them."""

import copy
import functools
import random
import struct
import zlib
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unransom.catalog.databases.innodb import lobs, pages
from unransom.catalog.databases.innodb.lobs import Z_COUNTS, ZLOB_DATA, ZLOB_FIRST, ZLOB_FRAG, ZLOB_INDEX

FIRST, PART, NOTHING = 4, 128 << 10, 0xFFFFFFFF
FRAGMENT = 100  # bytes of a stream's end that are kept with others'


class Space:
    """Pages of a compressed tablespace."""

    zipped, logical = True, 16384

    def __init__(self, size):
        self.size = size
        self.pages = defaultdict(lambda: bytearray(size))
        self.next = FIRST + 1

    def make(self, kind, number=None):
        number = self.next if number is None else number
        self.next = max(self.next, number + 1)
        page = self.pages[number]
        page[4:8], page[12:16], page[24:26] = number.to_bytes(4), NOTHING.to_bytes(4), kind.to_bytes(2)
        return number, page

    @functools.cached_property
    def table(self):
        made = np.zeros(self.next, pages.TABLE)
        for number, page in self.pages.items():
            made[number]["kind"] = int.from_bytes(page[24:26])
        return made

    def is_valid(self, number):
        return number in self.pages

    def raw(self, number):
        return bytes(self.pages[number]) if number in self.pages else b""


def stored(value, size):
    """Return a tablespace with ``value`` and a reference to it."""
    space = Space(size)
    _, first = space.make(ZLOB_FIRST, FIRST)
    entries, fragments = Z_COUNTS[size]
    begin = 136 + 66 * entries + 24 * fragments
    streams = [
        (len(value[at : at + PART]), zlib.compress(value[at : at + PART]))
        for at in range(0, len(value), PART)
    ]
    holder, place, page = FIRST, 136, first
    made = [space.make(ZLOB_INDEX)[0] for _ in range(1 + len(streams) // 3)]
    shared = space.make(ZLOB_FRAG)[0]
    for number, (plain, stream) in enumerate(streams):
        where = _written(space, stream, shared, number, begin if number == 0 else 0)
        following, following_at = NOTHING, 0
        if number + 1 < len(streams):  # the entries lie on several pages
            following, following_at = made[(number + 1) // 3], 39 + 66 * ((number + 1) % 3)
        struct.pack_into(">IHIHIHII", page, place, 0, 0, following, following_at, 0, 0, 0, 0)
        struct.pack_into(">IHIII", page, place + 48, where, number, plain, len(stream), 1)
        holder, place = following, following_at
        page = space.pages[holder] if holder != NOTHING else page
    struct.pack_into(">IIH", first, 88, len(streams), FIRST, 136)
    return space, struct.pack(">IIIQ", 9, FIRST, 1, len(value))


def _written(space, stream, shared, number, begin):
    """Write a stream, its end into a page of fragments; return the page that it begins on."""
    starts, before = NOTHING, None
    kept = stream[:-FRAGMENT]
    while kept:
        if begin:
            page, at, length_at, which = space.pages[FIRST], begin, 54, FIRST
        else:
            which, page = space.make(ZLOB_DATA)
            at, length_at = 49, 39
        part, kept = kept[: space.size - at - 8], kept[space.size - at - 8 :]
        page[at : at + len(part)] = part
        page[length_at : length_at + 4] = len(part).to_bytes(4)
        starts = which if before is None else starts
        if before is not None:
            before[12:16] = which.to_bytes(4)
        before, begin = page, 0
    rest = stream[len(stream[:-FRAGMENT]) :]
    page, at = space.pages[shared], 60 + number * (FRAGMENT + 8)
    page[at + 4 : at + 8] = struct.pack(">HH", len(rest) + 8, number)
    page[at + 8 : at + 8 + len(rest)] = rest
    slot = space.size - 12 - 2 * number
    page[slot : slot + 2] = at.to_bytes(2)
    if before is not None:
        before[12:16] = shared.to_bytes(4)
    return shared if before is None else starts


@pytest.mark.parametrize("size", Z_COUNTS)
@pytest.mark.parametrize("length", [1, 5000, PART, PART + 1, 5 * PART + 77])
def test_values_of_every_length_come_back(size, length):
    for value in (b"x" * length, random.Random(length).randbytes(length)):
        assert lobs.fetch(*stored(value, size)) == value


def test_a_value_with_a_lost_part_is_lost():
    space, reference = stored(random.Random(1).randbytes(2 * PART), 4096)
    lost = next(number for number, page in space.pages.items() if page[25] == ZLOB_DATA)
    del space.pages[lost]
    assert lobs.fetch(space, reference) is None


WRITES = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 2047), st.binary(min_size=1, max_size=8)))


SOUND, REFERENCE = stored(random.Random(2).randbytes(3 * PART // 2), 2048)


@settings(max_examples=100, deadline=None)
@given(WRITES, st.integers(0, 1 << 40))
def test_hostile_pages_give_a_value_or_none(writes, length):
    space = copy.deepcopy(SOUND)
    numbers = sorted(space.pages)
    for place, at, data in writes:
        page = space.pages[numbers[place % len(numbers)]]
        page[at : at + len(data)] = data
        del page[2048:]
    lobs.fetch(space, REFERENCE)
    lobs.fetch(space, REFERENCE[:12] + length.to_bytes(8))


def test_pages_that_lead_in_circles_end():
    space, reference = stored(b"x" * 3 * PART, 1024)
    space.pages[FIRST][142:148] = struct.pack(">IH", FIRST, 136)
    space.pages[FIRST][12:16] = FIRST.to_bytes(4)
    lobs.fetch(space, reference[:12] + (1 << 31).to_bytes(8))
