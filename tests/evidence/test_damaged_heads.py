"""Disks whose first megabyte or descriptor is gone: the files outside the damage come back."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fixtures.disks import Disks, MiB
from tests.fixtures.images import convert
from tests.fixtures.planted import some_bytes
from unransom import evidence
from unransom.core.records import FileRef, Problem
from unransom.core.streams import BytesReader, chunks
from unransom.evidence.containers import open_disk
from unransom.evidence.containers.rebuilt import directory
from unransom.evidence.volumes.rebuilt import partitions, sweep

FILES = {b"a/small": b"small" * 50, b"a/big": some_bytes(3, 900_000)}
NOISE = some_bytes(99, MiB)


def recovered(image: Path) -> tuple[dict[bytes, bytes], list[Problem]]:
    source = evidence.identify(str(image))
    assert source.kind == "image"
    store = evidence.open_store(source)
    found, problems = {}, []
    for each in store.files():
        if isinstance(each, Problem):
            problems.append(each)
        elif isinstance(each, FileRef) and each.size:
            with store.open(each) as reader:
                found[each.path] = b"".join(chunks(reader))
    store.close()
    return found, problems


def prefixed(names: list[str], files: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    return {f"{name}/".encode() + path: content for name in names for path, content in files.items()}


def overwrite(image: Path, length: int = MiB, offset: int = 0) -> None:
    with image.open("r+b") as file:
        file.seek(offset)
        file.write(NOISE[:length])


@pytest.fixture(scope="module")
def whole_disk(shared_disks: Disks) -> Path:
    """A disk of 300 MiB and some with NTFS, ext4, FAT and XFS."""
    volumes = [
        shared_disks.ntfs(FILES),
        shared_disks.ext4(FILES),
        shared_disks.fat(FILES),
        shared_disks.xfs(FILES),
    ]
    return shared_disks.disk(volumes)


@pytest.mark.parametrize("wrapped", ["raw", "vmdk-flat", "vhdx", "vmdk-parts"])
def test_the_first_megabyte_is_noise(whole_disk: Path, tmp_path: Path, wrapped: str) -> None:
    image = tmp_path / "disk.img"
    match wrapped:
        case "raw":
            image.write_bytes(whole_disk.read_bytes())
        case "vmdk-flat":  # the descriptor is gone as well
            convert(whole_disk, tmp_path / "x.vmdk", "vmdk", "subformat=monolithicFlat")
            (tmp_path / "x.vmdk").unlink()
            image = tmp_path / "x-flat.vmdk"
        case "vhdx":
            image = tmp_path / "disk.vhdx"
            convert(whole_disk, image, "vhdx", "subformat=dynamic")
        case "vmdk-parts":  # the descriptor is gone, nothing else
            convert(whole_disk, tmp_path / "x.vmdk", "vmdk", "subformat=twoGbMaxExtentSparse")
            (tmp_path / "x.vmdk").unlink()
            image = tmp_path / "x-s001.vmdk"
    if wrapped != "vmdk-parts":
        overwrite(image)
    found, problems = recovered(image)
    assert found == prefixed(["volume-1", "volume-2", "volume-3", "volume-4"], FILES)
    assert problems
    assert not any(problem.fatal for problem in problems)


def test_an_mbr_is_not_needed(shared_disks: Disks, tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    disk = shared_disks.disk([shared_disks.ntfs(FILES), shared_disks.ext4(FILES)], "dos")
    image.write_bytes(disk.read_bytes())
    overwrite(image)
    found, _ = recovered(image)
    assert found == prefixed(["volume-1", "volume-2"], FILES)


def test_a_sparse_vmdk_is_opened_by_its_second_directory(shared_disks: Disks, tmp_path: Path) -> None:
    raw = shared_disks.disk([shared_disks.ntfs(FILES), shared_disks.ext4(FILES)], "dos")
    large = tmp_path / "large"
    subprocess.run(["cp", "--sparse=always", raw, large], check=True)
    os.truncate(large, 20 << 30)
    image = tmp_path / "disk.vmdk"
    convert(large, image, "vmdk")
    overwrite(image)
    found, problems = recovered(image)
    assert found == prefixed(["volume-1", "volume-2"], FILES)
    assert any("head of the image" in str(problem.what) for problem in problems)


def test_the_boot_sector_of_ntfs_has_a_copy(shared_disks: Disks, tmp_path: Path) -> None:
    for name, volume in {"disk": None, "volume": shared_disks.ntfs(FILES)}.items():
        image = tmp_path / f"{name}.img"
        image.write_bytes((volume or shared_disks.disk([shared_disks.ntfs(FILES)])).read_bytes())
        overwrite(image, 8192, 0 if volume else MiB)
        found, problems = recovered(image)
        assert found == FILES
        assert [problem.fatal for problem in problems] == [False]


def test_the_superblock_of_ext_has_copies(shared_disks: Disks, tmp_path: Path) -> None:
    for kind in ("ext2", "ext4"):
        volume = shared_disks.ext4(FILES, kind=kind)
        image = tmp_path / f"{kind}.img"
        image.write_bytes(volume.read_bytes())
        overwrite(image, 4096)
        found, problems = recovered(image)
        assert found == FILES
        assert [problem.fatal for problem in problems] == [False]


def test_a_head_of_zeros_is_lost_as_well(shared_disks: Disks, tmp_path: Path) -> None:
    """What a container has no block for reads as zeros."""
    image = tmp_path / "disk.img"
    disk = shared_disks.disk([shared_disks.ntfs(FILES), shared_disks.ext4(FILES)])
    image.write_bytes(disk.read_bytes())
    with image.open("r+b") as file:
        for start in (MiB, 17 * MiB):
            file.seek(start)
            file.write(bytes(8192 if start == MiB else 4096))
    found, problems = recovered(image)
    assert found == prefixed(["volume-1", "volume-2"], FILES)
    assert [problem.fatal for problem in problems] == [False, False]


@pytest.mark.parametrize("start", [0, 63 * 512, MiB])
def test_ntfs_is_read_without_its_first_records(shared_disks: Disks, tmp_path: Path, start: int) -> None:
    """Records 0 to 103 are lost; the copy of the first of them says where the others are."""
    early = {b"early/%d" % number: some_bytes(number, 900 * number + 1) for number in range(60)}
    late = {b"late/deep/%d" % number: some_bytes(number, 900 * number + 1) for number in range(60)}
    image = tmp_path / "disk.img"
    image.write_bytes(bytes(start) + shared_disks.ntfs(early | late).read_bytes())
    overwrite(image, 16384 + 104 * 1024, start)
    found, problems = recovered(image)
    left = {path: content for path, content in found.items() if path.startswith(b"late/")}
    orphans = {path.rpartition(b"/")[2]: content for path, content in found.items() if path not in left}
    assert left == {path: content for path, content in late.items() if content}
    assert len(orphans) >= 15
    assert orphans == {name: early[b"early/" + name] for name in orphans}
    assert [problem.fatal for problem in problems] == [False]


def test_noise_has_no_volumes(tmp_path: Path) -> None:
    image = tmp_path / "noise.vmdk"
    image.write_bytes(NOISE * 3)
    assert evidence.identify(str(image)).kind == "file"


@given(data=st.binary(max_size=3000), mark=st.sampled_from([b"EFI PART", b"\xeb\x52\x90NTFS    ", b"XFSB"]))
def test_copies_that_make_no_sense_are_survived(data: bytes, mark: bytes) -> None:
    disk = bytearray(2 * MiB + 8192)
    disk[MiB : MiB + len(data)] = data
    disk[-1024 : -1024 + len(mark)] = mark
    disk[MiB : MiB + len(mark)] = mark
    disk[-2:] = disk[MiB + 510 : MiB + 512] = b"\x55\xaa"
    reader = BytesReader(bytes(disk))
    for start, size, _ in partitions(reader):
        assert start >= 0 < size
    for found in sweep(reader):
        assert found.start >= 0


@given(st.lists(st.integers(0, 2**32 - 1), max_size=600))
def test_a_directory_is_where_its_tables_follow(numbers: list[int]) -> None:
    words = np.array(numbers, np.uint32)
    assert directory(words, 0) is None or len(numbers) >= 8


def test_images_with_sound_heads_are_opened_as_ever(whole_disk: Path) -> None:
    disk = open_disk(os.fsencode(whole_disk))
    assert (disk.container, disk.notes) == ("raw", [])
    disk.close()


def test_a_copy_of_a_superblock_is_not_the_start_of_its_volume(shared_disks: Disks) -> None:
    """The first megabytes are lost up to behind the first copy; what is left says of which group it is."""
    for volume, lost in (
        (shared_disks.ext4(FILES, 40 * MiB, options=("-b", "1024")), 10 * MiB),
        (shared_disks.xfs(FILES), 2 * MiB),
    ):
        data = bytearray(shared_disks.disk([volume], "dos").read_bytes())
        data[:lost] = some_bytes(5, lost)
        kind = "xfs" if "xfs" in volume.name else "ext"
        found = sweep(BytesReader(bytes(data)))
        assert [(each.start, each.size, each.filesystem) for each in found] == [
            (MiB, volume.stat().st_size, kind)
        ]
