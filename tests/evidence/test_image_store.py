"""What is special about disks: deleted files, streams, holes, damage, partitions, segments."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixtures.disks import Disks, looped
from tests.fixtures.planted import some_bytes
from tests.fixtures.tools import run
from unransom import evidence
from unransom.core.errors import EvidenceChangedError, UnreadableError
from unransom.core.records import FileRef, Kind, Problem
from unransom.core.streams import Salvage, chunks
from unransom.evidence.store import Store
from unransom.evidence.stores import image as image_module
from unransom.evidence.wrap.faulty import Bad, Faults, FaultyReader

BIG = some_bytes(5, 1_500_000)
SMALL = b"small enough to be resident"
Image = Callable[..., Path]


def opened(image: Path) -> Store:
    return evidence.open_store(evidence.identify(str(image)))


def listed(image: Path) -> list[FileRef | Problem]:
    return list(opened(image).files())


def refs(image: Path) -> list[FileRef]:
    found = listed(image)
    assert all(isinstance(each, FileRef) for each in found), found
    return [each for each in found if isinstance(each, FileRef)]


def content(image: Path, ref: FileRef) -> bytes:
    with opened(image).open(ref) as reader:
        return b"".join(chunks(reader))


# Deleted files


@pytest.mark.parametrize("kind", ["ext2", "ext3", "ext4"])
def test_deleted_files_of_ext_come_back_where_the_inode_is_left(ext4_image: Image, kind: str) -> None:
    image = ext4_image({b"a/kept": SMALL, b"a/gone": BIG}, deleted=[b"a/gone"], kind=kind)
    found = {ref.path: ref for ref in refs(image)}
    assert {path: ref.deleted for path, ref in found.items()} == {b"a/kept": False, b"a/gone": True}
    assert content(image, found[b"a/gone"]) == BIG


def test_deleted_files_of_ntfs_come_back_also_without_their_folder(ntfs_image: Image) -> None:
    files = {b"kept": SMALL, b"big": BIG, b"small": SMALL, b"dir/sub/deep": BIG[:50_000]}
    image = ntfs_image(files, deleted=[b"big", b"small", b"dir"])
    gone = {ref.path: ref for ref in refs(image) if ref.deleted}
    assert content(image, gone[b"big"]) == BIG
    assert content(image, gone[b"small"]) == SMALL  # resident: in the record itself
    (deep,) = (path for path in gone if path.endswith(b"deep"))
    assert content(image, gone[deep]) == BIG[:50_000]
    assert not any(ref.path.startswith((b"$MFT", b"$Extend")) for ref in refs(image))
    assert [ref.path for ref in refs(image) if not ref.deleted] == [b"kept"]


def test_a_deleted_name_whose_record_is_used_again_has_no_content(ntfs_image: Image, disks: Disks) -> None:
    image = ntfs_image({b"%03d" % number: b"old %d" % number for number in range(60)})
    with disks.mounted_ntfs(image) as mount:
        for number in range(60):
            (mount / f"{number:03}").unlink()
        for number in range(60):
            (mount / f"{number:03}.locked").write_bytes(b"new %d" % number)
    store = opened(image)
    for ref in refs(image):
        if not ref.deleted:
            assert content(image, ref) == b"new %d" % int(ref.path[:3])
        elif ref.size:
            assert content(image, ref) == b"old %d" % int(ref.path[:3])
        else:
            with pytest.raises(OSError, match="only the name"), store.open(ref):
                pass


@pytest.mark.parametrize("bits", [12, 16, 32])
def test_deleted_files_of_fat_come_back(fat_image: Image, bits: int) -> None:
    size = (40 if bits == 32 else 16) << 20
    files = {b"dir/a rather long name.bin": BIG, b"dir/kept.bin": SMALL}
    image = fat_image(files, size=size, bits=bits, deleted=[b"dir/a rather long name.bin"])
    (gone,) = (ref for ref in refs(image) if ref.deleted)
    assert gone.path.startswith(b"dir/")
    assert content(image, gone) == BIG
    assert [ref.path for ref in refs(image) if not ref.deleted] == [b"dir/kept.bin"]


def test_deleted_files_of_exfat_come_back(exfat_image: Image) -> None:
    image = exfat_image({b"dir/kept": SMALL, b"dir/gone": BIG}, deleted=[b"dir/gone"])
    found = {ref.path: ref for ref in refs(image)}
    assert {path: ref.deleted for path, ref in found.items()} == {b"dir/kept": False, b"dir/gone": True}
    assert content(image, found[b"dir/gone"]) == BIG


# Streams, holes, links, times


def test_alternate_data_streams_are_contents_of_their_own(ntfs_image: Image) -> None:
    streams = {
        (b"invoice.pdf", "Zone.Identifier"): b"[ZoneTransfer]\r\nZoneId=3\r\n",
        (b"dir", "hidden"): BIG,
    }
    image = ntfs_image({b"invoice.pdf": BIG, b"dir/file": SMALL}, streams=streams)
    found = {(ref.path, ref.stream): ref for ref in refs(image)}
    expected = {(b"invoice.pdf", ""): BIG, (b"dir/file", ""): SMALL, **streams}
    assert set(found) == set(expected)
    for key, ref in found.items():
        assert (ref.size, content(image, ref)) == (len(expected[key]), expected[key])


@pytest.mark.parametrize("kind", ["ext4", "ntfs"])
def test_holes_read_as_zeros(disks: Disks, kind: str) -> None:
    if kind == "ext4":
        tree = disks.new("tree")
        tree.mkdir()
        image = disks.empty("sparse.img", 16 << 20)
        write_sparse(tree / "sparse")
        run("e2fsprogs", "mkfs.ext4", "-q", "-F", "-d", tree, image)
    else:
        image = disks.ntfs({}, size=32 << 20)
        with disks.mounted_ntfs(image) as mount:
            write_sparse(mount / "sparse")
    (ref,) = refs(image)
    assert content(image, ref) == b"A" * 4096 + bytes(10_000_000 - 4096) + b"end"


def write_sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"A" * 4096)
        file.seek(10_000_000)
        file.write(b"end")


def test_symbolic_links_and_special_files_are_told_apart(disks: Disks) -> None:
    tree = disks.new("tree")
    tree.mkdir()
    (tree / "link").symlink_to("/etc/passwd")
    os.mkfifo(tree / "pipe")
    image = disks.empty("special.img", 16 << 20)
    run("e2fsprogs", "mkfs.ext4", "-q", "-F", "-d", tree, image)
    found = {ref.path: ref for ref in refs(image)}
    kinds = {path: (ref.kind, ref.size) for path, ref in found.items()}
    assert kinds == {b"link": (Kind.SYMLINK, 0), b"pipe": (Kind.SPECIAL, 0)}
    with pytest.raises(OSError, match="not a regular file"), opened(image).open(found[b"link"]):
        pass


def test_times_have_the_file_systems_precision(ntfs_image: Image) -> None:
    (ref,) = refs(ntfs_image({b"file": SMALL}))
    assert ref.modified is not None
    assert ref.modified % 1_000_000_000
    assert ref.created
    assert ref.changed


def test_times_of_fat_are_the_same_in_every_zone(fat_image: Image) -> None:
    image = fat_image({b"file": SMALL})
    code = (
        "import sys; from unransom import evidence; "
        "print([r.modified for r in evidence.open_store(evidence.identify(sys.argv[1])).files()])"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code, str(image)],
            env={**os.environ, "TZ": zone},
            check=True,
            capture_output=True,
        ).stdout
        for zone in ("UTC", "America/New_York", "Asia/Shanghai")
    }
    assert len(seen) == 1


# Damage


def test_a_truncated_image_gives_what_is_there(ext4_image: Image) -> None:
    image = ext4_image({b"a": SMALL, b"big": BIG * 4})
    os.truncate(image, 3 << 20)
    found = {ref.path: ref for ref in refs(image)}
    assert content(image, found[b"a"]) == SMALL
    with opened(image).open(found[b"big"]) as reader:
        assert reader.read_at(0, 4096) == BIG[:4096]
        with pytest.raises(UnreadableError) as caught:
            reader.read_at(0, reader.size)
        assert 0 < caught.value.offset < reader.size
        assert caught.value.length <= 4096
        salvage = Salvage(reader)
        read = b"".join(chunks(salvage))
    lost = salvage.lost[0].start
    assert read[:lost] == (BIG * 4)[:lost]
    assert salvage.lost[0].start == caught.value.offset


@pytest.mark.parametrize("kind", ["ext4", "ntfs", "fat"])
@pytest.mark.parametrize("size", [512, 1024, 1500, 4096, 8192, 66_000, 1 << 20])
def test_truncated_anywhere_is_a_problem_and_no_crash(
    shared_disks: Disks, tmp_path: Path, kind: str, size: int
) -> None:
    image = tmp_path / "cut.img"
    image.write_bytes(getattr(shared_disks, kind)({b"a": SMALL, b"big": BIG}).read_bytes()[:size])
    if evidence.identify(str(image)).kind != "image":
        assert size < 4096  # the head alone is enough
        return
    found = listed(image)
    assert found
    for ref in found:
        if isinstance(ref, FileRef):
            with contextlib.suppress(UnreadableError, OSError):
                content(image, ref)


def test_bad_sectors_lose_only_themselves(ext4_image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ext4_image({b"big": BIG})
    at = path.read_bytes().index(BIG[:64])
    bad = Bad(at + 500_000, at + 500_001)
    real = image_module.open_disk

    class Scratched(FaultyReader):
        def __init__(self, where: bytes) -> None:
            raw = real(where)
            super().__init__(raw, Faults(bad=(bad,)))
            self.fingerprint, self.close, self.notes = raw.fingerprint, raw.close, raw.notes

    monkeypatch.setattr(image_module, "open_disk", Scratched)
    monkeypatch.setattr(image_module.RetryReader.__init__, "__defaults__", (image_module.NARROW, None))
    store = opened(path)
    (ref,) = store.files()
    assert isinstance(ref, FileRef)
    with store.open(ref) as reader:
        salvage = Salvage(reader)
        read = b"".join(chunks(salvage))
    assert [len(span) <= 4096 and span.start <= 500_000 < span.end for span in salvage.lost] == [True]
    (lost,) = salvage.lost
    assert (read[: lost.start], read[lost.end :]) == (BIG[: lost.start], BIG[lost.end :])


def test_a_volume_without_files_is_a_problem(disks: Disks, ext4_image: Image) -> None:
    strange = disks.new("strange")
    strange.write_bytes(some_bytes(9, 2 << 20))
    blank = disks.empty("blank", 1 << 20)
    image = disks.disk([strange, ext4_image({b"a": SMALL}), blank])
    problem, ref = listed(image)
    assert isinstance(problem, Problem)
    assert problem.item.endswith(":volume-1")
    assert isinstance(ref, FileRef)
    assert ref.path == b"a"  # the only file system: no prefix


def test_a_forged_locator_is_refused(ext4_image: Image) -> None:
    image = ext4_image({b"a": SMALL})
    (ref,) = refs(image)
    for locator in ("", "x", "1:2", "0:0:0:0", "7:12:1:0", "0:99999999:1:0", "0:-1:1:0", f"0:{1 << 70}:1:0"):
        forged = FileRef(source=ref.source, path=ref.path, size=ref.size, locator=locator)
        with pytest.raises((EvidenceChangedError, OSError)), opened(image).open(forged):
            pass


# Containers


def test_segments_are_read_as_one(fat_image: Image, tmp_path: Path) -> None:
    whole = fat_image({b"big": BIG, b"a": SMALL}).read_bytes()
    for number, start in enumerate(range(0, len(whole), 5_000_000), 1):
        (tmp_path / f"disk.{number:03}").write_bytes(whole[start : start + 5_000_000])
    image = tmp_path / "disk.001"
    assert {ref.path: content(image, ref) for ref in refs(image)} == {b"big": BIG, b"a": SMALL}
    (tmp_path / "disk.003").unlink()
    found = listed(image)
    assert [each.item for each in found if isinstance(each, Problem)] == ["disk.001:disk.004"]


@pytest.mark.timeout(60)
def test_a_64_gib_sparse_image_opens_at_once(disks: Disks) -> None:
    small = disks.ext4({b"a": SMALL})
    image = disks.disk([small])
    os.truncate(image, 64 << 30)
    assert [ref.path for ref in refs(image)] == [b"a"]


def test_a_block_device_is_an_image(ext4_image: Image) -> None:
    image = ext4_image({b"a": SMALL})
    with looped(image) as device:
        store = opened(Path(device))
        assert store.source.kind == "image"
        assert store.fingerprint() == opened(Path(device)).fingerprint() != ""
        (ref,) = store.files()
        assert isinstance(ref, FileRef)
        with store.open(ref) as reader:
            assert reader.read_at(0, 100) == SMALL
        store.close()


def test_many_files_in_one_folder_of_an_image(ntfs_image: Image) -> None:
    files = {b"d/%05d" % number: b"" for number in range(3000)}
    assert {ref.path for ref in refs(ntfs_image(files))} == set(files)
