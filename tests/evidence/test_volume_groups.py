"""Groups of LVM2 over several disks, made by its own tools, whose content is laid out as those say."""

from __future__ import annotations

import contextlib
import itertools
from pathlib import Path

import pytest

from tests.fixtures.disks import Disks, MiB, looped
from tests.fixtures.lvm import lvm
from tests.fixtures.planted import some_bytes
from tests.makers.md_arrays import write
from unransom import evidence
from unransom.core.records import FileRef, Problem
from unransom.core.streams import chunks
from unransom.evidence.arrays.groups import Groups, Place
from unransom.evidence.volumes.lvm import Physical

EXTENT, STRIPE = 4 * MiB, 64 * 1024
FILES = {b"a/%02d" % number: some_bytes(number, 70_000 * number + 3) for number in range(12)}
NEW = ("-q", "-an", "-Zn", "-Wn")
Ranges = list[tuple[int, int, int]]  # disk, extent, extents


@pytest.fixture(scope="module")
def content(shared_disks: Disks) -> bytes:
    return shared_disks.ext4(FILES, 24 * MiB).read_bytes()


@pytest.fixture
def group(disks: Disks, tmp_path: Path) -> list[Path]:
    """Return three disks of a group with a striped and a linear volume; the second has no metadata."""
    images = [disks.empty(f"pv{number}", 48 * MiB) for number in range(3)]
    with contextlib.ExitStack() as stack:
        devices = [stack.enter_context(looped(each)) for each in images]
        first, second, third = devices
        for device, copies in zip(devices, "101", strict=True):
            lvm(tmp_path, devices, "pvcreate", "-q", "-y", "--metadatacopies", copies, device)
        lvm(tmp_path, devices, "vgcreate", "-q", "-y", "-s", "4m", "shop", *devices)
        stripes = ("-i", "2", "-I", "64k", "-l", "6")
        lvm(tmp_path, devices, "lvcreate", *NEW, *stripes, "-n", "fast", "shop", first, second)
        lvm(tmp_path, devices, "lvcreate", *NEW, "-l", "4", "-n", "long", "shop", second)
        lvm(tmp_path, devices, "lvextend", "-q", "-l", "+2", "shop/long", third)
        fields = ("--noheadings", "-o", "lv_name,seg_pe_ranges")
        said = lvm(tmp_path, devices, "lvs", *fields, "shop").split()
        places = [each.rpartition(":")[::2] for each in said if ":" in each]
        ranges = [(devices.index(device), *map(int, extents.split("-"))) for device, extents in places]
    assert sorted(ranges) == [(0, 0, 2), (1, 0, 2), (1, 3, 6), (2, 0, 1)]  # first and last extents
    return images


def put(image: Path, extent: int, content: bytes) -> None:
    with image.open("r+b") as file:
        file.seek(MiB + extent * EXTENT)
        file.write(content)


def fill(images: list[Path], content: bytes) -> None:
    """Write ``content`` to both volumes."""
    pieces = [content[at : at + STRIPE] for at in range(0, len(content), STRIPE)]
    for image, share in zip(images, (pieces[::2], pieces[1::2]), strict=False):
        put(image, 0, b"".join(share))
    put(images[1], 3, content[: 4 * EXTENT])
    put(images[2], 0, content[4 * EXTENT :])


def listed(image: Path) -> tuple[dict[bytes, bytes], list[Problem]]:
    store = evidence.open_store(evidence.identify(str(image)))
    found, problems = {}, []
    with contextlib.closing(store):
        for each in store.files():
            if isinstance(each, FileRef):
                with store.open(each) as reader:
                    found[each.path] = b"".join(chunks(reader))
            else:
                problems.append(each)
    return found, problems


def test_volumes_over_several_disks_are_put_together(group: list[Path], content: bytes) -> None:
    fill(group, content)
    for image, volumes in zip(group, (1, 2, 1), strict=True):
        found, problems = listed(image)
        folders = [b"volume-%d/" % number for number in range(1, 1 + volumes)] if volumes > 1 else [b""]
        assert found == {
            folder + path: each for folder, (path, each) in itertools.product(folders, FILES.items())
        }
        assert len(problems) == 2 - volumes  # the volume on the other disks
        assert not any(each.fatal for each in problems)


def test_a_volume_is_listed_with_the_first_of_its_disks_that_was_named(
    group: list[Path], content: bytes
) -> None:
    fill(group, content)
    sources = []
    for image in group:
        sources.append(evidence.apart_from(evidence.identify(str(image)), sources))
    counts = []
    for source in sources:
        with contextlib.closing(evidence.open_store(source)) as store:
            counts.append(sum(isinstance(each, FileRef) for each in store.files()))
    assert counts == [len(FILES), len(FILES), 0]


