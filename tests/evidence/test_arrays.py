"""Arrays of Linux's software RAID: put together from images of their members, with one missing as well.

The layouts are those that md(4) and its drivers document, written out as tables; the superblocks are checked
by ``mdadm --examine``. No kernel with the driver is needed.
"""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.disks import Disks, MiB
from tests.fixtures.planted import some_bytes
from tests.fixtures.tools import tool
from tests.makers.md_arrays import CHUNK, LAYOUTS, members_of, superblock, write
from unransom import evidence
from unransom.core.records import Problem
from unransom.core.streams import BytesReader, chunks
from unransom.evidence.arrays.levels import Disk, assemble
from unransom.evidence.volumes.raid import Member, member

FILES = {b"a/b": b"content" * 100, b"big": some_bytes(3, 900_000)}
GUARDED = [name for name, (level, _, _) in LAYOUTS.items() if level]


def listed(image: Path) -> tuple[dict[bytes, bytes], list[Problem]]:
    store = evidence.open_store(evidence.identify(str(image)))
    found, problems = {}, []
    for each in store.files():
        if isinstance(each, Problem):
            problems.append(each)
        else:
            with store.open(each) as reader:
                found[each.path] = b"".join(chunks(reader))
    store.close()
    return found, problems


@pytest.fixture(scope="module")
def content(shared_disks: Disks) -> bytes:
    return shared_disks.ext4(FILES).read_bytes()


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_is_put_together(content: bytes, tmp_path: Path, name: str) -> None:
    level = LAYOUTS[name][0]
    paths = write(tmp_path, content, name)
    said = subprocess.run(
        [tool("mdadm", "mdadm"), "--examine", paths[1]], capture_output=True, text=True, check=True
    )
    assert f"Raid Level : raid{level}" in said.stdout
    assert re.search(r"Checksum : \w+ - correct", said.stdout)
    assert "Active device 1" in said.stdout
    if "symmetric" in name:
        assert f"Layout : {name}" in said.stdout
    assert listed(paths[0]) == (FILES, [])
    assert listed(paths[-1]) == (FILES, [])


@pytest.mark.parametrize("name", GUARDED)
@pytest.mark.parametrize("gone", [0, 2])
def test_one_member_may_be_missing(content: bytes, tmp_path: Path, name: str, gone: int) -> None:
    paths = write(tmp_path, content, name)
    paths[gone].unlink()
    found, (problem,) = listed(paths[1])
    assert found == FILES
    assert "1 of" in str(problem.what)
    assert not problem.fatal


@pytest.mark.parametrize("version", ["0.90", "1.0", "1.1"])
@pytest.mark.parametrize("name", ["raid0", "left-symmetric", "raid10-offset-3"])
def test_superblocks_of_every_version(content: bytes, tmp_path: Path, name: str, version: str) -> None:
    paths = write(tmp_path, content, name, version)
    said = subprocess.run(
        [tool("mdadm", "mdadm"), "--examine", paths[2]], capture_output=True, text=True, check=True
    )
    assert f"Version : {version}" in said.stdout
    assert re.search(r"Checksum : \w+ - correct", said.stdout)
    assert listed(paths[2]) == (FILES, [])
    assert listed(paths[0]) == (FILES, [])


