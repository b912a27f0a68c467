"""Tables of partitions that are damaged, or that are two at once: every volume is found all the same."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from tests.fixtures.disks import Disks, MiB
from unransom import evidence
from unransom.core.records import Problem
from unransom.core.streams import BytesReader
from unransom.evidence.sleuthkit import TskImage
from unransom.evidence.volumes import signatures
from unransom.evidence.volumes.partitions import volumes

FIRST, SECOND = 1 * MiB, 17 * MiB  # where the two volumes of the disk begin
ENTRIES = slice(1024, 1024 + 128 * 128)
NOISE = random.Random(8).randbytes(1 << 16)


@pytest.fixture(scope="module")
def disk(shared_disks: Disks) -> bytes:
    """Return a disk with a GPT and two volumes."""
    parts: list[Path] = [shared_disks.ext4({b"a": b"a"}), shared_disks.fat({b"b": b"b"})]
    return shared_disks.disk(parts).read_bytes()


def found(data: bytes) -> list[tuple[int, str]]:
    return [(each.start, each.filesystem) for each in volumes(TskImage(BytesReader(data))) if each.filesystem]


def mbr(*entries: tuple[int, int, int]) -> bytes:
    """Return a sector with a table of such entries: type, first sector, sectors."""
    rows = b"".join(struct.pack("<B3xB3xII", 0, *each) for each in entries)
    return (bytes(446) + rows).ljust(510, b"\0") + b"\x55\xaa"


def put(data: bytes, *pieces: tuple[int, bytes]) -> bytes:
    changed = bytearray(data)
    for at, piece in pieces:
        changed[at : at + len(piece)] = piece
    return bytes(changed)


DAMAGE = {
    "header zeroed": lambda disk: put(disk, (512, bytes(512))),
    "header of noise": lambda disk: put(disk, (512, NOISE[:512])),
    "entries of noise": lambda disk: put(disk, (ENTRIES.start, NOISE[: ENTRIES.stop - ENTRIES.start])),
    "one entry changed": lambda disk: put(disk, (ENTRIES.start + 32, b"\xff")),
    "copy gone": lambda disk: put(disk, (len(disk) - 33 * 512, bytes(33 * 512))),
    "both gone": lambda disk: put(disk, (512, bytes(33 * 512)), (len(disk) - 33 * 512, bytes(33 * 512))),
    "MBR gone": lambda disk: put(disk, (0, bytes(512))),
    "hybrid": lambda disk: put(disk, (0, mbr((0x83, FIRST // 512, 32768), (0xEE, 1, 2047)))),
    "older than the MBR": lambda disk: put(
        disk, (0, mbr((0x83, FIRST // 512, 32768), (6, SECOND // 512, 32768)))
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_gpt_is_read_from_what_is_left(disk: bytes, damage: str) -> None:
    assert found(DAMAGE[damage](disk)) == [(FIRST, "ext"), (SECOND, "fat")]


@pytest.mark.parametrize("sector", [512, 4096])
def test_sectors_of_an_mbr_are_as_large_as_fits_its_volumes(disk: bytes, sector: int) -> None:
    outer = SECOND - 64 * sector
    head = mbr((0x83, FIRST // sector, 15 * MiB // sector), (0x0F, outer // sector, 17 * MiB // sector))
    data = put(disk, (512, bytes(33 * 512)), (4096, bytes(512)), (0, head))
    data = put(data, (len(disk) - 33 * 512, bytes(33 * 512)), (outer, mbr((6, 64, 16 * MiB // sector))))
    volumes_of = volumes(TskImage(BytesReader(data)))
    assert [(each.start, each.filesystem, each.rebuilt) for each in volumes_of if each.used] == [
        (FIRST, "ext", False),
        (SECOND, "fat", False),
    ]


OUTER = SECOND - 512 * 64
CHAINS = {
    "whole": mbr((6, 64, 32768)),
    "back to itself": mbr((6, 64, 32768), (5, 0, 32768)),
    "noise": NOISE[:512],
    "zeroed": bytes(512),
}


@pytest.mark.parametrize("chain", CHAINS)
def test_a_volume_that_no_link_of_an_extended_partition_names_is_found(disk: bytes, chain: str) -> None:
    head = mbr((0x83, FIRST // 512, 32768), (0x0F, OUTER // 512, 32768 + 64))
    data = put(disk, (512, bytes(33 * 512)), (0, head), (OUTER, CHAINS[chain]))
    assert found(data) == [(FIRST, "ext"), (SECOND, "fat")]


@pytest.mark.parametrize(("at", "mark", "kind"), signatures.FOREIGN)
@pytest.mark.parametrize("tabled", [False, True])
def test_what_is_not_read_is_named(tmp_path: Path, at: int, mark: bytes, kind: str, *, tabled: bool) -> None:
    start = FIRST if tabled else 0
    data = bytearray(start + 20 * MiB)
    if tabled:
        data[:512] = mbr((0x83, FIRST // 512, 20 * MiB // 512))
    data[start + at : start + at + len(mark)] = mark
    image = tmp_path / "server"
    image.write_bytes(data)
    (problem,) = evidence.open_store(evidence.identify(str(image))).files()
    assert isinstance(problem, Problem)
    assert problem.fatal
    assert problem.resolution.values == {"kind": kind}


def test_a_disk_of_nothing_but_empty_volumes_is_said(tmp_path: Path) -> None:
    image = tmp_path / "server"
    image.write_bytes(mbr((0x83, FIRST // 512, 20 * MiB // 512)).ljust(21 * MiB, b"\0"))
    (problem,) = evidence.open_store(evidence.identify(str(image))).files()
    assert isinstance(problem, Problem)
    assert "begins with zeros" in str(problem.what)
