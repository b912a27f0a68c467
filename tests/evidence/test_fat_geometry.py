"""FAT volumes without their first sector and without a copy of it: the tables and folders tell the layout."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evidence.test_damaged_heads import overwrite, recovered
from tests.fixtures.disks import Disks, MiB, write_tree
from tests.fixtures.planted import some_bytes
from tests.fixtures.tools import run
from unransom.core.streams import BytesReader
from unransom.evidence.volumes.fat_geometry import boot_of

FILES = {
    b"one/first": some_bytes(1, 90_000),
    b"one/deeper/second": some_bytes(2, 300_000),
    b"two/a long name of a file.text": b"long" * 9000,
    b"two/small": b"small",
    b"top": some_bytes(3, 50_001),
}
SHAPES = {  # bits, bytes of the volume, options of mkfs.fat
    "12": (12, 4 * MiB, ()),
    "12-floppy": (12, 1440 * 1024, ("-r", "224", "-s", "1")),
    "12-long-tables": (12, 5 * MiB, ("-s", "16", "-r", "1024")),
    "16": (16, 16 * MiB, ()),
    "16-wide-root": (16, 64 * MiB, ("-r", "1024", "-s", "8")),
    "16-sectors-of-4096": (16, 80 * MiB, ("-S", "4096")),
    "32": (32, 40 * MiB, ("-s", "1")),
    "32-reserved": (32, 80 * MiB, ("-s", "2", "-R", "3000")),
}


def made(disks: Disks, bits: int, size: int, options: tuple[str, ...], files: dict[bytes, bytes]) -> Path:
    tree, image = disks.new("tree"), disks.empty(f"fat{bits}.img", size)
    run("dosfstools", "mkfs.fat", "-F", str(bits), *options, image)
    write_tree(tree, files)
    run("mtools", "mcopy", "-s", "-Q", "-m", "-i", image, *sorted(tree.iterdir()), "::")
    return image


@pytest.fixture(scope="module", params=SHAPES)
def volume(request: pytest.FixtureRequest, shared_disks: Disks) -> Path:
    return made(shared_disks, *SHAPES[request.param], FILES)


@pytest.mark.parametrize("table", ["dos", ""])
def test_files_behind_lost_first_sectors_come_back(
    shared_disks: Disks, volume: Path, tmp_path: Path, table: str
) -> None:
    """All sectors in front of the tables, a copy of the first one included, are noise."""
    image = shared_disks.disk([volume], table) if table else volume
    damaged = tmp_path / "x.img"
    damaged.write_bytes(image.read_bytes())
    head = volume.read_bytes()[:16]
    reserved = int.from_bytes(head[14:16], "little") * int.from_bytes(head[11:13], "little")
    overwrite(damaged, min(reserved, MiB // 2), MiB if table else 0)
    found, problems = recovered(damaged)
    assert found == FILES
    assert problems
    assert not any(problem.fatal for problem in problems)


def test_what_more_than_one_layout_fits_is_not_opened(shared_disks: Disks) -> None:
    """One folder in the first cluster and no file of several clusters: of any size they would be right."""
    data = bytearray(made(shared_disks, 16, 16 * MiB, (), {b"a/one": b"1"}).read_bytes())
    data[:512] = some_bytes(4, 512)
    assert boot_of(BytesReader(data), 0, len(data)) is None
    data = bytearray(made(shared_disks, 16, 16 * MiB, (), {b"one": some_bytes(5, 99_999)}).read_bytes())
    data[:512] = some_bytes(4, 512)
    assert boot_of(BytesReader(data), 0, len(data)) is None


def test_tables_that_differ_are_not_believed(volume: Path) -> None:
    data = bytearray(volume.read_bytes())
    reserved = int.from_bytes(data[14:16], "little") * int.from_bytes(data[11:13], "little")
    assert boot_of(BytesReader(data), 0, len(data))
    data[reserved + 100] ^= 1
    assert boot_of(BytesReader(data), 0, len(data)) is None


@given(st.binary(max_size=2048), st.integers(1, 40), st.integers(1, 40))
def test_hostile_tables_neither_raise_nor_hang(piece: bytes, first: int, second: int) -> None:
    data = bytearray(80_000)
    for sector in (first, first + second):
        for head in (b"\xf8\xff\xff", b"\xf8\xff\xff\xff", b"\xf8\xff\xff\x0f\xff\xff\xff\x0f"):
            data[sector * 512 : sector * 512 + len(piece)] = piece
            data[sector * 512 : sector * 512 + len(head)] = head
            boot_of(BytesReader(bytes(data)), 0, len(data))
