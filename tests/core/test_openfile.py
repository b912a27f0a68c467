"""Holes of files, and blocks that two files share, on real file systems."""

import contextlib
import os

import pytest

from tests.fixtures.disks import looped
from tests.fixtures.tools import run
from unransom.core.openfile import ENDLESS, Stored
from unransom.core.outputs import FileReader, Outputs
from unransom.core.streams import CHUNK, HOLE, BytesReader, Salvage, file_of, stretches

MIB = 1 << 20


class Counting(FileReader):
    """A file that counts what is read of it."""

    count = 0

    def read_at(self, offset, length):
        data = super().read_at(offset, length)
        self.count += len(data)
        return data


@pytest.fixture
def sparse(tmp_path):
    """A file of 40 MiB with data at 0, at 9 MiB and a bit, and nowhere else."""
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.write(b"head" * 1000)
        file.seek(9 * MIB + 100_000)
        file.write(b"data" * 50_000)
        file.truncate(40 * MIB)
    return path


@pytest.fixture
def xfs(tmp_path):
    """A folder on XFS, where files can share blocks."""
    image, folder = tmp_path / "xfs.img", tmp_path / "mount"
    with image.open("wb") as file:
        file.truncate(320 * MIB)
    folder.mkdir()
    run("xfsprogs", "mkfs.xfs", "-q", "-m", "reflink=1", image)
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(looped(image))
        run("mount", "mount", "-t", "xfs", device, folder)
        stack.callback(run, "mount", "umount", folder)
        yield folder


def test_holes_are_told_up_to_the_next_data(sparse):
    with FileReader(sparse) as reader:
        file = reader.file
        assert file.hole_at(0) == 0
        assert 8 * MIB < file.hole_at(64 * 1024) <= 9 * MIB + 100_000 - 64 * 1024
        assert file.hole_at(9 * MIB + 100_000) == 0
        assert file.hole_at(20 * MIB) == ENDLESS


def test_a_file_without_holes_and_what_is_no_file_have_none(tmp_path):
    (tmp_path / "full").write_bytes(b"\0" * 8192)
    with FileReader(tmp_path / "full") as reader:
        assert reader.file.hole_at(0) == 0
    with FileReader("/dev/zero") as reader:
        assert reader.file is None
    assert file_of(Salvage(BytesReader(b"abc"))) is None


def test_stretches_are_the_bytes_and_holes_are_not_read(sparse):
    with Counting(sparse) as reader:
        found = list(stretches(Salvage(reader), 17, 39 * MIB + 5))
        count = reader.count
    assert b"".join(piece for piece, _ in found) == sparse.read_bytes()[17 : 39 * MIB + 5]
    assert count <= 3 * MIB
    position = 17
    for piece, stored in found:
        assert stored == Stored(stored.file, position)
        assert len(piece) <= CHUNK
        position += len(piece)


def test_bytes_in_memory_are_stored_nowhere():
    data = bytes(range(256)) * 8192
    found = list(stretches(BytesReader(data), 100))
    assert b"".join(piece for piece, _ in found) == data[100:]
    assert {stored for _, stored in found} == {None}


def used(folder):
    found = os.statvfs(folder)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


def test_an_output_shares_the_blocks_of_evidence_where_the_file_system_can(xfs):
    data = os.urandom(64 * MIB + 12_345)
    (xfs / "evidence").write_bytes(data)
    os.sync()
    before = used(xfs)
    outputs = Outputs(xfs / "recovered", xfs / "scratch", xfs)
    with FileReader(xfs / "evidence") as reader, outputs.draft() as draft:
        draft.write(b"X" * 100)  # the rest is where it was
        for piece, stored in stretches(reader, 100):
            draft.write(piece, stored)
        path, _ = draft.keep(b"disk.img")
    os.sync()
    assert used(xfs) - before < 4 * MIB
    assert (xfs / path.decode()).read_bytes() == b"X" * 100 + data[100:]
    assert (xfs / "evidence").read_bytes() == data
    with (xfs / path.decode()).open("r+b") as file:  # what becomes of one is not seen in the other
        file.write(b"changed")
    assert (xfs / "evidence").read_bytes() == data


def test_bytes_that_move_within_a_block_are_written(xfs):
    data = os.urandom(4 * MIB)
    (xfs / "evidence").write_bytes(data)
    outputs = Outputs(xfs / "recovered", xfs / "scratch", xfs)
    with FileReader(xfs / "evidence") as reader, outputs.draft() as draft:
        for piece, stored in stretches(reader, 100):
            draft.write(piece, stored)
        path, digests = draft.keep(b"disk.img")
    assert digests.size == len(data) - 100
    assert (xfs / path.decode()).read_bytes() == data[100:]


def test_where_blocks_cannot_be_shared_all_is_written(tmp_path, sparse):
    outputs = Outputs(tmp_path / "recovered", tmp_path / "scratch", tmp_path)
    (tmp_path / "small").write_bytes(os.urandom(3 * MIB + 5))
    for evidence in (sparse, tmp_path / "small"):
        with FileReader(evidence) as reader, outputs.draft() as draft:
            for piece, stored in stretches(reader):
                draft.write(piece, stored)
            path, _ = draft.keep(evidence.name.encode())
        assert (tmp_path / path.decode()).read_bytes() == evidence.read_bytes()
    assert (tmp_path / "recovered/disk.img").stat().st_blocks * 512 < 4 * MIB


def test_a_stretch_ends_where_zeros_begin(sparse):
    with FileReader(sparse) as reader:
        lengths = [(bool(any(piece)), len(piece)) for piece, _ in stretches(reader)]
    data = [length for used, length in lengths if used]
    assert sum(data) <= 4000 + 200_000 + len(data) * 2 * HOLE
    assert sum(length for _, length in lengths) == 40 * MIB


def test_readers_over_each_other_are_asked_for_their_file_once():
    class Asked(BytesReader):
        count = 0

        @property
        def file(self):
            self.count += 1

    innermost = reader = Asked(b"abc")
    for _ in range(12):
        reader = Salvage(reader)
    assert file_of(reader) is None
    assert innermost.count == 1
