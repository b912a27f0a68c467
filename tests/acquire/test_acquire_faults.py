"""Sources and targets that fail, through the command line: what is said and what comes of it."""

from __future__ import annotations

import errno
import hashlib
import json
import mmap
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.disks import looped
from tests.fixtures.tools import run
from unransom.acquire.careful import Careful
from unransom.acquire.records import TargetError
from unransom.acquire.rescue_map import RescueMap, Status
from unransom.case.case import IMAGES, Case
from unransom.core.errors import UsageError
from unransom.core.spans import Span, merge
from unransom.evidence import descriptors
from unransom.evidence.containers import open_disk
from unransom.evidence.descriptors import DescriptorReader, open_quietly
from unransom.evidence.presence import SourceGoneError

MiB = 1 << 20
FORMATS = ("zstd", "raw")
# The command line, on a source that fails as the first argument says.
FAILING = """
import contextlib, json, sys
from unransom.acquire import step
from unransom.core.errors import UnreadableError
from unransom.evidence.descriptors import DescriptorReader, open_quietly
from unransom.evidence.wrap.faulty import Bad, Faults, FaultyReader

told = json.loads(sys.argv.pop(1))

class Vanishing:
    def __init__(self, reader):
        self.reader, self.size, self.left = reader, reader.size, told["reads"]
    def read_at(self, offset, length):
        self.left -= 1
        if self.left < 0:
            raise UnreadableError(offset, length, "no such device")
        return self.reader.read_at(offset, length)

@contextlib.contextmanager
def opened(job):
    with DescriptorReader(open_quietly(job.source.encode())) as reader:
        bad = tuple(Bad(at, at + 1, times) for at, times in told.get("bad", ()))
        failing = FaultyReader(reader, Faults(bad, told.get("longest"), told.get("delay", 0.0)))
        yield step.Opened(Vanishing(failing) if "reads" in told else failing, {})

step.opened = opened
from unransom.cli import main
main()
"""


