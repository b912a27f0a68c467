"""A VHDX that was not closed: what its log holds is read, as QEMU reads it after it has replayed the log."""

from __future__ import annotations

import os
import random
import shutil
import struct
from pathlib import Path

import pytest

from tests.fixtures.images import MiB
from tests.fixtures.planted import some_bytes
from tests.fixtures.tools import run
from unransom.catalog.formats._page_checksums import crc32c
from unransom.core.errors import UnreadableError
from unransom.core.streams import BytesReader, chunks
from unransom.evidence.containers import open_disk
from unransom.evidence.containers.vhdx import BLOCKS
from unransom.evidence.containers.vhdx_log import replayed

SECTOR = 4096
LOG = b"this is our log!"
HEADERS = (64 * 1024, 128 * 1024)
RAW = bytes(3 * MiB) + some_bytes(1, 5 * MiB) + bytes(9 * MiB) + some_bytes(2, 2 * MiB) + bytes(MiB)


def entry(number: int, tail: int, changes: dict[int, bytes | None], size: int, log: bytes = LOG) -> bytes:
    """Return an entry of a log by [MS-VHDX]: ``changes`` are sectors of the image by their places."""
    descriptors, sectors = b"", b""
    for place, data in changes.items():
        if data is None:
            descriptors += struct.pack("<4s4xQQQ", b"zero", SECTOR, place, number)
            continue
        descriptors += struct.pack("<4s4s8sQQ", b"desc", data[-4:], data[:8], place, number)
        sectors += b"data" + struct.pack("<I", number >> 32) + data[8:-4] + struct.pack("<I", number % 2**32)
    room = -(-(64 + len(descriptors)) // SECTOR) * SECTOR
    fields = struct.pack("<IIQII16sQQ", room + len(sectors), tail, number, len(changes), 0, log, size, size)
    whole = (b"loge" + bytes(4) + fields + descriptors).ljust(room, b"\0") + sectors
    return whole[:4] + struct.pack("<I", crc32c(memoryview(whole))) + whole[8:]


def unclosed(tmp_path: Path, *, begin: int) -> tuple[Path, Path]:
    """Return a disk, and a VHDX of it whose tables' last changes stand only in its log, from ``begin`` on."""
    raw, image = tmp_path / "disk.raw", tmp_path / "disk.vhdx"
    raw.write_bytes(RAW)
    run("qemu-utils", "qemu-img", "convert", "-O", "vhdx", "-o", "block_size=1M", raw, image)
    data = bytearray(image.read_bytes())
    length, offset = struct.unpack_from("<IQ", data, HEADERS[0] + 68)
    (table,) = struct.unpack_from("<Q", data, data.index(BLOCKS, 192 * 1024) + len(BLOCKS))
    sector = bytes(data[table : table + SECTOR])
    middle = bytearray(sector)
    middle[: 10 * 8] = bytes(10 * 8)
    other = table + 2 * SECTOR  # behind what the table needs
    data[table : table + SECTOR] = bytes(SECTOR)
    data[other : other + SECTOR] = b"x" * SECTOR
    size = len(data)
    run_of = [
        {table: bytes(middle), other: some_bytes(3, SECTOR)},
        {other: None},
        {table: sector},
    ]
    ring = bytearray(length)
    stale = entry(90, 0, {table: some_bytes(4, SECTOR)}, size, b"an earlier log!!")
    ring[: len(stale)] = stale
    place = begin
    for number, changes in enumerate(run_of, 70):
        part = entry(number, begin, changes, size)
        for at in range(0, len(part), SECTOR):
            where = (place + at) % length
            ring[where : where + SECTOR] = part[at : at + SECTOR]
        place = (place + len(part)) % length
    data[offset : offset + length] = ring
    for head in HEADERS:
        data[head + 48 : head + 64] = LOG
        data[head + 4 : head + 8] = bytes(4)
        data[head + 4 : head + 8] = struct.pack("<I", crc32c(memoryview(data[head : head + SECTOR])))
    image.write_bytes(data)
    return raw, image


@pytest.mark.parametrize("begin", [4 * SECTOR, MiB - 3 * SECTOR, MiB - SECTOR])
def test_changes_in_the_log_are_read_as_qemu_replays_them(tmp_path: Path, begin: int) -> None:
    raw, image = unclosed(tmp_path, begin=begin)
    copy = tmp_path / "copy.vhdx"
    shutil.copy(image, copy)
    run("qemu-utils", "qemu-img", "check", "-q", "-r", "all", copy)
    run("qemu-utils", "qemu-img", "compare", copy, raw)
    before = image.read_bytes()
    disk = open_disk(os.fsencode(image))
    assert b"".join(chunks(disk)) == raw.read_bytes()
    assert [str(note.resolution) for note in disk.notes] == [
        "the changes were read from the log; the image itself is as it was"
    ]
    disk.close()
    assert image.read_bytes() == before


def test_a_torn_entry_is_not_taken_and_one_without_its_run_neither() -> None:
    size = 8 * MiB
    first = entry(5, 0, {MiB: some_bytes(1, SECTOR)}, size)
    second = entry(6, 0, {MiB: some_bytes(2, SECTOR)}, size)
    image = bytes(2 * MiB)

    def after(log: bytes) -> bytes | None:
        whole = image + log.ljust(64 * SECTOR, b"\0")
        found = replayed(BytesReader(whole), 2 * MiB, 64 * SECTOR, LOG)
        return found.read_at(MiB, SECTOR) if found else None

    assert after(first + second) == some_bytes(2, SECTOR)
    assert after(first + second[:-1] + b"?") == some_bytes(1, SECTOR)
    assert after(bytes(len(first)) + second) is None
    assert after(b"") is None


@pytest.mark.parametrize("seed", range(20))
def test_damaged_logs_are_survived(seed: int) -> None:
    chance = random.Random(seed)
    log = bytearray(entry(5, 0, {MiB: some_bytes(1, SECTOR), 0: None}, 8 * MiB) + entry(6, 0, {0: None}, 1))
    for _ in range(8):
        log[chance.choice([chance.randrange(200), chance.randrange(len(log))])] = chance.choice([0, 255, 1])
    image = BytesReader(bytes(2 * MiB) + bytes(log))
    try:
        found = replayed(image, 2 * MiB, len(log), LOG)
        if found:
            found.read_at(MiB - 100, 10_000)
    except UnreadableError:
        pass