def test_mirrors_whose_superblock_is_at_the_end(content: bytes, tmp_path: Path) -> None:
    image = tmp_path / "one.img"
    tail = bytearray(MiB)
    head = superblock(1, 0, 2, 0, 0, len(content) // 512, (len(content) + MiB) // 512 - 16)
    tail[-8192 : -8192 + len(head)] = head
    image.write_bytes(content + tail)
    assert member(BytesReader(image.read_bytes()), 0, len(content) + MiB)
    assert listed(image) == (FILES, [])


def test_members_in_partitions(content: bytes, disks: Disks, tmp_path: Path) -> None:
    images = [disks.disk([path]) for path in write(tmp_path, content, "left-symmetric")]
    for number, image in enumerate(images):
        image.rename(tmp_path / f"server-{number}.raw")
    for path in tmp_path.glob("disk*.img"):
        path.unlink()
    assert listed(tmp_path / "server-2.raw") == (FILES, [])


def test_two_missing_members_are_too_many(content: bytes, tmp_path: Path) -> None:
    paths = write(tmp_path, content, "left-symmetric")
    paths[0].unlink()
    paths[3].unlink()
    found, (problem,) = listed(paths[1])
    assert not found
    assert problem.fatal
    assert "all 4 members" in str(problem.resolution)


def test_every_copy_is_read_where_members_of_all_pairs_are_missing(content: bytes, tmp_path: Path) -> None:
    paths = write(tmp_path, content, "raid10")
    paths[0].unlink()
    paths[3].unlink()
    found, (problem,) = listed(paths[1])
    assert found == FILES
    assert "2 of" in str(problem.what)


def test_what_cannot_be_put_together_is_said_with_the_reason(content: bytes, tmp_path: Path) -> None:
    paths = write(tmp_path, content, "left-symmetric")
    for path in paths:
        data = bytearray(path.read_bytes())
        data[4096 + 8] |= 4  # being reshaped
        path.write_bytes(data)
    found, (problem,) = listed(paths[0])
    assert not found
    assert problem.fatal
    assert "reshape" in str(problem.resolution), problem
    for path in paths:
        data = bytearray(path.read_bytes())
        data[4096 + 8] = 0
        struct.pack_into("<I", data, 4096 + 76, 9)  # a layout that nobody knows
        path.write_bytes(data)
    found, (problem,) = listed(paths[0])
    assert not found
    assert "of layout 9" in str(problem.resolution)


def test_an_array_is_listed_once_for_all_its_members(content: bytes, tmp_path: Path) -> None:
    import json
    import sys

    paths = write(tmp_path, content, "left-symmetric")
    case = tmp_path / "case"
    command = [sys.executable, "-m", "unransom"]
    done = subprocess.run([*command, "recover", *paths, "--case", case], capture_output=True, check=False)
    assert done.returncode in {0, 13}, done.stderr  # noise may look locked
    asked = [*command, "files", "--case", str(case), "--jsonl"]
    said = subprocess.run(asked, capture_output=True, check=True, text=True).stdout
    assert sorted(json.loads(line)["path"].encode() for line in said.splitlines()) == sorted(FILES)
    shown = json.loads((case / "result.json").read_text())
    assert "disk0.img" in json.dumps(shown["problems"])
    asked = [*command, "timeline", *map(str, paths)]
    said = subprocess.run(asked, capture_output=True, check=True, text=True).stdout
    written = [line for line in said.splitlines() if '"image mtime"' in line]
    assert len(written) == len(FILES)


def test_a_member_that_dropped_out_is_not_taken() -> None:
    rows = LAYOUTS["left-symmetric"][2]
    content = some_bytes(4, 12 * CHUNK)
    disks = []
    for role, data in enumerate(members_of(content, rows)):
        stale = role == 2
        kept = Member(5, 4, 0, len(data), b"a", role, 2, CHUNK, 3 if stale else 9)
        disks.append(Disk(kept, BytesReader(bytes(len(data)) if stale else data), 0))
    array = assemble(disks)
    assert array is not None
    assert array.read_at(0, array.size) == content


@settings(max_examples=100, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 260), st.integers(0, 255)), max_size=12),
    start=st.integers(0, 700),
)
def test_damaged_superblocks_are_survived(changes: list[tuple[int, int]], start: int) -> None:
    data = bytearray(superblock(5, 2, 4, 1, 2048, 4096).ljust(CHUNK, b"\0"))
    for where, value in changes:
        data[where] = value
    reader = BytesReader(bytes(4096) + bytes(data))
    found = member(reader, 0, reader.size)
    array = assemble([Disk(found, reader, 0)] * 3) if found else None
    if array is not None and array.size:
        assert array.piece_at(start % array.size).length > 0