def unransom(
    *arguments: object, faults: str = "", folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    start = ["-c", FAILING, faults] if faults else ["-m", "unransom"]
    command = [sys.executable, *start, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=folder)


def disk_in(image: Path) -> bytes:
    disk = open_disk(os.fsencode(image))
    try:
        return disk.read_at(0, disk.size)
    finally:
        disk.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "disk"
    path.write_bytes(random.Random(8).randbytes(6 * MiB + 512))
    return path


@pytest.mark.parametrize("form", FORMATS)
def test_sectors_that_fail_are_named_by_the_map(source: Path, tmp_path: Path, form: str) -> None:
    data, image = bytearray(source.read_bytes()), tmp_path / "image"
    sectors = len(data) // 512
    bad = sorted(random.Random(5).sample(range(sectors), sectors // 100))
    now_and_then = next(each for each in range(sectors) if each not in bad)
    faults = [[each * 512 + 5, None] for each in bad] + [[now_and_then * 512, 2]]
    told = str({"bad": faults}).replace("None", "null").replace("'", '"')
    done = unransom("acquire", source, "--out", image, "--format", form, "--retries", 3, faults=told)
    assert done.returncode == 3, done.stderr
    assert f"{len(bad) * 512:,} bytes could not be read; {image}.map names them" in done.stdout
    spans = merge(Span(each * 512, each * 512 + 512) for each in bad)
    assert RescueMap.load(Path(f"{image}.map"), len(data)).spans(Status.BAD) == spans
    for each in bad:
        data[each * 512 : each * 512 + 512] = bytes(512)
    assert f"sha256  {hashlib.sha256(data).hexdigest()}" in done.stdout
    if form == "raw":
        assert image.read_bytes() == data


@pytest.mark.parametrize("form", FORMATS)
def test_a_device_that_vanishes_goes_on_when_it_is_back(source: Path, tmp_path: Path, form: str) -> None:
    image = tmp_path / "image"
    done = unransom("acquire", source, "--out", image, "--format", form, faults='{"reads": 4}')
    assert done.returncode == SourceGoneError.exit_code
    assert "hint:" in done.stderr
    assert "Traceback" not in done.stderr
    assert not image.exists()
    again = unransom("acquire", source, "--out", image, "--format", form)
    assert again.returncode == 0, again.stderr
    assert "bytes were there from an earlier run" in again.stdout
    assert disk_in(image) == source.read_bytes()


PAGE, SECTOR = 4096, 512


def cached_disk(
    path: Path, bad: set[int], monkeypatch: pytest.MonkeyPatch
) -> tuple[DescriptorReader, list[int]]:
    """Return a disk that is read in pages, past the cache in sectors, and what to append to: it goes."""
    gone: list[int] = []

    def preadv(descriptor: int, buffers: list[mmap.mmap], offset: int) -> int:
        length = len(buffers[0])
        if gone or bad & set(range(offset // SECTOR, -(-(offset + length) // SECTOR))):
            raise OSError(errno.EIO, "no such sector")
        buffers[0][:] = real(descriptor, length, offset)
        return length

    def pread(descriptor: int, length: int, offset: int) -> bytes:
        first, last = offset // PAGE, -(-(offset + length) // PAGE)
        sectors = set(range(first * PAGE // SECTOR, last * PAGE // SECTOR))
        if bad & sectors or (gone and last > gone[0]):
            raise OSError(errno.EIO, "no such page")
        return real(descriptor, length, offset)

    real = os.pread
    monkeypatch.setattr(os, "pread", pread)
    monkeypatch.setattr(os, "preadv", preadv)
    monkeypatch.setattr(descriptors, "DIRECT", 0)  # not every file system of a test machine has it
    return DescriptorReader(os.open(path, os.O_RDONLY)), gone


def test_a_sector_takes_no_neighbours_along_that_share_its_page(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, bad = source.read_bytes(), {3, 130, 2000, 2001}
    disk, _ = cached_disk(source, bad, monkeypatch)
    with disk:
        got, lost = Careful(disk).read(0, 2 * MiB)
    assert lost == merge(Span(each * SECTOR, each * SECTOR + SECTOR) for each in sorted(bad))
    for span in lost:
        data = data[: span.start] + bytes(len(span)) + data[span.end :]
    assert got == data[: 2 * MiB]


def test_what_is_in_the_cache_does_not_hide_that_a_device_is_gone(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, gone = cached_disk(source, set(), monkeypatch)
    with disk:
        careful = Careful(disk)
        assert careful.read(0, MiB)[1] == []
        gone.append(MiB // PAGE)  # pages that are in the cache
        with pytest.raises(SourceGoneError):
            careful.read(MiB, MiB)


def test_a_device_is_read_past_the_cache(source: Path) -> None:
    os.truncate(source, 4 * MiB)
    with looped(source) as device, DescriptorReader(open_quietly(os.fsencode(device))) as disk:
        assert disk.read_at(0, 2 * PAGE) == source.read_bytes()[: 2 * PAGE]
        with source.open("r+b") as file:
            file.write(b"\xa5" * PAGE)
        assert disk.read_past_cache(SECTOR, SECTOR) == b"\xa5" * SECTOR
        assert disk.read_past_cache(SECTOR, 7) == b"\xa5" * 7


@pytest.mark.parametrize("form", FORMATS)
def test_a_slow_disk_that_gives_little_at_a_time_is_copied(source: Path, tmp_path: Path, form: str) -> None:
    image, slow = tmp_path / "image", '{"delay": 0.02, "longest": 200000}'
    done = unransom("acquire", source, "--out", image, "--format", form, "--verify", faults=slow)
    assert done.returncode == 0, done.stderr
    assert disk_in(image) == source.read_bytes()


@pytest.mark.parametrize("form", FORMATS)
def test_a_full_disk_is_said_and_with_room_it_goes_on(source: Path, tmp_path: Path, form: str) -> None:
    small = tmp_path / "small"
    small.mkdir()
    run("mount", "mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", small)
    try:
        done = unransom("acquire", source, "--out", small / "image", "--format", form)
        assert done.returncode == TargetError.exit_code
        assert "the disk is full" in done.stderr
        assert "hint: make room and run the same command again" in done.stderr
        run("mount", "mount", "-o", "remount,size=20m", small)
        again = unransom("acquire", source, "--out", small / "image", "--format", form)
        assert again.returncode == 0, again.stderr
        assert disk_in(small / "image") == source.read_bytes()
    finally:
        run("mount", "umount", small)


def test_a_case_on_a_full_disk_is_said_and_with_room_it_goes_on(source: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    run("mount", "mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", small)
    try:
        done = unransom("acquire", source, "--case", small / "case")
        assert done.returncode == TargetError.exit_code
        assert "Traceback" not in done.stderr
        run("mount", "mount", "-o", "remount,size=20m", small)
        assert unransom("acquire", source, "--case", small / "case").returncode == 0
        (image,) = (small / "case/evidence").glob("*.zst")
        assert disk_in(image) == source.read_bytes()
        assert unransom("case", "verify", small / "case").returncode == 0
    finally:
        run("mount", "umount", small)


@pytest.mark.parametrize("form", [*FORMATS, "folder"])
def test_a_case_that_was_not_told_of_its_image_is_told_by_the_next_run(
    source: Path, tmp_path: Path, form: str
) -> None:
    taken = source
    if form == "folder":
        taken = tmp_path / "tree"
        taken.mkdir()
        (taken / "file").write_bytes(b"content")
    options = () if form == "folder" else ("--format", form)
    words = ("acquire", os.path.relpath(taken, tmp_path), "--case", "case", *options)
    done = unransom(*words, "--json", folder=tmp_path)  # a case is named as people do: from where they are
    assert done.returncode == 0, done.stderr
    assert unransom("case", "verify", "case", folder=tmp_path).returncode == 0
    with Case(tmp_path / "case") as case:  # as if it had been killed in front of that
        case.set_fact(IMAGES, "{}")
    again = unransom(*words, "--json", folder=tmp_path)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["digests"] == json.loads(done.stdout)["digests"]
    with Case(tmp_path / "case") as case:
        assert len(json.loads(case.fact(IMAGES))) == (1 if form == "folder" else 2)
    assert unransom("case", "verify", "case", folder=tmp_path).returncode == 0
    assert unransom(*words, folder=tmp_path).returncode == UsageError.exit_code


def test_sources_of_one_name_have_names_of_their_own_in_a_case(tmp_path: Path) -> None:
    for host in ("fs01", "fs02"):
        (tmp_path / host).mkdir()
        (tmp_path / host / "sda").write_bytes(host.encode() * 2048)
        taken = unransom("acquire", f"{host}/sda", "--case", "case", "--name", f"{host}-sda", folder=tmp_path)
        assert taken.returncode == 0, taken.stderr
    assert unransom("case", "verify", "case", folder=tmp_path).returncode == 0
    images = sorted(each.name for each in (tmp_path / "case/evidence").glob("*.zst"))
    assert images == ["fs01-sda.img.zst", "fs02-sda.img.zst"]
    again = unransom("acquire", "fs02/sda", "--case", "case", "--name", "fs01-sda", folder=tmp_path)
    assert again.returncode == UsageError.exit_code
    assert "--name NAME" in again.stderr
    path = unransom("acquire", "fs02/sda", "--case", "case", "--name", "../sda", folder=tmp_path)
    assert path.returncode == UsageError.exit_code
