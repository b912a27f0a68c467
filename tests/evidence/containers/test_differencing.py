"""Disks of Hyper-V that build on others, by the specification: no tool of Debian makes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.containers.test_containers import content, opened
from tests.fixtures.images import MiB, convert, differencing_vhd, differencing_vhdx, some_disk
from unransom.core.errors import UnreadableError


def test_differencing_vhd(tmp_path: Path) -> None:
    raw = some_disk(tmp_path / "raw", 8 * MiB)
    convert(raw, tmp_path / "base.vhd", "vpc", "force_size=on")
    writes = {3 * MiB: b"A" * 1024, 3 * MiB + 4096: b"B" * 512, 7 * MiB: b"C" * 2048}
    image = differencing_vhd(tmp_path / "diff.vhd", tmp_path / "base.vhd", 8 * MiB, writes)
    wanted = bytearray(raw.read_bytes())
    for offset, written in writes.items():
        wanted[offset : offset + len(written)] = written
    disk = opened(image)
    assert (content(disk), disk.notes) == (bytes(wanted), [])
    convert(raw, tmp_path / "base.vhd", "vpc", "force_size=on")  # another disk, with an identifier of its own
    assert "not the disk" in str(opened(image).notes[0].what)


@pytest.mark.parametrize("block", [MiB, 8 * MiB])
def test_a_chain_of_differencing_vhdx(tmp_path: Path, block: int) -> None:
    raw = some_disk(tmp_path / "raw", 24 * MiB + 4096)
    wanted = bytearray(raw.read_bytes())
    convert(raw, tmp_path / "base.vhdx", "vhdx", "subformat=dynamic")
    parent = tmp_path / "base.vhdx"
    for layer, place in enumerate((3 * MiB, 3 * MiB + 512, 23 * MiB)):
        writes = {place: b"A%d" % layer * 512, place + 8192: b"B" * 512, 24 * MiB: b"%d" % layer * 4096}
        parent = differencing_vhdx(tmp_path / f"{layer}.avhdx", parent, len(wanted), writes, block)
        for offset, written in writes.items():
            wanted[offset : offset + len(written)] = written
        disk = opened(parent)
        assert (content(disk), disk.notes) == (bytes(wanted), [])
    convert(raw, tmp_path / "base.vhdx", "vhdx", "subformat=dynamic")  # it has an identifier of its own
    assert any("changed after the snapshot" in str(note.what) for note in opened(parent).notes)
    (tmp_path / "1.avhdx").unlink()
    with pytest.raises(UnreadableError):
        opened(parent).read_at(0, 512)
