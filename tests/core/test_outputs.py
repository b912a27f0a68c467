"""Outputs: nothing or the whole file, and never over another."""

import errno
import os

import pytest

from unransom.core.outputs import FileReader, Outputs


@pytest.fixture
def outputs(tmp_path):
    return Outputs(tmp_path / "recovered", tmp_path / "scratch", tmp_path)


def keep(outputs, path, data, times=None):
    with outputs.draft() as draft:
        draft.write(data)
        assert draft.read_at(0, len(data)) == data
        return draft.keep(path, times)


def test_an_output_gets_its_name_time_and_digests(outputs, tmp_path):
    path, digests = keep(outputs, b"fs01/a/b.txt", b"hello", (1_000_000_000, 2_000_000_000))
    assert path == b"recovered/fs01/a/b.txt"
    assert digests.size == 5
    assert (tmp_path / "recovered/fs01/a/b.txt").read_bytes() == b"hello"
    assert (tmp_path / "recovered/fs01/a/b.txt").stat().st_mtime_ns == 2_000_000_000
    assert not list((tmp_path / "scratch").iterdir())


def test_the_same_output_again_is_the_same_file(outputs):
    assert keep(outputs, b"a", b"one") == keep(outputs, b"a", b"one")


def test_another_output_of_that_name_gets_a_number(outputs):
    assert [keep(outputs, b"f/a.tar.gz", data)[0] for data in (b"1", b"2", b"3")] == [
        b"recovered/f/a.tar.gz",
        b"recovered/f/a.tar.2.gz",
        b"recovered/f/a.tar.3.gz",
    ]
    assert [keep(outputs, b"f/.hidden", data)[0] for data in (b"1", b"2")] == [
        b"recovered/f/.hidden",
        b"recovered/f/.hidden.2",
    ]


def test_a_draft_that_is_not_kept_leaves_nothing(outputs, tmp_path):
    with outputs.draft() as draft:
        draft.write(b"x" * 100_000)
    assert not list((tmp_path / "scratch").iterdir())
    assert not list((tmp_path / "recovered").iterdir())


def test_a_draft_of_a_killed_run_is_removed(outputs, tmp_path):
    (tmp_path / "scratch/.unransom-0123").write_bytes(b"half")
    outputs.clear_scratch()
    assert not list((tmp_path / "scratch").iterdir())


def test_a_full_disk_reaches_the_caller(outputs, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    with outputs.draft() as draft:
        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="full"):
            draft.write(b"x")


def test_holes_are_read_kept_and_hashed_as_zeros(outputs, tmp_path):
    data = b"x" * 70_000 + bytes(1 << 20) + b"y" + bytes(1 << 20)
    with outputs.draft() as draft:
        for piece in (data[:70_000], bytes(1 << 20), b"y", bytes(1 << 20)):
            draft.write(piece)
        assert draft.read_at(69_999, 10) == data[69_999:70_009]
        assert draft.read_at(len(data) - 5, 10) == bytes(5)
        _, digests = draft.keep(b"disk.img")
    kept = tmp_path / "recovered/disk.img"
    assert kept.read_bytes() == data
    assert digests.size == len(data)
    assert kept.stat().st_blocks * 512 < 1 << 20


def test_nothing_is_read_at_offsets_that_no_file_has(outputs, tmp_path):
    (tmp_path / "file").write_bytes(b"hello")
    with outputs.draft() as draft, FileReader(tmp_path / "file") as reader:
        draft.write(b"hello")
        for each in (draft, reader):
            assert each.read_at(5, 10) == b""
            assert each.read_at(1 << 64, 10) == b""
