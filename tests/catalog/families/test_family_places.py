"""Which places families lock in files that are too large for vectors."""

from itertools import pairwise

import pytest

from unransom.catalog.families import (
    blackbyte1,
    enmity,
    hunters1,
    hunters2,
    mammon,
    proton,
    rcru64,
    rhysida,
    shinra,
    trinity,
)
from unransom.catalog.schemes.family import BadMarkError, FileKey, Lost, Mark, Unlock
from unransom.catalog.schemes.proton import listed_places
from unransom.core.streams import BytesReader

MIB, GIB = 1 << 20, 1 << 30


class Sparse:
    """A reader over zeros."""

    def __init__(self, size):
        self.size = size

    def read_at(self, offset, length):
        return bytes(max(0, min(length, self.size - offset)))


def unlocked(pieces):
    """Return start and length of what is unlocked; the pieces must touch."""
    position, found = 0, []
    for piece in pieces:
        assert piece.offset == position
        position += piece.length
        if isinstance(piece, Unlock):
            found.append((piece.offset, piece.length))
    return found, position


@pytest.mark.parametrize(
    ("size", "places"),
    [
        (0x600000 - 1, 4),
        (0x600000, 16),
        (0x3200000, 32),
        (0x6400000, 64),
        (0x1F400000, 128),
        (0x80000000, 256),
        (0x300000000, 512),
        (0x600000000, 1024),
    ],
)
def test_proton_and_shinra_lock_more_places_of_larger_listed_files(size, places):
    assert listed_places(size) == places
    assert len(proton.spots(size, places)) == places
    assert proton.spots(size, places)[-1].end == size
    assert len(shinra.spots(size, 512, listed=True)) == places


@pytest.mark.parametrize(
    ("size", "places"),
    [(0x1E00000, 4), (0xC800000, 5), (0x1F400000, 8), (0x40000000, 12), (0x80000000, 16), (64 * GIB, 16)],
)
def test_shinra_locks_more_places_of_larger_files(size, places):
    spans = shinra.spots(size, 4096, listed=False)
    assert len(spans) == places
    assert all(span.start % 4096 == 0 and len(span) == shinra.BLOCK for span in spans)


def test_hunters_1_locks_at_most_200_mib():
    spans = hunters1.extents(64 * GIB)
    assert sum(len(span) for span in spans) == 2 * hunters1.MOST
    assert spans[0].end == hunters1.MOST
    assert all(one.end < two.start for one, two in pairwise(spans))
    assert spans[-1].end <= 64 * GIB


@pytest.mark.parametrize(("mode", "chunks"), [(4, 50), (5, 150)])
def test_hunters_2_locks_a_limited_number_of_chunks(mode, chunks):
    spans = hunters2.extents(mode, 64 * GIB)
    assert len(spans) == 1 + chunks
    assert spans[0][1] == hunters2.MODES[mode].most
    assert spans[-1][1] == 64 * GIB


@pytest.mark.parametrize(
    ("size", "area"),
    [
        (3 * MIB + 1, MIB),
        (15 * MIB, MIB),
        (15 * MIB + 1, 5 * MIB),
        (150 * MIB, 5 * MIB),
        (150 * MIB + 1, 50 * MIB),
    ],
)
def test_blackbyte_locks_more_at_both_ends_of_larger_files(size, area):
    key = FileKey({"key": bytes(16), "iv": bytes(16)})
    found, end = unlocked(blackbyte1.plan(Sparse(size), Mark(1), key).pieces)
    assert found == [(0, area), (size - area, area)]
    assert end == size


@pytest.mark.parametrize(
    ("size", "starts"),
    [
        (3, [0]),
        (MIB, [0]),
        (2 * MIB - 1, [0]),
        (2 * MIB, [0, MIB]),
        (4 * MIB - 1, [0, 1398101, 2796202]),
        (4 * MIB, [0, MIB, 2 * MIB, 3 * MIB]),
        (64 * GIB, [0, 16 * GIB, 32 * GIB, 48 * GIB]),
    ],
)
def test_rhysida_locks_up_to_four_areas(size, starts):
    spans = list(rhysida.areas(size))
    assert [span.start for span in spans] == starts
    assert {len(span) for span in spans} == {min(size, MIB)}
    assert not list(rhysida.areas(0)) or not any(map(len, rhysida.areas(0)))


def test_mammon_leaves_6_mib_and_a_quarter_between_places():
    spans = list(mammon.places(60 * MIB))
    assert [span.start for span in spans] == list(range(0, 60 * MIB - 0x640000, 0x650000))
    assert {len(span) for span in spans} == {0x10000}


def test_hunters_2_refuses_unknown_modes_and_files_that_are_too_small():
    for mode, size in ((0, 1000), (9, 1000), (4, MIB // 2)):
        with pytest.raises(BadMarkError):
            hunters2.extents(mode, size)


def test_trinity_locks_a_mib_of_every_128_with_the_next_nonce():
    size = 300 * MIB
    key = FileKey({"key": bytes(32), "iv": b"\xff" * 24})
    plan = trinity.FAMILY.plan(Sparse(size + 512), Mark(0, plain_size=size, fields={"iv": b"\xff" * 24}), key)
    pieces = list(plan.pieces)
    found, end = unlocked(pieces)
    assert found == [(0, MIB), (128 * MIB, MIB), (256 * MIB, MIB)]
    assert end == size
    streams = []
    for piece in pieces:
        if isinstance(piece, Unlock):
            out = bytearray(64)
            piece.cipher.decrypt_into(memoryview(bytes(64)), memoryview(out))
            streams.append(bytes(out))
    fresh = trinity.CIPHER.start(FileKey({"key": bytes(32), "iv": bytes(24)}))
    out = bytearray(64)
    fresh.decrypt_into(memoryview(bytes(64)), memoryview(out))
    assert streams[1] == out  # the nonce of ones is followed by zero
    assert len(set(streams)) == 3


@pytest.mark.parametrize(
    ("variant", "size", "starts"),
    [
        ("database", 64 * MIB, [0, 10 * MIB, 20 * MIB, 30 * MIB, 40 * MIB]),
        ("database", 20 * MIB, [0]),
        ("database", 20 * MIB - 1, []),
        ("", 20 * MIB + enmity.PLACE - 1, [0, 10 * MIB]),
        ("", 20 * MIB + enmity.PLACE, [0, 10 * MIB, 20 * MIB]),
    ],
)
def test_enmity_locks_places_ten_mib_apart(variant, size, starts):
    mark = Mark(0, variant=variant, numbers={"sealed": size}, fields={"name": b"a"})
    plan = enmity.plan(Sparse(size + 600), mark, FileKey({"key": bytes(32), "nonce": bytes(16)}))
    found, end = unlocked(plan.pieces)
    assert [start for start, _ in found] == starts
    assert end == plan.size == size


def test_what_rcru64_hides_at_the_end_of_a_large_file_is_lost_without_zeros():
    size = 3_000_000
    locked = BytesReader(bytes(range(256)) * (size // 256) + bytes(size % 256 + 300))
    key = FileKey({"key": bytes(32), "nonces": bytes(32)})
    pieces = list(rcru64.plan(locked, Mark(0, variant="ends", numbers={"sealed": size}), key).pieces)
    assert sum(piece.length for piece in pieces) == size
    hidden = next(piece for piece in pieces if isinstance(piece, Lost))
    assert hidden.length == rcru64.PART - 16
