"""Arrays of Linux's software RAID: put together from images of their members, with one missing as well.

The layouts are those that md(4) and its drivers document, written out as tables; the superblocks are checked
by ``mdadm --examine``. No kernel with the driver is needed.
"""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.disks import Disks, MiB
from tests.fixtures.planted import some_bytes
from tests.fixtures.tools import tool
from unransom import evidence
from unransom.core.records import Problem
from unransom.core.streams import BytesReader, chunks
from unransom.evidence.arrays.levels import Disk, assemble
from unransom.evidence.volumes.raid import Member, member

CHUNK = 64 * 1024
P, Q = "P", "Q"
FILES = {b"a/b": b"content" * 100, b"big": some_bytes(3, 900_000)}
Row = list[int | str]
LAYOUTS: dict[str, tuple[int, int, list[Row]]] = {  # level, layout, where the chunks of some stripes are
    "raid0": (0, 0, [[0, 1, 2, 3]]),
    "raid4": (4, 0, [[0, 1, 2, P]]),
    "left-asymmetric": (5, 0, [[0, 1, 2, P], [3, 4, P, 5], [6, P, 7, 8], [P, 9, 10, 11]]),
    "right-asymmetric": (5, 1, [[P, 0, 1, 2], [3, P, 4, 5], [6, 7, P, 8], [9, 10, 11, P]]),
    "left-symmetric": (5, 2, [[0, 1, 2, P], [4, 5, P, 3], [8, P, 6, 7], [P, 9, 10, 11]]),
    "right-symmetric": (5, 3, [[P, 0, 1, 2], [5, P, 3, 4], [7, 8, P, 6], [9, 10, 11, P]]),
    "parity-first": (5, 4, [[P, 0, 1, 2]]),
    "parity-last": (5, 5, [[0, 1, 2, P]]),
    "raid6": (6, 2, [[Q, 0, 1, P], [2, 3, P, Q], [5, P, Q, 4], [P, Q, 6, 7]]),
    "raid10": (10, 0x102, [[0, 0, 1, 1], [2, 2, 3, 3]]),
    "raid10-odd": (10, 0x102, [[0, 0, 1], [1, 2, 2]]),
    "raid10-offset": (10, 0x10201, [[0, 1, 2, 3], [3, 0, 1, 2]]),
    "raid10-offset-3": (10, 0x10301, [[0, 1, 2], [2, 0, 1], [1, 2, 0]]),
    "raid10-far": (10, 0x201, [[0, 1, 2, 3]]),
    "raid10-far-odd": (10, 0x201, [[0, 1, 2]]),
    "raid10-far-sets": (10, 0x40201, [[0, 1, 2, 3]]),
}
FAR: dict[str, list[Row]] = {  # what the second half of each member has
    "raid10-far": [[3, 0, 1, 2]],
    "raid10-far-odd": [[2, 0, 1]],
    "raid10-far-sets": [[1, 0, 3, 2]],
}
GUARDED = [name for name, (level, _, _) in LAYOUTS.items() if level]


def members_of(content: bytes, rows: list[Row]) -> list[bytes]:
    """Lay ``content`` out as a table says."""
    disks = [bytearray() for _ in rows[0]]
    width = len({each for row in rows for each in row if isinstance(each, int)})
    pieces = [content[at : at + CHUNK].ljust(CHUNK, b"\0") for at in range(0, len(content), CHUNK)]
    pieces += [bytes(CHUNK)] * (-len(pieces) % width)
    for first in range(0, len(pieces), width):
        for row in rows:
            data = {each: pieces[first + each] for each in row if isinstance(each, int)}
            parity = np.bitwise_xor.reduce(
                [np.frombuffer(each, np.uint8) for each in data.values()]
            ).tobytes()
            for disk, each in zip(disks, row, strict=True):
                disk.extend(data[each] if isinstance(each, int) else parity if each == P else b"Q" * CHUNK)
    return [bytes(each) for each in disks]


def superblock(level: int, layout: int, disks: int, role: int, start: int, size: int, own: int = 8) -> bytes:
    """Return a superblock of version 1, by the layout in Linux's headers; numbers in sectors."""
    data = bytearray(256 + 2 * disks)
    struct.pack_into("<III", data, 0, 0xA92B4EFC, 1, 0)
    data[16:48] = b"u" * 16 + b"shop:0".ljust(16, b"\0")
    chunk = 0 if level == 1 else CHUNK // 512
    struct.pack_into("<QiIQII", data, 64, 1, level, layout, 0 if level == 0 else size, chunk, disks)
    struct.pack_into("<QQQ", data, 128, start, size, own)
    struct.pack_into("<I", data, 160, role)
    data[168:184] = bytes([role]) * 16
    struct.pack_into("<Q", data, 200, 7)
    struct.pack_into("<I", data, 220, disks)
    struct.pack_into(f"<{disks}H", data, 256, *range(disks))
    words = struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])
    total = sum(words) + (struct.unpack("<H", data[-2:])[0] if len(data) % 4 else 0)
    struct.pack_into("<I", data, 216, (total & 0xFFFFFFFF) + (total >> 32))
    return bytes(data)


def old_superblock(level: int, layout: int, disks: int, role: int, size: int) -> bytes:
    """Return a superblock of version 0.90."""
    words = [0] * 1024
    words[:16] = [0xA92B4EFC, 0, 90, 0, 992, 1, 1, level, size // 1024, disks, disks, 0, 0, 2, 3, 4]
    words[32:40] = [1, 1, disks, disks, 0, 0, 0, 7]
    words[64:66] = [layout, CHUNK]
    for number in range(disks):
        words[128 + 32 * number : 128 + 32 * number + 5] = [number, 8, number, number, 6]
    words[992:997] = [role, 8, role, role, 6]
    total = sum(words)
    words[38] = ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF
    return struct.pack("<1024I", *words)


def write(folder: Path, content: bytes, name: str, version: str = "1.2") -> list[Path]:
    """Write the images of the members of an array."""
    level, layout, rows = LAYOUTS[name]
    paths = []
    members = members_of(content, rows)
    if name in FAR:
        members = [near + far for near, far in zip(members, members_of(content, FAR[name]), strict=True)]
    for role, data in enumerate(members):
        path = folder / f"disk{role}.img"
        paths.append(path)
        disks, sectors = len(rows[0]), len(data) // 512
        if version == "0.90":
            path.write_bytes(data + old_superblock(level, layout, disks, role, len(data)).ljust(CHUNK, b"\0"))
        elif version == "1.0":
            own = sectors + 2032
            tail = bytearray(MiB + 8192)
            head = superblock(level, layout, disks, role, 0, sectors, own)
            tail[2032 * 512 : 2032 * 512 + len(head)] = head
            path.write_bytes(data + bytes(tail[: (2032 + 16) * 512]))
        else:
            own = 8 if version == "1.2" else 0
            front = bytearray(MiB)
            head = superblock(level, layout, disks, role, 2048, sectors, own)
            front[own * 512 : own * 512 + len(head)] = head
            path.write_bytes(bytes(front) + data)
    return paths


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
@pytest.mark.parametrize("name", ["raid0", "left-symmetric"])
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
