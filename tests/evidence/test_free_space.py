"""Free clusters as the file systems' own maps have them, against what lies in files that are there."""

import random

import pytest

from tests.fixtures.in_process import InProcess
from tests.fixtures.tools import run
from tests.makers.office_files import files
from unransom.core.streams import BytesReader
from unransom.evidence.filesystems.free import free_spans
from unransom.run.carving import Job, carve

SIZE = 24 << 20
COMMANDS = {
    "ext4": ("e2fsprogs", "mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096"),
    "ext2": ("e2fsprogs", "mke2fs", "-q", "-F", "-t", "ext2", "-b", "1024"),
    "ntfs": ("ntfs-3g", "mkfs.ntfs", "-q", "-F", "-f"),
}


def made(tmp_path, kind):
    path = tmp_path / "disk.img"
    path.write_bytes(bytes(SIZE))
    run(*COMMANDS[kind], path)
    return path


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_file_in_free_space_is_carved(tmp_path, kind):
    path = made(tmp_path, kind)
    planted = next(files(1)).data
    data = bytearray(path.read_bytes())
    free = free_spans(BytesReader(data))
    assert 0.5 * SIZE < sum(map(len, free)) < SIZE
    start = max(free, key=len).start // 4096 * 4096 + 40960
    data[start : start + len(planted)] = planted
    path.write_bytes(data)
    outcome = carve(Job(str(path), tmp_path / "out"), InProcess())
    assert [each.extents[0].start for each in outcome.files] == [start]


def test_files_that_are_there_are_left_out(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    for each in files(8):
        (folder / each.name.replace("/", "-")).write_bytes(each.data)
    path = tmp_path / "disk.img"
    path.write_bytes(bytes(SIZE))
    run("e2fsprogs", "mke2fs", "-q", "-F", "-t", "ext4", "-d", folder, path)
    assert carve(Job(str(path), tmp_path / "free"), InProcess()).files == ()
    assert len(carve(Job(str(path), tmp_path / "all", whole=True), InProcess()).files) == 8


def test_bytes_without_a_file_system_have_no_map():
    assert free_spans(BytesReader(random.Random(1).randbytes(1 << 20))) is None
