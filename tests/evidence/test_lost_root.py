"""Volumes whose root folder is lost: what was in it is listed by its inodes, or it is said that it is not."""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.evidence.test_damaged_heads import recovered
from tests.fixtures.disks import Disks
from tests.fixtures.planted import some_bytes

FILES = {
    b"top": some_bytes(4, 5000),
    b"a/small": b"small" * 50,
    b"a/b/deeper": some_bytes(5, 70_000),
    b"c/other": some_bytes(6, 9000),
}
NOISE = some_bytes(98, 64 << 10)


def ext_root(image: Path) -> tuple[int, int]:
    said = subprocess.check_output(["debugfs", "-R", "blocks /", image], text=True, stderr=subprocess.DEVNULL)
    block = 1024 << struct.unpack_from("<I", image.read_bytes()[:2048], 1048)[0]
    return int(said.split()[0]) * block, block


def xfs_root(image: Path) -> tuple[int, int]:
    """A root folder that stands in its inode, behind its 176 bytes."""
    head = image.read_bytes()[:512]
    number, size = struct.unpack_from(">Q", head, 56)[0], struct.unpack_from(">H", head, 104)[0]
    return number * size + 176, size - 176


def emptied(image: Path, place: tuple[int, int]) -> None:
    with image.open("r+b") as file:
        file.seek(place[0])
        file.write(NOISE[: place[1]])


@pytest.mark.parametrize(
    ("make", "root"), [(Disks.ext4, ext_root), (Disks.xfs, xfs_root)], ids=["ext4", "xfs"]
)
def test_files_come_back_without_the_names_of_the_root(
    disks: Disks, make: Callable[..., Path], root: Callable[[Path], tuple[int, int]]
) -> None:
    image = make(disks, FILES)
    assert recovered(image) == (FILES, [])
    emptied(image, root(image))
    found, problems = recovered(image)
    assert sorted(found.values()) == sorted(FILES.values())
    names = {content: re.sub(rb"\d+", b"N", path) for path, content in found.items()}
    assert names[FILES[b"a/b/deeper"]] == b"$OrphanFiles/N/b/deeper"
    assert names[FILES[b"c/other"]] == b"$OrphanFiles/N/other"
    assert names[FILES[b"top"]] == b"$OrphanFiles/N"
    assert [str(problem.what) for problem in problems] == ["the root folder is lost"]


def test_of_fat_it_is_said(disks: Disks) -> None:
    image = disks.fat(FILES)
    head = image.read_bytes()[:64]
    reserved, length = struct.unpack_from("<H", head, 14)[0], struct.unpack_from("<H", head, 22)[0]
    emptied(image, ((reserved + 2 * length) * 512, 16 << 10))
    found, problems = recovered(image)
    assert (found, [str(problem.what) for problem in problems]) == ({}, ["the root folder is lost"])
