"""FAT volumes whose first table is damaged, or both at different places."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evidence.test_damaged_heads import recovered
from tests.evidence.test_fat_geometry import FILES, SHAPES, made
from tests.fixtures.disks import Disks
from tests.fixtures.planted import some_bytes
from unransom.core.streams import BytesReader
from unransom.evidence.volumes.fat_copies import from_second
from unransom.evidence.volumes.fat_layout import layout

NOISE = some_bytes(11, 1 << 20)
HALF = 1536  # bytes


@pytest.fixture(scope="module", params=["12", "16", "16-wide-root", "32", "32-reserved"])
def volume(request: pytest.FixtureRequest, shared_disks: Disks) -> bytes:
    return made(shared_disks, *SHAPES[request.param], FILES).read_bytes()


def damaged(volume: bytes, parts: list[tuple[int, int, int]], filled: bytes) -> bytes:
    """Return the volume with bytes of its tables lost: number of the table, from where in it, how many."""
    found = layout(volume[:512])
    assert found
    data = bytearray(volume)
    for number, begin, length in parts:
        place = found.table + number * found.length + begin
        end = min(place + length, found.table + (number + 1) * found.length)
        data[place:end] = filled[: end - place]
    return bytes(data)


@pytest.mark.parametrize("filled", [NOISE, bytes(1 << 20)], ids=["noise", "zeros"])
@pytest.mark.parametrize(
    "parts",
    [[(0, 0, HALF)], [(0, 512, HALF)], [(0, 0, 1 << 20)], [(0, 0, 512), (1, 512, HALF)], [(1, 0, 1 << 20)]],
    ids=["head", "middle", "all", "both", "second"],
)
def test_every_file_comes_back_while_one_table_has_it(
    volume: bytes, tmp_path: Path, parts: list[tuple[int, int, int]], filled: bytes
) -> None:
    image = tmp_path / "x.img"
    image.write_bytes(damaged(volume, parts, filled))
    first = damaged(volume, [part for part in parts if not part[0]], filled)
    found, problems = recovered(image)
    assert found == FILES
    assert [problem.fatal for problem in problems] == [False] * (first != volume)


def test_nothing_is_put_back_where_the_tables_agree(volume: bytes) -> None:
    assert not from_second(BytesReader(volume), 0)


@given(st.binary(max_size=2048), st.integers(0, 4096))
def test_hostile_tables_neither_raise_nor_add_bytes(piece: bytes, at: int) -> None:
    head = bytes.fromhex("eb3c904d53444f53352e3000020101000200020002f00300090002000000000000000000")
    data = bytearray(head.ljust(512, b"\0") + bytes(1 << 16))
    data[at : at + len(piece)] = piece
    for place, part in from_second(BytesReader(bytes(data)), 0):
        assert 0 <= place <= place + len(part) <= len(data)
