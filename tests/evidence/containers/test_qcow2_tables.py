"""QEMU disks whose first table is damaged: the tables that it named are found and put in their places."""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.planted import some_bytes
from tests.fixtures.tools import run
from unransom.core.errors import UnreadableError
from unransom.core.streams import BytesReader, chunks
from unransom.evidence.containers import open_disk
from unransom.evidence.containers.qcow2 import ClusterDisk, parse

MiB = 1 << 20
WAYS = {
    "plain": (),
    "small-clusters": ("-o", "cluster_size=4096"),
    "large-clusters": ("-o", "cluster_size=2M"),
    "packed": ("-c",),
    "subclusters": ("-o", "extended_l2=on"),
}


@pytest.fixture(scope="module", params=WAYS)
def images(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """Return a raw disk, of which most is used, and the same as QCOW2."""
    folder = tmp_path_factory.mktemp("qcow2")
    raw = some_bytes(1, 3 * MiB) + bytes(MiB) + some_bytes(2, 4 * MiB)
    (folder / "raw").write_bytes(raw)
    command = ("qemu-utils", "qemu-img", "convert", "-f", "raw", "-O", "qcow2", *WAYS[request.param])
    run(*command, folder / "raw", folder / "disk.qcow2")
    return raw, (folder / "disk.qcow2").read_bytes()


@pytest.mark.parametrize(
    "noise", [b"\xff" * 8, struct.pack(">Q", 0x200), some_bytes(3, 8), struct.pack(">Q", 1 << 40)]
)
def test_a_damaged_entry_is_mended(images: tuple[bytes, bytes], tmp_path: Path, noise: bytes) -> None:
    raw, image = images
    table = parse(BytesReader(image)).table
    path = tmp_path / "disk.qcow2"
    path.write_bytes(image[:table] + noise + image[table + 8 :])
    disk = open_disk(os.fsencode(path))
    assert b"".join(chunks(disk)) == raw
    assert [note.what.values["count"] for note in disk.notes] == [1]
    disk.close()


def test_a_sound_table_is_left_alone(images: tuple[bytes, bytes]) -> None:
    reader = BytesReader(images[1])
    assert ClusterDisk(reader, reader, parse(reader), None).damaged == 0


def test_snapshots_inside_are_said(images: tuple[bytes, bytes], tmp_path: Path) -> None:
    path = tmp_path / "disk.qcow2"
    path.write_bytes(images[1])
    run("qemu-utils", "qemu-img", "snapshot", "-c", "before", path)
    disk = open_disk(os.fsencode(path))
    assert b"".join(chunks(disk)) == images[0]
    assert [note.what.values for note in disk.notes] == [{"count": 1}]
    disk.close()


@pytest.fixture(
    scope="module", params=["refcount_bits=16", "refcount_bits=64", "refcount_bits=4", "compat=0.10"]
)
def with_snapshots(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[bytes, bytes]:
    """Return a raw disk, and the same as QCOW2 that has earlier states inside and had another.

    Of its four second tables the first was written to since the newest state, the second before it.
    """
    folder = tmp_path_factory.mktemp("snapshots")
    raw, path = folder / "raw", folder / "disk.qcow2"
    raw.write_bytes(some_bytes(4, 8 * MiB))
    options = f"cluster_size=4096,{request.param}"
    run("qemu-utils", "qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-o", options, raw, path)
    for name, written in (("deleted", "0 64k"), ("old", "2M 64k"), ("new", "0 16k")):
        run("qemu-utils", "qemu-img", "snapshot", "-c", name, path)
        run("qemu-utils", "qemu-io", "-c", f"write -P {len(name)} {written}", path)
    run("qemu-utils", "qemu-img", "snapshot", "-d", "deleted", path)
    run("qemu-utils", "qemu-img", "convert", "-O", "raw", path, raw)
    return raw.read_bytes(), path.read_bytes()


@pytest.mark.parametrize("slots", [(0,), (1,), (3,), (1, 2, 3), (0, 1, 2, 3)])
def test_a_table_of_a_snapshot_is_never_taken_for_the_disks_own(
    with_snapshots: tuple[bytes, bytes], tmp_path: Path, slots: tuple[int, ...]
) -> None:
    raw, image = with_snapshots
    damaged, table = bytearray(image), parse(BytesReader(image)).table
    for slot in slots:
        damaged[table + slot * 8 : table + slot * 8 + 8] = b"\xff" * 8
    path = tmp_path / "disk.qcow2"
    path.write_bytes(damaged)
    disk = open_disk(os.fsencode(path))
    assert b"".join(chunks(disk)) == raw
    assert disk.notes[-1].what.values["count"] == len(slots)
    assert disk.notes[-1].resolution.values["lost"] == 0
    disk.close()


def test_where_more_tables_may_be_meant_none_is_put_there(tmp_path: Path) -> None:
    raw, path = tmp_path / "raw", tmp_path / "disk.qcow2"
    raw.write_bytes(some_bytes(5, 4 * MiB))
    run("qemu-utils", "qemu-img", "convert", "-O", "qcow2", "-o", "cluster_size=4096", raw, path)
    run("qemu-utils", "qemu-img", "snapshot", "-c", "before", path)
    for written in ("2M 4k", "0 4k"):  # so that the tables are in the file the other way round
        run("qemu-utils", "qemu-io", "-c", f"write -P 7 {written}", path)
    with path.open("r+b") as file:
        file.seek(parse(BytesReader(path.read_bytes())).table)
        file.write(b"\xff" * 16)
    disk = open_disk(os.fsencode(path))
    assert disk.notes[-1].resolution.values["lost"] == 2
    for offset in (0, 2 * MiB):
        with pytest.raises(UnreadableError):
            disk.read_at(offset, 4096)
    disk.close()


@settings(max_examples=40, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 15), st.integers(0, 255)), max_size=8),
    cut=st.integers(0, 100),
)
def test_any_table_is_survived(images: tuple[bytes, bytes], changes: list[tuple[int, int]], cut: int) -> None:
    image = bytearray(images[1])
    table = parse(BytesReader(image)).table
    for at, value in changes:
        image[table + at] = value
    reader = BytesReader(bytes(image[: len(image) - cut * len(image) // 100]))
    with contextlib.suppress(UnreadableError, OSError):
        disk = ClusterDisk(reader, reader, parse(reader), None)
        assert len(disk.read_at(0, 100_000)) == 100_000
