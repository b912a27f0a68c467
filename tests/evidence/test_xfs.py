"""XFS as mkfs.xfs and the kernel write it: every file with its content, and no crash on damage."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.disks import Disks, MiB, write_tree
from tests.fixtures.planted import some_bytes
from tests.fixtures.tools import run
from tests.soak import LONGER
from unransom import evidence
from unransom.core.errors import UnreadableError
from unransom.core.records import FileRef, Kind, Problem
from unransom.core.streams import BytesReader, chunks
from unransom.evidence.filesystems.tsk import Locator
from unransom.evidence.filesystems.xfs.volume import XfsVolume

FILES = {
    b"small": b"small",
    b"empty": b"",
    b"a/b/c/deep": some_bytes(1, 100_000),
    "文件.txt".encode(): b"name",
    **{b"many/%04d-%s" % (number, b"x" * (number % 90)): b"%d" % number for number in range(3000)},
}


def contents(image: Path) -> dict[bytes, bytes]:
    store = evidence.open_store(evidence.identify(str(image)))
    found = {}
    for ref in store.files():
        assert isinstance(ref, FileRef), ref
        with store.open(ref) as reader:
            found[ref.path] = b"".join(chunks(reader))
    return found


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-m", "bigtime=0"),
        ("-b", "size=1024"),
        ("-n", "size=16384"),
        ("-i", "size=2048"),
        ("-i", "nrext64=1"),
        ("-m", "finobt=0,inobtcount=0,reflink=0,rmapbt=0"),  # as Linux 3.x made it
    ],
    ids=" ".join,
)
def test_every_file_comes_out_with_its_content(disks: Disks, options: tuple[str, ...]) -> None:
    image = disks.xfs(FILES, 300 * MiB, *options)
    assert contents(image) == FILES


@pytest.mark.parametrize("kinds", ["0", "1"])
def test_version_4(disks: Disks, kinds: str) -> None:
    assert contents(disks.old_xfs(FILES, "-n", f"ftype={kinds}")) == FILES


def test_sparse_preallocated_and_fragmented_files(disks: Disks) -> None:
    image = disks.xfs({}, 300 * MiB)
    mount = disks.new("mount")
    mount.mkdir()
    run("mount", "mount", "-o", "loop", image, mount)
    source = random.Random(1)
    try:
        with (mount / "fragments").open("wb") as file:  # more extents than an inode holds: a tree
            for number in range(3000):
                file.seek(number * 8192)
                file.write(source.randbytes(4096))
        with (mount / "preallocated").open("wb") as file:
            file.write(b"begin")
            os.posix_fallocate(file.fileno(), 0, MiB)
        (mount / "link").symlink_to("fragments")
        wanted = {name.encode(): (mount / name).read_bytes() for name in ("fragments", "preallocated")}
        times = (mount / "fragments").stat().st_mtime_ns
    finally:
        run("mount", "umount", mount)
    store = evidence.open_store(evidence.identify(str(image)))
    refs = {ref.path: ref for ref in store.files() if isinstance(ref, FileRef)}
    assert refs[b"link"].kind is Kind.SYMLINK
    assert refs[b"fragments"].modified == times
    for path, content in wanted.items():
        with store.open(refs[path]) as reader:
            assert b"".join(chunks(reader)) == content


def test_xfs_in_a_partition(disks: Disks) -> None:
    files = {b"a": b"content" * 999}
    assert contents(disks.disk([disks.xfs(files)])) == files


@pytest.fixture(scope="module")
def damaged_volume(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    disks = Disks(tmp_path_factory.mktemp("xfs"))
    image = disks.xfs({}, 16 * MiB, "-b", "size=1024", "--unsupported")
    mount = disks.new("mount")
    mount.mkdir()
    run("mount", "mount", "-o", "loop", image, mount)
    try:
        write_tree(mount, dict(itertools.islice(reversed(FILES.items()), 400)))
        with (mount / "fragments").open("wb") as file:
            for number in range(200):
                file.seek(number * 4096)
                file.write(b"x" * 1024)
    finally:
        run("mount", "umount", mount)
    return image.read_bytes()


@settings(max_examples=60 * LONGER, suppress_health_check=list(HealthCheck))
@given(
    changes=st.lists(st.tuples(st.integers(0, 1 << 24), st.integers(0, 255)), min_size=1, max_size=15),
    length=st.integers(1, 1000) | st.just(1000),
)
def test_damage_is_survived(damaged_volume: bytes, changes: list[tuple[int, int]], length: int) -> None:
    data = bytearray(damaged_volume)
    used = [start for start in range(0, len(data), 512) if any(data[start : start + 512])][:600]
    for where, value in changes:
        data[used[where // 512 % len(used)] + where % 512] = value
    reader = BytesReader(data[: len(data) * length // 1000])
    try:
        volume = XfsVolume(reader, 0, reader.size)
    except (OSError, UnreadableError):
        return
    for each in itertools.islice(volume.files("x", b""), 2000):
        assert isinstance(each, FileRef | Problem)
        if isinstance(each, FileRef) and each.locator:
            with contextlib.suppress(OSError, UnreadableError):
                content = volume.open(Locator.parse(each.locator), each.size)
                assert len(content.read_at(0, 5000)) == min(5000, each.size)
