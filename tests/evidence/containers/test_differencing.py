"""Disks of Hyper-V that build on others, by the specification: no tool of Debian makes them."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.evidence.containers.test_containers import content, opened
from tests.fixtures.images import MiB, convert, differencing_vhd, differencing_vhdx, some_disk
from unransom.core.errors import UnreadableError
from unransom.evidence.containers import vdi


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


def differencing_vdi(path: Path, parent: Path, identifier: bytes, blocks: dict[int, bytes]) -> Path:
    """Write a differencing VDI with the geometry of its parent, which has all of its blocks."""
    head = bytearray(parent.read_bytes()[: vdi.HEAD])
    header = vdi._header(bytes(head))
    assert header
    struct.pack_into("<I", head, 76, vdi.DIFFERENCING)
    head[392:408], head[424:440] = identifier, header.identifier
    table = [vdi.FREE] * header.blocks
    for place, number in enumerate(blocks):
        table[number] = place
    front = bytes(head).ljust(header.table, b"\0") + struct.pack(f"<{len(table)}I", *table)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(front.ljust(header.data, b"\0") + b"".join(blocks.values()))
    return path


@pytest.mark.parametrize("folder", ["", "Snapshots"])
def test_a_chain_of_differencing_vdi_as_virtualbox_keeps_it(tmp_path: Path, folder: str) -> None:
    raw = some_disk(tmp_path / "raw", 8 * MiB)
    convert(raw, tmp_path / "machine.vdi", "vdi")
    wanted, parent = bytearray(raw.read_bytes()), tmp_path / "machine.vdi"
    for layer in range(1, 4):
        blocks = {layer: bytes([layer]) * MiB, 7: bytes([64 + layer]) * MiB}
        name = tmp_path / folder / f"{{{layer}}}.vdi"
        parent = differencing_vdi(name, parent, bytes([layer]) * 16, blocks)
        for number, written in blocks.items():
            wanted[number * MiB : (number + 1) * MiB] = written
    disk = opened(parent)
    assert (content(disk), disk.notes) == (bytes(wanted), [])
    (tmp_path / "machine.vdi").unlink()
    with pytest.raises(UnreadableError):
        opened(parent).read_at(0, 512)
