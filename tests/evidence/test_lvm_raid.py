"""Volumes of LVM2, made by its own tools without activation, and members of software RAID."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.disks import Disks, MiB, looped
from tests.fixtures.lvm import lvm
from tests.fixtures.planted import some_bytes
from tests.fixtures.tools import tool
from tests.makers.md_arrays import superblock
from unransom import evidence
from unransom.core.records import FileRef, Problem
from unransom.core.spans import Span
from unransom.core.streams import BytesReader, chunks
from unransom.evidence.filesystems.free import free_spans
from unransom.evidence.volumes.lvm import Linear, Logical, in_group, logical_volumes, parse
from unransom.evidence.volumes.raid import member

FILES = {b"a/b": b"content" * 100, b"big": some_bytes(3, 300_000)}


def grouped(disks: Disks, folder: Path, *, partitioned: bool) -> Path:
    """Make a disk with two logical volumes, the first in two pieces around the second."""
    volume = disks.empty("physical", 64 * MiB)
    with looped(volume) as device:
        lvm(folder, device, "pvcreate", "-q", "-y", device)
        lvm(folder, device, "vgcreate", "-q", "-y", "-s", "4m", "shop", device)
        for name in ("data", "more"):
            lvm(folder, device, "lvcreate", "-q", "-an", "-Zn", "-Wn", "-l", "4", "-n", name, "shop")
        lvm(folder, device, "lvextend", "-q", "-l", "+2", "shop/data")
    image = disks.disk([volume]) if partitioned else volume
    with image.open("r+b") as file:
        data = bytearray(image.read_bytes())
        (first, second) = logical_volumes(BytesReader(data), MiB if partitioned else 0)
        assert (first.name, len(first.spans), second.name) == ("shop/data", 2, "shop/more")
        for logical, content in zip(
            (first, second), (disks.ext4(FILES, 24 * MiB), disks.ntfs(FILES)), strict=True
        ):
            left = content.read_bytes()
            for span in logical.spans:
                file.seek(span.start)
                file.write(left[: len(span)])
                left = left[len(span) :]
    return image


@pytest.mark.parametrize("partitioned", [False, True])
def test_logical_volumes_are_listed_and_read(disks: Disks, tmp_path: Path, partitioned: bool) -> None:
    store = evidence.open_store(evidence.identify(str(grouped(disks, tmp_path, partitioned=partitioned))))
    found = {}
    for ref in store.files():
        assert isinstance(ref, FileRef), ref
        with store.open(ref) as reader:
            found[ref.path] = b"".join(chunks(reader))
    wanted = {b"volume-%d/" % number + path: content for number in (1, 2) for path, content in FILES.items()}
    assert found == wanted


def test_free_space_of_a_volume_in_pieces_is_where_no_file_lies(disks: Disks, tmp_path: Path) -> None:
    image = grouped(disks, tmp_path, partitioned=True)
    data = image.read_bytes()
    free = free_spans(BytesReader(data))
    assert free is not None
    mine = {at for span in free for at in range(span.start, span.end, 512)}
    for logical in logical_volumes(BytesReader(data), MiB):
        places = [at for span in logical.spans for at in range(span.start, span.end, 512)]
        alone = free_spans(BytesReader(b"".join(data[at : at + 512] for at in places)))
        assert alone
        theirs = {places[at // 512] for span in alone for at in range(span.start, span.end, 512)}
        assert mine & set(places) == theirs


MIRROR = """
shop {{ extent_size = 8192
physical_volumes {{ pv0 {{ id = "A" pe_start = 2048 }} pv1 {{ id = "B" pe_start = 2048 }} }}
logical_volumes {{
data {{ status = ["READ", "WRITE", "VISIBLE"]
segment1 {{ start_extent = 0 extent_count = 4 type = "{kind}" {names} }} }}
one {{ status = ["READ", "WRITE"]
segment1 {{ start_extent = 0 extent_count = 4 type = "striped" stripe_count = 1 stripes = ["pv1", 7] }} }}
two {{ status = ["READ", "WRITE"]
segment1 {{ start_extent = 0 extent_count = 4 type = "striped" stripe_count = 1 stripes = ["pv0", 3] }} }}
data_rmeta_1 {{ status = ["READ", "WRITE"]
segment1 {{ start_extent = 0 extent_count = 1 type = "striped" stripe_count = 1 stripes = ["pv0", 2] }} }}
}} }}
"""
KINDS = {
    "raid1": 'raids = ["data_rmeta_0", "one", "data_rmeta_1", "two"]',
    "mirror": 'mirrors = ["one", 0, "two", 0]',
}


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_mirrored_volume_the_copy_on_the_disk_is_read(kind: str) -> None:
    tree = parse(MIRROR.format(kind=kind, names=KINDS[kind]))
    extent, begin = 8192 * 512, 2048 * 512
    of_a, of_b = (in_group("shop", tree["shop"], disk, 0) for disk in "AB")  # type: ignore[arg-type]
    assert of_a == [Logical("shop/data", (Span(begin + 3 * extent, begin + 7 * extent),))]
    assert of_b == [Logical("shop/data", (Span(begin + 7 * extent, begin + 11 * extent),))]


def test_striped_volumes_are_said(disks: Disks, tmp_path: Path) -> None:
    image = grouped(disks, tmp_path, partitioned=False)
    data = image.read_bytes().replace(b"stripe_count = 1", b"stripe_count = 2")
    image.write_bytes(data)
    found = list(evidence.open_store(evidence.identify(str(image))).files())
    assert [isinstance(each, Problem) and each.fatal for each in found] == [True, True]
    assert "shop/data" in str(found[0].what)  # type: ignore[union-attr]


@given(st.text(alphabet='ab{}[]="1,# \n', max_size=200))
def test_any_text_is_parsed(text: str) -> None:
    assert isinstance(parse(text), dict)


@settings(max_examples=100)
@given(changes=st.lists(st.tuples(st.integers(0, 8191), st.integers(0, 255)), max_size=20))
def test_damaged_labels_are_survived(changes: list[tuple[int, int]]) -> None:
    text = b'g {\nextent_size = 8\nphysical_volumes { pv0 { id = "%s"\npe_start = 2048 } }\n' % (b"i" * 32)
    text += b'logical_volumes { v { segment1 { start_extent = 0\nextent_count = 2\ntype = "striped"\n'
    text += b'stripe_count = 1\nstripes = ["pv0", 0] } } }\n}\n'
    label = struct.pack("<8sQII8s", b"LABELONE", 1, 0, 32, b"LVM2 001") + b"i" * 32
    label += struct.pack("<Q6Q", 1 << 30, 1 << 20, 0, 0, 0, 4096, 1 << 16) + bytes(16)
    head = struct.pack("<4x16sIQQQQ", b" LVM2 x[5A%r0N*>", 1, 4096, 1 << 16, 512, len(text))
    disk = bytearray(1 << 17)
    disk[512 : 512 + len(label)] = label
    disk[4096 : 4096 + len(head)] = head
    disk[4608 : 4608 + len(text)] = text
    (whole,) = logical_volumes(BytesReader(bytes(disk)), 0)
    assert (whole.name, [len(span) for span in whole.spans]) == ("g/v", [8192])
    for where, value in changes:
        disk[where] = value
    for each in logical_volumes(BytesReader(bytes(disk)), 0):
        if each.spans:
            Linear(BytesReader(bytes(disk)), each.spans).read_at(each.spans[0].start, 100)


@pytest.mark.parametrize(("level", "disks_in_all"), [(1, 2), (5, 4)])
def test_members_of_arrays(disks: Disks, level: int, disks_in_all: int) -> None:
    content = disks.ext4(FILES).read_bytes()
    image = disks.empty("member", 2 * MiB + len(content))
    with image.open("r+b") as file:
        file.seek(4096)
        layout = 2 if level == 5 else 0
        file.write(superblock(level, layout, disks_in_all, 0, 2048, len(content) // 512))
        file.seek(MiB)
        file.write(content)
    said = subprocess.run(
        [tool("mdadm", "mdadm"), "--examine", image], capture_output=True, text=True, check=True
    )
    assert f"Raid Level : raid{level}" in said.stdout
    assert "correct" in said.stdout  # its checksum
    found = member(BytesReader(image.read_bytes()), 0, image.stat().st_size)
    assert found is not None
    assert (found.level, found.disks, found.start) == (level, disks_in_all, MiB)
    partitioned = disks.disk([image])
    listed = list(evidence.open_store(evidence.identify(str(partitioned))).files())
    if level == 1:
        assert {each.path for each in listed if isinstance(each, FileRef)} == set(FILES)
    else:
        (problem,) = listed
        assert isinstance(problem, Problem)
        assert f"RAID {level}" in str(problem.what)
    assert os.path.exists(image)  # noqa: PTH110
