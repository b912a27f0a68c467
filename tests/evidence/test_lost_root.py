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
from unransom.evidence.filesystems.fat_folders import first_level

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


def fat_root(image: Path) -> tuple[int, int]:
    head = image.read_bytes()[:64]
    sector, factor, reserved, tables, root = struct.unpack_from("<HBHBH", head, 11)
    length = struct.unpack_from("<H", head, 22)[0] or struct.unpack_from("<I", head, 36)[0]
    return (reserved + tables * length) * sector, root * 32 or factor * sector


FAT_KINDS = pytest.mark.parametrize(
    ("bits", "size", "sector"),
    [(12, 4, 512), (16, 16, 512), (16, 64, 4096), (32, 40, 512), (32, 300, 4096)],
)


@FAT_KINDS
def test_folders_of_fat_come_back_without_their_names(
    disks: Disks, bits: int, size: int, sector: int
) -> None:
    image = disks.fat(FILES | {b"many/%02d" % n: b"%d" % n for n in range(90)}, size << 20, (), bits, sector)
    whole, _ = recovered(image)
    emptied(image, fat_root(image))
    found, problems = recovered(image)
    assert {path.split(b"/", 2)[2]: content for path, content in found.items()} == {
        path.split(b"/", 1)[1]: content for path, content in whole.items() if b"/" in path
    }
    assert {re.sub(rb"\d+", b"N", path) for path in found} >= {b"$OrphanFiles/N/b/deeper"}
    assert [str(problem.what) for problem in problems] == ["the root folder is lost"]


def test_a_folder_that_the_rest_of_the_root_names_is_listed_once(disks: Disks) -> None:
    empty = {b"empty%02d" % n: b"" for n in range(16)}
    image = disks.fat(dict.fromkeys(empty, b"1") | {b"z/kept": b"kept", b"a/lost": b"lost"}, 16 << 20)
    place = fat_root(image)
    emptied(image, (place[0], 64))  # the label and the first entry, of the folder "a"
    found, _ = recovered(image)
    assert sorted(content for content in found.values() if len(content) > 1) == [b"kept", b"lost"]
    assert found[b"z/kept"] == b"kept"


def test_where_no_folder_is_left_of_fat_it_is_said(disks: Disks) -> None:
    image = disks.fat({b"top": FILES[b"top"]})
    emptied(image, fat_root(image))
    found, problems = recovered(image)
    assert (found, [str(problem.what) for problem in problems]) == ({}, ["the root folder is lost"])
    assert str(problems[0].resolution) == "what was in it may still be found by carving"


def test_a_table_of_noise_is_looked_through_in_bounded_time(disks: Disks) -> None:
    """Of 268 million clusters whose entries all name one other nearly every one seems to begin a file."""
    head = bytearray(disks.fat({}, 40 << 20, (), 32).read_bytes()[:512])
    head[13] = 1
    struct.pack_into("<I", head, 32, 0xFFFFFFFF)
    noise = Noise(bytes(head))
    assert first_level(noise, 0) == []
    assert noise.reads < 1 << 21


class Noise:
    """A volume of 16 TiB with nothing but its first sector."""

    size = 1 << 44

    def __init__(self, head: bytes) -> None:
        self.head, self.reads = head, 0

    def read_at(self, offset: int, length: int) -> bytes:
        self.reads += 1
        return self.head[offset : offset + length].ljust(length, b"\1")
