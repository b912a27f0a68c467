"""Volumes whose first sectors are gone: NTFS, exFAT and FAT32 keep copies of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evidence.test_damaged_heads import FILES, overwrite, recovered
from tests.fixtures.disks import Disks, MiB
from unransom.core.streams import BytesReader
from unransom.evidence.volumes.boot_copies import EXFAT_CHANGING, EXFAT_COPY, FAT_COPY, copied

KINDS = ("ntfs", "exfat", "fat")


@pytest.fixture(scope="module", params=[512, 4096])
def sector(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def volumes(shared_disks: Disks, sector: int) -> dict[str, Path]:
    """Volumes by their kind; FAT32 has as many clusters as it takes to be FAT32."""
    return {
        "ntfs": shared_disks.ntfs(FILES, sector=sector),
        "exfat": shared_disks.exfat(FILES, sector=sector),
        "fat": shared_disks.fat(FILES, 66_000 * sector + 2 * MiB, bits=32, sector=sector),
    }


@pytest.mark.parametrize("table", ["gpt", "dos", ""])
@pytest.mark.parametrize("kind", KINDS)
def test_files_behind_a_lost_first_sector_come_back(
    shared_disks: Disks, volumes: dict[str, Path], tmp_path: Path, sector: int, kind: str, table: str
) -> None:
    """With the table of partitions, with a copy of it or none, and with a volume alone."""
    image = shared_disks.disk([volumes[kind]], table) if table else volumes[kind]
    damaged = tmp_path / "x.img"
    damaged.write_bytes(image.read_bytes())
    overwrite(damaged, (MiB if table else 0) + min(4 * sector, 4096))
    found, problems = recovered(damaged)
    assert found == FILES
    assert problems
    assert not any(problem.fatal for problem in problems)


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_copy_is_not_taken_for_one(volumes: dict[str, Path], sector: int, kind: str) -> None:
    data = bytearray(volumes[kind].read_bytes())
    reader = BytesReader(data)
    whole = copied(reader, 0, len(data))
    assert whole
    assert {at for at in range(512) if whole.data[at] != data[at]} <= {*EXFAT_CHANGING}
    place = {
        "ntfs": len(data) - sector + 40,
        "exfat": EXFAT_COPY * sector + 80,
        "fat": FAT_COPY * sector + 11,
    }
    data[place[kind]] ^= 8
    assert copied(BytesReader(data), 0, len(data)) is None


@pytest.mark.parametrize("lost", [(0,), (1,), (0, 1)], ids=str)
def test_a_copy_of_another_fat_volume_is_not_taken(
    volumes: dict[str, Path], sector: int, lost: tuple[int, ...]
) -> None:
    """It has no checksum: its tables must be where it says, one of them at least."""
    data = bytearray(volumes["fat"].read_bytes())
    boot = copied(BytesReader(data), 0, len(data))
    assert boot
    reserved, length = int.from_bytes(boot.data[14:16], "little"), int.from_bytes(boot.data[36:40], "little")
    for number in lost:
        place = (reserved + number * length) * sector
        data[place : place + sector] = bytes(range(256)) * (sector // 256)
    assert (copied(BytesReader(data), 0, len(data)) is None) == (len(lost) == 2)


@given(st.binary(max_size=512), st.integers(0, 70_000))
def test_hostile_copies_neither_raise_nor_allocate(piece: bytes, place: int) -> None:
    data = bytearray(80_000)
    for at in (place, 3072, 6144):
        data[at : at + len(piece)] = piece
    for mark in (b"EXFAT   ", b"NTFS    "):
        data[3072 + 3 : 3072 + 11] = data[6144 + 3 : 6144 + 11] = mark
        found = copied(BytesReader(bytes(data)), 0, len(data))
        assert found is None or found.size <= len(data)
