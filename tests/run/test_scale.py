"""Large numbers and large sizes: bounded memory, nothing lost."""

import os
import subprocess

import pytest

from tests.fixtures.locked import INC_PRIVATE, lock_inc, picture, recovered, result_of, write
from tests.fixtures.processes import Use
from tests.fixtures.program import UNRANSOM

LIMIT = 512 << 20  # bytes a worker


def recover(tmp_path, *options):
    (tmp_path / "key").write_bytes(INC_PRIVATE)
    command = [
        UNRANSOM,
        "recover",
        tmp_path / "in",
        "--case",
        tmp_path / "case",
        "--key",
        tmp_path / "key",
        *options,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        use = Use(process.pid)
        output = process.communicate()[0]
    return process.returncode, use.memory, output


def sparse(path, size):
    with path.open("wb") as file:
        file.truncate(size)


def test_a_sparse_file_of_64_gib_is_examined_in_little_memory(tmp_path):
    write(tmp_path / "in", {b"a.png.INC": lock_inc(picture("a"), b"a")})
    sparse(tmp_path / "in/disk-flat.vmdk", 64 << 30)
    code, peak, output = recover(tmp_path)
    assert code == 0, output
    assert peak < LIMIT
    assert list(recovered(tmp_path / "case")) == [b"a.png"]
    assert result_of(tmp_path / "case")["counts"]["in"] == 2


def test_a_large_locked_file_is_unlocked_in_little_memory(tmp_path):
    head, size = lock_inc(b"", b"disk"), 600 << 20
    sparse(tmp_path / "disk", size)
    (tmp_path / "in").mkdir()
    locked = tmp_path / "in/disk.img.INC"
    (tmp_path / "disk").rename(locked)
    with locked.open("r+b") as file:
        file.seek(0, os.SEEK_END)
        file.write(head)
    write(tmp_path / "in", {b"a.png.INC": lock_inc(picture("a"), b"a")})
    code, peak, output = recover(tmp_path)
    assert code == 0, output
    assert peak < LIMIT
    out = tmp_path / "case/recovered/in/disk.img"
    assert out.stat().st_size == size
    with out.open("rb") as file:
        assert file.read(1 << 20) != bytes(1 << 20)  # zeros that were "locked" come out as keystream
        file.seek(2_500_000)
        assert file.read(1000) == bytes(1000)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_two_hundred_thousand_files_in_one_folder(tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(200_000):
        (tmp_path / "in" / f"{number:06}.txt").write_bytes(b"order %d, two lamps, shipped\n" % number * 8)
    code, peak, output = recover(tmp_path)
    assert code == 0, output
    assert peak < LIMIT
    assert result_of(tmp_path / "case")["counts"]["intact"] == 200_000
