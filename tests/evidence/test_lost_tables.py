"""Virtual disks whose head is gone together with their tables: the files outside the damage come back."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evidence.test_damaged_heads import NOISE, overwrite, prefixed, recovered
from tests.fixtures.disks import Disks, MiB
from tests.fixtures.images import convert
from tests.fixtures.planted import some_bytes
from tests.fixtures.tools import tool
from unransom import evidence
from unransom.core.errors import UnreadableError
from unransom.core.records import FileRef
from unransom.core.streams import BytesReader, chunks
from unransom.evidence.disks import open_disk
from unransom.evidence.lost.align import Edges, align, chain
from unransom.evidence.lost.sightings import sightings
from unransom.evidence.lost.slots import layout
from unransom.evidence.lost.tables import _ordered as ordered
from unransom.evidence.lost.volumes import seen_volumes
from unransom.evidence.volumes.rebuilt import Patch, Patched

FILES = {b"a/small": b"small" * 50, b"a/big": some_bytes(3, 900_000)}
FILES |= {b"b/%d" % number: some_bytes(number, 3_000 * number + 1) for number in range(40)}
TABLELESS = {  # kind and options of qemu-img, ending
    "sparse": ("vmdk", "subformat=monolithicSparse", "vmdk"),
    "parts": ("vmdk", "subformat=twoGbMaxExtentSparse", "vmdk"),
    "stream": ("vmdk", "subformat=streamOptimized", "vmdk"),
    "qcow2": ("qcow2", "", "qcow2"),
    "vdi": ("vdi", "", "vdi"),
    "vhd": ("vpc", "subformat=dynamic,force_size=on", "vhd"),
}


@pytest.fixture(scope="module")
def small_disks(shared_disks: Disks) -> dict[str, Path]:
    """Disks by their table of partitions; the first volume has nothing but bears the damage."""
    first = {b"damaged": some_bytes(8, 2 * MiB)}
    volumes = [shared_disks.fat(first)] + [
        getattr(shared_disks, kind)(FILES) for kind in ("ntfs", "ext4", "fat", "xfs")
    ]
    return {table: shared_disks.disk(volumes, table) for table in ("gpt",)} | {
        "dos": shared_disks.disk(volumes[:4], "dos")
    }


@pytest.mark.parametrize("table", ["gpt", "dos"])
@pytest.mark.parametrize("kind", TABLELESS)
def test_the_first_megabyte_and_all_tables_are_noise(
    small_disks: dict[str, Path], tmp_path: Path, kind: str, table: str
) -> None:
    form, options, ending = TABLELESS[kind]
    image = tmp_path / f"x.{ending}"
    convert(small_disks[table], image, form, options)
    overwrite(tmp_path / "x-s001.vmdk" if kind == "parts" else image)
    found, problems = recovered(image)
    wanted = prefixed([f"volume-{number}" for number in range(2, 6 if table == "gpt" else 5)], FILES)
    inside = {path.partition(b"/")[2]: content for path, content in found.items() if path[:6] == b"volume"}
    assert {path: inside.get(path) for path in FILES} == FILES
    missing = {path for path in wanted if found.get(path) != wanted[path]}
    assert not missing or table == "dos"  # without a table nothing says where the first volume was
    assert sum(content in FILES.values() for content in found.values()) >= len(wanted)
    assert any("lost" in str(each.what) for each in problems)


def test_a_part_may_be_gone_of_which_the_descriptor_knows_the_size(
    small_disks: dict[str, Path], tmp_path: Path
) -> None:
    convert(small_disks["gpt"], tmp_path / "x.vmdk", "vmdk", "subformat=twoGbMaxExtentSparse")
    (tmp_path / "x.vmdk").unlink()
    overwrite(tmp_path / "x-s001.vmdk")
    found, _ = recovered(tmp_path / "x-s001.vmdk")
    assert sum(content in FILES.values() for content in found.values()) == 4 * len(FILES)


def test_a_snapshot_of_a_disk_without_a_head(small_disks: dict[str, Path], tmp_path: Path) -> None:
    convert(small_disks["gpt"], tmp_path / "base.vmdk", "vmdk")
    arguments = ["create", "-q", "-f", "vmdk", "-F", "vmdk", "-b", "base.vmdk", "top.vmdk"]
    subprocess.run([tool("qemu-img", "qemu-utils"), *arguments], check=True, cwd=tmp_path)
    overwrite(tmp_path / "base.vmdk")
    found, _ = recovered(tmp_path / "top.vmdk")
    assert sum(content in FILES.values() for content in found.values()) == 4 * len(FILES)


def test_what_is_before_the_first_grain_is_lost_and_no_zeros(
    small_disks: dict[str, Path], tmp_path: Path
) -> None:
    """What is put back over it is read all the same."""
    image = tmp_path / "x.vmdk"
    convert(small_disks["gpt"], image, "vmdk", "subformat=streamOptimized")
    overwrite(image)
    disk = open_disk(os.fsencode(image))
    with pytest.raises(UnreadableError):
        disk.read_at(0, 4096)
    patched = Patched(disk, [Patch(0, b"head" * 1024)])
    assert patched.read_at(4, 4092) == b"head" * 1023
    with pytest.raises(UnreadableError):
        patched.read_at(4, 4093)
    disk.close()


def test_the_copy_of_a_table_alone_makes_a_disk(shared_disks: Disks, tmp_path: Path) -> None:
    """FAT keeps no copy of its head: what it held is carved, and is no locked file."""
    picture = some_bytes(5, 700_000)
    image = tmp_path / "x.vmdk"
    convert(
        shared_disks.disk([shared_disks.fat({b"damaged": some_bytes(8, 2 * MiB), b"z": picture})]),
        image,
        "vmdk",
    )
    overwrite(image)
    assert evidence.identify(str(image)).kind == "image"
    disk = open_disk(os.fsencode(image))
    assert picture in disk.read_at(0, disk.size)
    disk.close()


def test_a_plain_disk_is_left_as_it_is(small_disks: dict[str, Path], tmp_path: Path) -> None:
    image = tmp_path / "disk-flat.vmdk"
    image.write_bytes(small_disks["gpt"].read_bytes())
    overwrite(image)
    found, problems = recovered(image)
    assert sum(content in FILES.values() for content in found.values()) >= 4 * len(FILES)
    assert not any("tables" in str(each.what) for each in problems)


@given(st.dictionaries(st.integers(0, 60), st.integers(0, 90), min_size=1))
def test_a_chain_is_the_longest_that_fits(sure: dict[int, int]) -> None:
    found = chain(sure)
    for (low, start), (high, end) in itertools.pairwise(found):
        assert high - low <= end - start
    if len(sure) <= 7:
        items = sorted(sure.items())
        fits = [
            subset
            for size in range(len(items) + 1)
            for subset in itertools.combinations(items, size)
            if all(b[0] - a[0] <= b[1] - a[1] for a, b in itertools.pairwise(subset))
        ]
        assert len(found) == max(map(len, fits))


@settings(max_examples=60)
@given(st.lists(st.booleans(), min_size=2, max_size=60).filter(any), st.randoms(use_true_random=False))
def test_blocks_go_where_files_are(stored: list[bool], draw) -> None:  # type: ignore[no-untyped-def]
    """Where the files say which places have a block, every block finds its place."""
    truth = np.flatnonzero(stored)
    sure = {0: int(truth[0]), len(truth) - 1: int(truth[-1])}
    edges = Edges(np.zeros(len(truth), bool), np.zeros(len(truth), bool))
    found = align(sure, len(truth), len(stored), np.array(stored), edges)
    assert found.tolist() == truth.tolist()


@settings(max_examples=40)
@given(
    changes=st.lists(st.tuples(st.integers(0, 4095), st.integers(0, 255)), max_size=30),
    seed=st.integers(0, 5),
)
def test_damaged_structures_are_survived(changes: list[tuple[int, int]], seed: int) -> None:
    marks = (b"EFI PART", b"FILE0\0", b"XFSB", b".          \x10", b"IN\x81\xa4\x03", b"\xeb\x52\x90NTFS    ")
    block = bytearray(some_bytes(seed, 4096))
    block[512 : 512 + len(marks[seed])] = marks[seed]
    block[1022:1024] = b"\x55\xaa"
    block[2048 + 56 : 2048 + 58] = b"\x53\xef"
    for where, value in changes:
        block[where] = value
    for volume in seen_volumes(list(sightings(bytes(block), 1 << 20))):
        assert volume.marks


@pytest.mark.parametrize("seed", range(6))
def test_hostile_structures_are_survived(small_disks: dict[str, Path], tmp_path: Path, seed: int) -> None:
    """Bytes of the structures that say where blocks are, changed to the largest and to any numbers."""
    image = tmp_path / "x.vmdk"
    convert(small_disks["dos"], image, "vmdk")
    overwrite(image)
    data, draw = bytearray(image.read_bytes()), random.Random(seed)
    for mark in (b"NTFS    ", b"FILE0", b"\x53\xef", b"FAT16", b"EFI PART"):
        at = data.find(mark, MiB)
        while at >= 0:
            for _ in range(3):
                where = at + draw.randrange(8, 100)
                if where < len(data):
                    data[where] = draw.choice((0xFF, 0, draw.randrange(256)))
            at = data.find(mark, at + 1)
    image.write_bytes(data)
    try:
        disk = open_disk(os.fsencode(image))
    except (OSError, UnreadableError):
        return
    assert disk.size >= 0
    disk.close()


def test_a_disk_of_absurd_size_is_refused() -> None:
    """An ext superblock that claims 2**32 blocks of 64 KiB: no memory is asked for so many."""
    block = bytearray(MiB)
    head = bytearray(1024)
    struct.pack_into("<IIIIIII", head, 0, 9, 0xFFFFFFFF, 0, 0, 0, 0, 6)
    struct.pack_into("<I", head, 32, 32768)
    head[56:58] = b"\x53\xef"
    block[1024:2048] = head
    data = bytearray(NOISE + some_bytes(7, 5 * 65536) + block + block)
    struct.pack_into("<H", data, MiB + 5 * 65536 + MiB + 1024 + 90, 1)
    assert ordered(layout(BytesReader(bytes(data)))) is None


def test_small_files_have_no_blocks() -> None:
    assert layout(BytesReader(NOISE[:1000])) is None


def test_what_is_given_of_many_files_is_right(shared_disks: Disks, tmp_path: Path) -> None:
    """Many grains of zeros are left out, and the first records of NTFS are lost."""
    draw = random.Random(11)
    files = {
        b"%d/%d" % (each % 9, each): draw.randbytes(int(draw.lognormvariate(9, 1.5))) for each in range(2200)
    }
    image = tmp_path / "x.vmdk"
    convert(shared_disks.ntfs(files, size=200 * MiB), image, "vmdk", "subformat=monolithicSparse")
    overwrite(image)
    store = evidence.open_store(evidence.identify(str(image)))
    by_name = {path.partition(b"/")[2]: content for path, content in files.items()}
    listed = right = 0
    for each in store.files():
        if not isinstance(each, FileRef) or each.deleted or each.path.rpartition(b"/")[2] not in by_name:
            continue
        listed += 1
        with store.open(each) as reader, contextlib.suppress(UnreadableError):
            assert b"".join(chunks(reader)) == by_name[each.path.rpartition(b"/")[2]]
            right += 1
    store.close()
    assert right > 0.8 * listed > 100


@pytest.mark.parametrize("kind", ["ext4", "fat", "xfs"])
def test_no_file_of_any_file_system_is_given_wrong(shared_disks: Disks, tmp_path: Path, kind: str) -> None:
    """Large files have grains of zeros in them, which are left out like those of no file."""
    draw = random.Random(12)
    files = {b"%d/%d" % (each % 5, each): draw.randbytes(draw.randrange(1, 90_000)) for each in range(400)}
    for each in range(6):
        parts = (draw.randbytes(draw.randrange(90_000, 900_000)) for _ in range(2))
        files[b"big/large%d" % each] = bytes(draw.randrange(100_000, 500_000)).join(parts)
    first = shared_disks.fat({b"damaged": some_bytes(8, 2 * MiB)})
    volume = getattr(shared_disks, kind)(files, size=(300 if kind == "xfs" else 64) * MiB)
    image = tmp_path / "x.vmdk"
    convert(shared_disks.disk([first, volume], "dos"), image, "vmdk", "subformat=monolithicSparse")
    overwrite(image)
    store = evidence.open_store(evidence.identify(str(image)))
    right = 0
    for each in store.files():
        if isinstance(each, FileRef) and each.size and not each.deleted:
            with store.open(each) as reader, contextlib.suppress(UnreadableError):
                assert b"".join(chunks(reader)) == files[b"/".join(each.path.split(b"/")[-2:])]
                right += 1
    store.close()
    assert right > 0.9 * len(files)
