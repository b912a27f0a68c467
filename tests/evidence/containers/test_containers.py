"""Images that the containers' own tools made read back byte by byte, with the file systems in them."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.disks import Disks, Files
from tests.fixtures.images import (
    KINDS,
    Kind,
    MiB,
    acquire_ewf,
    convert,
    some_disk,
)
from tests.fixtures.planted import some_bytes
from tests.fixtures.tools import run
from tests.makers.ex01 import BZIP2, write_ex01
from unransom import evidence
from unransom.core.errors import UnreadableError
from unransom.core.records import FileRef, Problem
from unransom.core.streams import chunks
from unransom.evidence.containers import CONTAINERS, Disk, open_disk
from unransom.evidence.containers.ewf_segments import segment_name
from unransom.evidence.containers.opening import UnsupportedImageError
from unransom.evidence.stores.image import ImageStore

Made = Callable[[Kind], tuple[Path, Path]]
ONE_OF_EACH = [kind for kind in KINDS if kind.name in {"vmdk-monolithicSparse", "vhd-dynamic", "ewf-fast"}]
ONE_OF_EACH += [kind for kind in KINDS if kind.name in {"vhdx-dynamic", "qcow2-zstd", "vdi-dynamic"}]


def opened(image: Path) -> Disk:
    return open_disk(os.fsencode(image))


def content(disk: Disk, step: int = 1 << 20) -> bytes:
    return b"".join(chunks(disk, step=step))


def test_the_tuple_names_every_module_that_opens_a_disk() -> None:
    folder = Path("src/unransom/evidence/containers")
    modules = {path.stem for path in folder.glob("*.py") if "\ndef open_disk(" in path.read_text()}
    assert {each.name for each in CONTAINERS} == modules - {"__init__"}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_reads_back_byte_exact(made_images: Made, kind: Kind) -> None:
    raw, image = made_images(kind)
    wanted = raw.read_bytes()
    disk = opened(image)
    assert disk.container == kind.name.split("-")[0].rstrip("2" if kind.name.startswith("ewf") else "")
    assert (disk.size, disk.notes) == (len(wanted), [])
    assert content(disk) == wanted
    assert content(disk, 77_777) == wanted
    for offset in (0, 1, 511, 65_535, 8_388_607, len(wanted) - 5):
        assert disk.read_at(offset, 1000) == wanted[offset : offset + 1000]
    assert disk.read_at(len(wanted), 10) == b""
    stored = bytearray(len(wanted))
    for span in disk.extents():
        stored[span.start : span.end] = wanted[span.start : span.end]
    assert stored == wanted  # what is no extent is zeros
    disk.close()
    disk.close()


@pytest.mark.parametrize("kind", ONE_OF_EACH, ids=lambda kind: kind.name)
def test_what_is_inside_is_chosen_by_content(made_images: Made, tmp_path: Path, kind: Kind) -> None:
    _, image = made_images(kind)
    renamed = tmp_path / "no extension"
    shutil.copy(image, renamed)
    source = evidence.identify(str(renamed))
    assert source.kind == "image"
    assert opened(renamed).container == kind.name.split("-")[0]


@pytest.fixture(scope="session")
def disk_with(shared_disks: Disks) -> Callable[[str], tuple[Path, Files]]:
    """``disk_with(file_system)``: a disk with a volume of it, made once, and the files in it."""
    files = {b"a/small": b"small", b"a/big": some_bytes(3, 900_000)}

    @functools.cache
    def make(inside: str) -> tuple[Path, Files]:
        return shared_disks.disk([getattr(shared_disks, inside)(files)]), files

    return make


@pytest.mark.parametrize("kind", ONE_OF_EACH, ids=lambda kind: kind.name)
@pytest.mark.parametrize("inside", ["ntfs", "ext4", "xfs", "fat"])
def test_file_systems_inside_are_listed_and_read(
    disk_with: Callable[[str], tuple[Path, Files]], tmp_path: Path, kind: Kind, inside: str
) -> None:
    disk, files = disk_with(inside)
    image = tmp_path / kind.file
    kind.make(disk, image)
    store = evidence.open_store(evidence.identify(str(image)))
    found = {}
    for ref in store.files():
        assert isinstance(ref, FileRef)
        if ref.path in files:
            with store.open(ref) as reader:
                found[ref.path] = b"".join(chunks(reader))
    assert found == files
    store.close()


def test_the_whole_disk_can_be_opened_like_a_file(made_images: Made) -> None:
    raw, image = made_images(KINDS[0])
    store = ImageStore(evidence.identify(str(image)))
    with store.open(store.whole()) as reader:
        assert b"".join(chunks(reader)) == raw.read_bytes()


def test_holes_are_not_stored_and_cost_nothing(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    with raw.open("wb") as file:
        file.truncate(40 << 30)
        file.seek(30 << 30)
        file.write(b"data")
    for kind in ("qcow2", "vmdk", "vdi"):
        image = tmp_path / f"disk.{kind}"
        convert(raw, image, kind)
        disk = opened(image)
        (span,) = disk.extents()
        assert span.start == 30 << 30
        assert disk.file is not None
        assert disk.file.hole_at(0) > 1 << 30


# Damage


def test_the_descriptor_inside_may_be_gone(tmp_path: Path) -> None:
    raw = some_disk(tmp_path / "raw", 8 * MiB)
    image = tmp_path / "disk.vmdk"
    convert(raw, image, "vmdk")
    with image.open("r+b") as file:
        file.seek(512)
        file.write(some_bytes(1, 20 * 512))
    disk = opened(image)
    assert content(disk) == raw.read_bytes()
    assert disk.notes


@pytest.mark.parametrize("where", [48, 56])  # in the header: the second directory, and the first
def test_the_other_tables_of_grains_are_taken_where_some_are_noise(
    made_images: Made, tmp_path: Path, where: int
) -> None:
    (kind,) = (kind for kind in KINDS if kind.name == "vmdk-monolithicSparse")
    raw, image = made_images(kind)
    data = bytearray(image.read_bytes())
    (directory,) = struct.unpack_from("<Q", data, where)
    (table,) = struct.unpack_from("<I", data, directory * 512)
    data[table * 512 : table * 512 + 2048] = some_bytes(5, 2048)
    damaged = tmp_path / "damaged.vmdk"
    damaged.write_bytes(data)
    disk = opened(damaged)
    assert content(disk) == raw.read_bytes()
    disk.close()


def test_sparse_disks_of_esx(tmp_path: Path) -> None:
    """Written by the specification, and read by qemu-img as well."""
    grains, grain = 40, 64 * 1024
    data = some_bytes(2, 3 * grain)
    header = struct.pack("<4s7I", b"COWD", 1, 3, grains * 128, 128, 4, 1, 0).ljust(4 * 512, b"\0")
    table = [0] * 4096
    first = 4 + 4 + 32  # sectors in front of the grains: header, directory, table
    for number, where in enumerate((3, 1, 30)):
        table[where] = first + number * 128
    directory = struct.pack("<I", 8).ljust(4 * 512, b"\0")
    extent = tmp_path / "disk-delta.vmdk"
    extent.write_bytes(header + directory + struct.pack("<4096I", *table) + data)
    image = tmp_path / "disk.vmdk"
    image.write_text(
        "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n"
        f'createType="vmfsSparse"\nRW {grains * 128} VMFSSPARSE "disk-delta.vmdk"\n'
    )
    flat = tmp_path / "flat"
    run("qemu-utils", "qemu-img", "convert", "-f", "vmdk", "-O", "raw", image, flat)
    assert content(opened(image)) == flat.read_bytes()
    assert flat.read_bytes()[3 * grain : 4 * grain] == data[:grain]


def test_encrypted_qcow2_is_refused(tmp_path: Path) -> None:
    image = tmp_path / "disk.qcow2"
    run("qemu-utils", "qemu-img", "create", "-q", "-f", "qcow2", image, "1M")
    with image.open("r+b") as file:
        file.seek(35)
        file.write(b"\2")  # LUKS
    with pytest.raises(UnsupportedImageError):
        opened(image)


def test_a_vhdx_that_was_not_closed_says_so(made_images: Made, tmp_path: Path) -> None:
    (kind,) = (kind for kind in KINDS if kind.name == "vhdx-dynamic")
    raw, image = made_images(kind)
    data = bytearray(image.read_bytes())
    for place in (64 * 1024, 128 * 1024):
        data[place + 48 : place + 64] = b"L" * 16
    dirty = tmp_path / "dirty.vhdx"
    dirty.write_bytes(data)
    disk = opened(dirty)
    assert content(disk) == raw.read_bytes()
    assert "log" in str(disk.notes[0].what)


# E01


def test_names_of_segments() -> None:
    names = {
        1: b"x.E01",
        99: b"x.E99",
        100: b"x.EAA",
        101: b"x.EAB",
        126: b"x.EBA",
        775: b"x.EZZ",
        776: b"x.FAA",
    }
    assert {number: segment_name(b"x.E01", number) for number in names} == names
    assert segment_name(b"x.e01", 100) == b"x.eaa"


def test_a_missing_segment_is_said_and_what_is_before_it_read(tmp_path: Path) -> None:
    raw = some_disk(tmp_path / "raw", 12 * MiB)
    acquire_ewf(raw, tmp_path / "disk.E01", "-c", "none", "-S", "1MiB")
    (tmp_path / "disk.E05").unlink()
    disk = opened(tmp_path / "disk.E01")
    assert disk.size == 12 * MiB
    assert disk.notes
    assert disk.read_at(0, 3 * MiB) == raw.read_bytes()[: 3 * MiB]
    with pytest.raises(UnreadableError):
        disk.read_at(6 * MiB, 512)
    problems = list(evidence.open_store(evidence.identify(str(tmp_path / "disk.E01"))).files())
    assert all(isinstance(each, Problem) for each in problems)


def test_a_changed_bit_is_never_passed_on(tmp_path: Path) -> None:
    raw = some_disk(tmp_path / "raw", 4 * MiB)
    wanted = raw.read_bytes()
    for compression in ("none", "fast"):
        image = tmp_path / f"{compression}.E01"
        acquire_ewf(raw, image, "-c", compression)
        data = bytearray(image.read_bytes())
        data[len(data) // 2] ^= 16
        image.write_bytes(data)
        disk = opened(image)
        lost = 0
        for offset in range(0, disk.size, 32768):
            try:
                assert disk.read_at(offset, 32768) == wanted[offset : offset + 32768]
            except UnreadableError:
                lost += 1
        assert lost == 1


def test_the_copy_of_a_table_is_taken_where_the_first_is_damaged(tmp_path: Path) -> None:
    raw = some_disk(tmp_path / "raw", 4 * MiB)
    image = tmp_path / "disk.E01"
    acquire_ewf(raw, image, "-c", "fast")
    data = bytearray(image.read_bytes())
    data[data.index(b"table\0\0") + 76 + 24 + 9] ^= 1
    image.write_bytes(data)
    assert content(opened(image)) == raw.read_bytes()


def test_what_the_image_says_its_digests_are_is_at_hand(made_images: Made) -> None:
    import hashlib

    (kind,) = (kind for kind in KINDS if kind.name == "ewf-fast")
    raw, image = made_images(kind)
    data = raw.read_bytes()
    assert opened(image).digests == {
        "md5": hashlib.md5(data).hexdigest(),
        "sha1": hashlib.sha1(data).hexdigest(),
    }


def test_segments_of_ex01_go_on_in_letters(tmp_path: Path) -> None:
    raw, image = some_disk(tmp_path / "raw", 4 * MiB), tmp_path / "disk.Ex01"
    write_ex01(raw, image, per_segment=1, pack=False)
    assert (tmp_path / "disk.ExAB").exists()
    assert content(opened(image)) == raw.read_bytes()
    (tmp_path / "disk.Ex77").unlink()
    disk = opened(image)
    assert disk.notes
    assert disk.read_at(0, 2 * MiB) == raw.read_bytes()[: 2 * MiB]
    with pytest.raises(UnreadableError):
        disk.read_at(3 * MiB, 512)


def test_an_ex01_that_was_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    raw, image = some_disk(tmp_path / "raw", 4 * MiB), tmp_path / "disk.Ex01"
    write_ex01(raw, image, pack=False)
    image.write_bytes(image.read_bytes()[:-200])  # a part of the digests, and the end
    disk = opened(image)
    assert disk.notes
    assert content(disk) == raw.read_bytes()


@pytest.mark.parametrize("options", [{"pack": False}, {}, {"method": BZIP2}], ids=str)
def test_a_changed_bit_of_an_ex01_is_never_passed_on(tmp_path: Path, options: dict[str, bool | int]) -> None:
    raw, image = some_disk(tmp_path / "raw", 4 * MiB), tmp_path / "disk.Ex01"
    wanted = raw.read_bytes()
    write_ex01(raw, image, **options)  # type: ignore[arg-type]
    data = bytearray(image.read_bytes())
    data[len(data) // 2] ^= 16
    image.write_bytes(data)
    disk = opened(image)
    for offset in range(0, disk.size, 32768):
        with contextlib.suppress(UnreadableError):
            assert disk.read_at(offset, 32768) == wanted[offset : offset + 32768]


def test_encrypted_and_logical_images_are_refused_with_the_reason(tmp_path: Path) -> None:
    raw, image = some_disk(tmp_path / "raw", 1 * MiB), tmp_path / "disk.Ex01"
    write_ex01(raw, image, flags=2)
    with pytest.raises(UnsupportedImageError, match="encrypted"):
        opened(image)
    for mark in (b"LEF2\r\n\x81\0", b"LVF\x09\r\n\xff\0"):
        image.write_bytes(mark + bytes(4096))
        with pytest.raises(UnsupportedImageError, match="single files"):
            opened(image)
