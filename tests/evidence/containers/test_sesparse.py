"""Space-efficient snapshots of ESX: made by the layout that QEMU documents, and read by qemu-img as well."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.images import MiB, convert, some_disk
from tests.fixtures.planted import some_bytes
from tests.fixtures.tools import run
from unransom.core.errors import UnreadableError
from unransom.core.streams import BytesReader, chunks
from unransom.evidence.containers import Disk, open_disk
from unransom.evidence.containers.vmdk_sesparse import SpaceEfficient, layout

GRAIN, ENTRIES = 4096, 4096
SIZE = 40 * MiB  # more than one table covers
DESCRIPTOR = """# Disk DescriptorFile
version=1
CID=fffffffe
parentCID={parent}
{hint}createType="seSparse"
RW {sectors} SESPARSE "snap-sesparse.vmdk"
"""


def sesparse(size: int, stored: dict[int, bytes], zeroed: tuple[int, ...] = (), dirty: int = 0) -> bytes:
    """Make an extent.

    Args:
        size: Bytes of the disk.
        stored: Grains by their number.
        zeroed: Grains of zeros, every other one unmapped.
        dirty: Whether the journal was not written back.
    """
    tables = -(-size // (GRAIN * ENTRIES))
    used = sorted({number // ENTRIES for number in (*stored, *zeroed)})
    volatile, directory, first = 1, 8, 16
    grains = first + 64 * len(used)
    fields = [0xCAFEBABE, 0x0000000200000001, size // 512, 8, 64, 0, 0, 0, 0, 0, volatile, 1, 2, 1, 3, 5]
    fields += [directory, -(-tables * 8 // 512), first, 64 * len(used), 0, 0, 0, 0, grains, 8 * len(stored)]
    entries = [[0] * ENTRIES for _ in used]
    for place, number in enumerate(sorted(stored)):
        word = 3 << 60 | (place & 0xFFF) << 48 | place >> 12
        entries[used.index(number // ENTRIES)][number % ENTRIES] = word
    for place, number in enumerate(zeroed):
        entries[used.index(number // ENTRIES)][number % ENTRIES] = (1 + place % 2) << 60
    listed = [1 << 60 | used.index(number) if number in used else 0 for number in range(tables)]
    out = bytearray(grains * 512)
    struct.pack_into("<26Q", out, 0, *fields)
    struct.pack_into("<4Q", out, volatile * 512, 0xCAFECAFE, 0, 0, dirty)
    struct.pack_into(f"<{tables}Q", out, directory * 512, *listed)
    for index, table in enumerate(entries):
        struct.pack_into(f"<{ENTRIES}Q", out, (first + 64 * index) * 512, *table)
    return bytes(out) + b"".join(stored[number] for number in sorted(stored))


STORED = {number: some_bytes(number, GRAIN) for number in (0, 1, 7, 4095, 4096, 5000, SIZE // GRAIN - 1)}
ZEROED = (2, 3, 8, 5001, 5002)


def content(disk: Disk) -> bytes:
    return b"".join(chunks(disk))


def snapshot(folder: Path, *, parent: bool, dirty: int = 0) -> Path:
    (folder / "snap-sesparse.vmdk").write_bytes(sesparse(SIZE, STORED, ZEROED, dirty))
    hint = 'parentFileNameHint="base.vmdk"\n' if parent else ""
    image = folder / "snap.vmdk"
    text = DESCRIPTOR.format(parent="12345678" if parent else "ffffffff", hint=hint, sectors=SIZE // 512)
    image.write_text(text)
    return image


def test_a_snapshot_without_a_parent_reads_as_qemu_reads_it(tmp_path: Path) -> None:
    image = snapshot(tmp_path, parent=False)
    flat = tmp_path / "flat"
    run("qemu-utils", "qemu-img", "convert", "-f", "vmdk", "-O", "raw", image, flat)
    disk = open_disk(os.fsencode(image))
    assert (content(disk), disk.notes, disk.container) == (flat.read_bytes(), [], "vmdk")
    assert content(open_disk(os.fsencode(tmp_path / "snap-sesparse.vmdk"))) == flat.read_bytes()
    stored = bytearray(SIZE)
    for span in disk.extents():
        stored[span.start : span.end] = flat.read_bytes()[span.start : span.end]
    assert stored == flat.read_bytes()


def test_what_a_snapshot_has_not_is_read_from_its_parent(tmp_path: Path) -> None:
    raw = some_disk(tmp_path / "raw", SIZE)
    convert(raw, tmp_path / "base.vmdk", "vmdk")
    wanted = bytearray(raw.read_bytes())
    for number, data in STORED.items():
        wanted[number * GRAIN : (number + 1) * GRAIN] = data
    for number in ZEROED:
        wanted[number * GRAIN : (number + 1) * GRAIN] = bytes(GRAIN)
    assert content(open_disk(os.fsencode(snapshot(tmp_path, parent=True)))) == wanted


def test_changes_that_were_not_written_back_are_said(tmp_path: Path) -> None:
    (note,) = open_disk(os.fsencode(snapshot(tmp_path, parent=False, dirty=1))).notes
    assert "not closed" in str(note.what)


@settings(max_examples=150)
@given(
    changes=st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 255)), max_size=12),
    offset=st.integers(0, SIZE - 1),
)
def test_damage_is_survived(changes: list[tuple[int, int]], offset: int) -> None:
    data = bytearray(sesparse(SIZE, STORED, ZEROED))
    for where, value in changes:
        data[where] = value
    try:
        reader = BytesReader(bytes(data))
        disk = SpaceEfficient(reader, layout(reader))
        assert len(disk.read_at(offset, 100)) == min(100, max(0, disk.size - offset))
    except (OSError, UnreadableError):
        pass


def test_no_header_is_no_extent() -> None:
    with pytest.raises(OSError, match="no header"):
        layout(BytesReader(bytes(1024)))
