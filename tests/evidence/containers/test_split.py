"""Raw images in segments, named by imaging programs and by ``split`` in each of its ways."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fixtures.planted import some_bytes
from tests.fixtures.tools import run
from unransom.core.streams import chunks
from unransom.evidence.containers import open_disk
from unransom.evidence.containers.raw import missing_segments, segments

SIZE = 4096
WAYS = {
    "letters": ((), "aa"),
    "three-letters": (("-a", "3"), "aaa"),
    "digits": (("-d",), "00"),
    "digits-from-one": (("--numeric-suffixes=1", "-a", "3"), "001"),
    "wide-digits": (("-d", "-a", "5"), "00000"),
    "hexadecimal": (("-x", "-a", "3"), "000"),
    "hexadecimal-from-one": (("--hex-suffixes=1",), "01"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("stem", "count"), [("disk.dd.", 2), ("disk.dd.", 40), ("disk", 700)])
def test_segments_of_split(tmp_path: Path, way: str, stem: str, count: int) -> None:
    options, first = WAYS[way]
    if count > 200 and way in {"digits", "hexadecimal-from-one"}:
        count = 95  # both of them in more digits from 90 on, or in as many letters
    raw = tmp_path / "whole"
    raw.write_bytes(some_bytes(1, count * SIZE - 100))
    (tmp_path / "parts").mkdir()
    run("coreutils", "split", "-b", str(SIZE), *options, raw, tmp_path / "parts" / stem)
    path = os.fsencode(tmp_path / "parts" / (stem + first))
    assert len(segments(path)) == count == len(list((tmp_path / "parts").iterdir()))
    disk = open_disk(path)
    assert b"".join(chunks(disk)) == raw.read_bytes()
    assert disk.notes == []
    disk.close()


@pytest.mark.parametrize("stem", ["disk-", "disk.", "shop_"])
def test_segments_with_an_ending_behind_their_numbers(tmp_path: Path, stem: str) -> None:
    raw = tmp_path / "whole"
    raw.write_bytes(some_bytes(1, 12 * SIZE - 100))
    options = ("--numeric-suffixes=1", "-a", "3", "--additional-suffix=.raw")
    run("coreutils", "split", "-b", str(SIZE), *options, raw, tmp_path / stem)
    disk = open_disk(os.fsencode(tmp_path / f"{stem}001.raw"))
    assert b"".join(chunks(disk)) == raw.read_bytes()
    disk.close()
    (tmp_path / f"{stem}007.raw").unlink()
    assert missing_segments(os.fsencode(tmp_path / f"{stem}001.raw"))[0] == f"{stem}008.raw".encode()


def test_disks_of_one_size_with_numbers_are_disks_of_their_own(tmp_path: Path) -> None:
    for number in range(3):
        disk = bytearray(SIZE * 4)
        disk[3:11], disk[510:512] = b"NTFS    ", b"\x55\xaa"
        (tmp_path / f"server-{number:02}.img").write_bytes(disk)
    path = os.fsencode(tmp_path / "server-00.img")
    assert segments(path) == [path]


def test_a_gap_is_said_in_letters_too(tmp_path: Path) -> None:
    for name in ("aa", "ab", "ad", "ae"):
        (tmp_path / f"disk.{name}").write_bytes(bytes(SIZE))
    path = os.fsencode(tmp_path / "disk.aa")
    assert segments(path) == [path, os.fsencode(tmp_path / "disk.ab")]
    assert missing_segments(path) == [b"disk.ad", b"disk.ae"]


def test_names_that_only_look_alike_are_no_segments(tmp_path: Path) -> None:
    for name, size in (("disk00", 5000), ("disk01", 9000), ("disk02", 700), ("Kuwaitaa", 3), ("Kuwaitab", 4)):
        (tmp_path / name).write_bytes(bytes(size))
    for name in ("disk00", "Kuwaitaa"):
        path = os.fsencode(tmp_path / name)
        assert segments(path) == [path]
        assert missing_segments(path) == []


@pytest.mark.parametrize(("form", "kind"), [("qcow", "QCOW 1"), ("qed", "QED"), ("parallels", "Parallels")])
def test_images_of_other_kinds_are_said(tmp_path: Path, form: str, kind: str) -> None:
    image = tmp_path / "disk"
    run("qemu-utils", "qemu-img", "create", "-q", "-f", form, image, "4M")
    disk = open_disk(os.fsencode(image))
    assert [note.what.values for note in disk.notes] == [{"kind": kind}]
    disk.close()
