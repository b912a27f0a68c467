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
