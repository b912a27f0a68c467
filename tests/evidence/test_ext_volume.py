"""Volumes of ext4 that are read by ourselves: folders in inodes, clusters; and damage to them."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.fixtures.disks import Disks, MiB
from tests.fixtures.planted import some_bytes
from tests.fixtures.tools import run
from unransom import evidence
from unransom.core.errors import UnreadableError
from unransom.core.records import FileRef, Kind, Problem
from unransom.core.streams import BytesReader, chunks
from unransom.evidence.filesystems.ext.volume import ExtVolume, is_needed
from unransom.evidence.filesystems.free import free_spans
from unransom.evidence.filesystems.tsk import Locator

FILES = {
    **{b"few/%d" % number: b"x" * number for number in (0, 1, 59, 60, 61, 155, 156, 160, 161, 700)},
    **{b"many/%05d-%s" % (number, b"y" * (number % 60)): b"%d" % number for number in range(900)},
    b"d/e/f/deep": some_bytes(1, 300_000),
}
OPTIONS = {"inodes": "inline_data", "clusters": "bigalloc,inline_data"}


@pytest.fixture(scope="module", params=OPTIONS)
def volume(shared_disks: Disks, request: pytest.FixtureRequest) -> Path:
    """An ext4 of 8 MiB with ``FILES``."""
    options = ("-O", OPTIONS[request.param], "-I", "512", "-N", "2048")
    return shared_disks.ext4(FILES, 16 * MiB, options=options)


def test_small_files_and_folders_stand_in_inodes(volume: Path) -> None:
    store = evidence.open_store(evidence.identify(str(volume)))
    found = {}
    for ref in store.files():
        assert isinstance(ref, FileRef), ref
        with store.open(ref) as reader:
            found[ref.path] = b"".join(chunks(reader))
            assert reader.read_at(10, 50) == found[ref.path][10:60]
        assert ref.modified
        assert ref.changed
    store.close()
    assert found == FILES


def test_holes_links_and_files_in_pieces_as_the_kernel_writes_them(disks: Disks) -> None:
    image = disks.empty("ext4.img", 32 * MiB)
    run("e2fsprogs", "mkfs.ext4", "-q", "-F", "-O", "bigalloc,inline_data", "-I", "256", image)
    mount = disks.new("mount")
    mount.mkdir()
    run("mount", "mount", "-o", "loop", image, mount)
    try:
        with (mount / "holes").open("wb") as file:
            file.truncate(5 * MiB)
            for at in (1 * MiB + 100, 4 * MiB):
                file.seek(at)
                file.write(some_bytes(at, 70_000))
        for number in range(40):
            for name in ("one", "two"):
                with (mount / name).open("ab") as file:
                    file.write(some_bytes(number, 9_000))
        (mount / "link").symlink_to("one")
        wanted = {os.fsencode(each): (mount / each).read_bytes() for each in ("holes", "one", "two")}
    finally:
        run("mount", "umount", mount)
    store = evidence.open_store(evidence.identify(str(image)))
    refs = [each for each in store.files() if isinstance(each, FileRef)]
    found = {}
    for ref in refs:
        if ref.kind is Kind.FILE and not ref.deleted:
            with store.open(ref) as reader:
                found[ref.path] = b"".join(chunks(reader))
    store.close()
    assert found == wanted
    assert [ref.path for ref in refs if ref.kind is Kind.SYMLINK] == [b"link"]


@pytest.mark.parametrize("seed", range(12))
def test_damage_raises_nothing(volume: Path, seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(volume.read_bytes())
    assert is_needed(BytesReader(bytes(data)), 0)
    heads = [at for at in range(0, len(data), 512) if any(data[at : at + 512])]
    for _ in range(200):
        at = chance.choice([chance.choice(heads), 1024]) + chance.randrange(512)
        data[min(at, len(data) - 1)] = chance.randrange(256)
    damaged = BytesReader(bytes(data[: chance.choice([len(data), len(data) // 2, 1 << 20])]))
    free_spans(damaged)
    try:
        files = ExtVolume(damaged, 0)
    except (OSError, UnreadableError):
        return
    for record in files.files("s", b""):
        if isinstance(record, Problem) or not record.locator or ":" not in record.locator:
            continue
        try:
            content = files.open(Locator.parse(record.locator), record.size)
            content.read_at(0, 100_000)
            content.read_at(max(0, record.size - 100), 100)
        except (OSError, UnreadableError):
            continue