def test_what_is_on_a_missing_disk_is_said(group: list[Path], content: bytes) -> None:
    fill(group, content)
    group[2].unlink()
    store = evidence.open_store(evidence.identify(str(group[1])))
    lost = {}
    with contextlib.closing(store):
        found = list(store.files())
        for each in found:
            if isinstance(each, FileRef) and each.path.startswith(b"volume-2/"):
                with store.open(each) as reader, contextlib.suppress(OSError):
                    lost[each.path] = b"".join(chunks(reader))
    said = [str(each.what) for each in found if isinstance(each, Problem)]
    assert said == ["1 of 2 disks of the volume shop/long are not there"]
    assert lost
    assert all(FILES[path.removeprefix(b"volume-2/")] == each for path, each in lost.items())


def test_a_disk_of_a_group_may_be_an_array(group: list[Path], content: bytes, tmp_path: Path) -> None:
    fill(group, content)
    write(group[0].parent, group[1].read_bytes(), "left-symmetric")
    group[1].unlink()
    assert listed(group[0])[0] == FILES


METADATA = """
shop {{ id = "G" seqno = {seqno} extent_size = 8
physical_volumes {{ {disks} }}
logical_volumes {{ data {{ id = "L" status = ["VISIBLE"]
segment1 {{ start_extent = 0 extent_count = {count} type = "{kind}" stripe_size = 8 {parts} }} }} {legs} }} }}
"""
RAIDS = {
    "raid0": [[0, 1, 2]],
    "raid4": [["P", 0, 1]],
    "raid5": [[0, 1, "P"], [3, "P", 2], ["P", 4, 5]],
    "raid5_la": [[0, 1, "P"], [2, "P", 3], ["P", 4, 5]],
    "raid1": [[0, 0, 0]],
}


class Bytes:
    """A disk in memory."""

    def __init__(self, data: bytes) -> None:
        self.data, self.size = data, len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]


@pytest.mark.parametrize("gone", [None, 0, 1, 2])
@pytest.mark.parametrize("kind", RAIDS)
def test_arrays_that_lvm_makes_are_read(kind: str, gone: int | None) -> None:
    rows = RAIDS[kind]
    chunks_of = {number: some_bytes(number, 4096) for row in rows for number in row if number != "P"}
    disks = [bytearray(4096) for _ in range(3)]  # an extent in front, which the array's own notes have
    for row in rows:
        data = [chunks_of[each] for each in row if each != "P"]
        parity = bytes(a ^ b for a, b in zip(*data, strict=True)) if len(data) == 2 else b""
        for disk, each in zip(disks, row, strict=True):
            disk.extend(parity if each == "P" else chunks_of[each])
    names = ", ".join(f'"d_rmeta_{number}", "d_rimage_{number}"' for number in range(3))
    legs = " ".join(
        f'd_rimage_{number} {{ segment1 {{ start_extent = 0 extent_count = {len(rows)} type = "striped"'
        f' stripe_count = 1 stripes = ["pv{number}", 1] }} }}'
        for number in range(3)
    )
    said = " ".join(f'pv{number} {{ id = "{number}" pe_start = 0 }}' for number in range(3))
    text = METADATA.format(
        seqno=3, disks=said, count=len(chunks_of), kind=kind, parts=f"raids = [{names}]", legs=legs
    )
    there = [
        Place(Physical(str(number), text), Bytes(bytes(disk)), 0)
        for number, disk in enumerate(disks)
        if number != gone
    ]
    whole = Groups(lambda: there).logical(Physical("0", text), "shop/data")
    assert whole
    wanted = b"".join(chunks_of[number] for number in sorted(chunks_of))
    if kind != "raid0" or gone is None:
        assert whole.reader.read_at(0, whole.reader.size) == wanted


def test_the_newest_metadata_count() -> None:
    two = 'pv0 { id = "0" pe_start = 0 } pv1 { id = "1" pe_start = 0 }'
    old, new = (
        METADATA.format(seqno=number, disks=two, count=1, kind="striped", parts="", legs="")
        for number in (2, 10)
    )
    places = [Place(Physical("0", old), Bytes(b""), 0), Place(Physical("1", new), Bytes(b""), 0)]
    groups = Groups(lambda: places)
    assert groups.newest(Physical("0", old)).text == new
    assert groups.newest(Physical("1", "")).text == new


def test_volumes_that_are_parts_of_themselves_are_no_volumes() -> None:
    two = 'pv0 { id = "0" pe_start = 0 } pv1 { id = "1" pe_start = 0 }'
    text = METADATA.format(
        seqno=1, disks=two, count=4, kind="raid1", parts='raids = ["data", "pv0", "data"]', legs=""
    )
    assert Groups(list).logical(Physical("0", text), "shop/data") is None
