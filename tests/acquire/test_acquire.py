"""Images end byte-equal to their source but for what cannot be read, whatever happens on the way."""

from __future__ import annotations

import hashlib
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from blake3 import blake3

from tests.fixtures.disks import looped
from tests.fixtures.images import KINDS, MiB, some_disk
from tests.fixtures.tools import ENVIRONMENT, run, tool
from unransom import evidence
from unransom.acquire.careful import Careful
from unransom.acquire.mounts import written_mounts
from unransom.acquire.records import Acquired, Job, TargetError
from unransom.acquire.rescue_map import RescueMap, Status
from unransom.acquire.step import Opened, acquire, copy
from unransom.core.errors import UnreadableError, UsageError, VerificationError
from unransom.core.spans import Span, merge
from unransom.core.streams import BytesReader, Reader, chunks
from unransom.evidence.containers import open_disk
from unransom.evidence.presence import SourceGoneError
from unransom.evidence.stores.image import ImageStore
from unransom.evidence.wrap.faulty import Bad, Faults, FaultyReader

FORMATS = (True, False)  # packed


def job_of(source: Path, out: Path, packed: bool, **more: object) -> Job:
    return Job(source=str(source), out=out, packed=packed, **more)  # type: ignore[arg-type]


def acquired(reader: Reader, out: Path, packed: bool, retries: int = 0) -> Acquired:
    job = Job(source="a source", out=out, packed=packed, retries=retries)
    return copy(job, Opened(reader, {}), Careful(reader, 512, retries))


def disk_in(image: Path) -> bytes:
    disk = open_disk(os.fsencode(image))
    try:
        return b"".join(chunks(disk))
    finally:
        disk.close()


@pytest.mark.parametrize("packed", FORMATS)
@pytest.mark.parametrize("size", [0, 1, 511, MiB, 5 * MiB + 777])
def test_an_image_is_the_source_and_its_digests_are_right(tmp_path: Path, packed: bool, size: int) -> None:
    data = random.Random(size).randbytes(size // 2) + bytes(size - size // 2)
    source = tmp_path / "source"
    source.write_bytes(data)
    done = acquire(job_of(source, tmp_path / "image", packed, verify=True))
    assert done.digests.size == size
    assert done.digests.md5 == hashlib.md5(data).hexdigest()
    assert done.digests.sha256 == hashlib.sha256(data).hexdigest()
    assert done.digests.blake3 == blake3(data).hexdigest()
    assert disk_in(tmp_path / "image") == data
    assert (done.lost, done.verified) == ((), True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image", "image.map", "source"]


def test_the_packed_image_is_a_file_that_zstd_unpacks(tmp_path: Path) -> None:
    source = some_disk(tmp_path / "source", 6 * MiB)
    acquire(job_of(source, tmp_path / "image", packed=True))
    run("zstd", "zstd", "-q", "-d", tmp_path / "image", "-o", tmp_path / "unpacked")
    assert (tmp_path / "unpacked").read_bytes() == source.read_bytes()


def test_holes_are_neither_read_nor_kept(tmp_path: Path) -> None:
    source = tmp_path / "source"
    with source.open("wb") as file:
        file.truncate(300 * MiB)
        file.seek(200 * MiB)
        file.write(b"data")
    for packed in FORMATS:
        image = tmp_path / f"image-{packed}"
        acquire(job_of(source, image, packed))
        assert image.stat().st_blocks * 512 < 2 * MiB
    disk = open_disk(os.fsencode(tmp_path / "image-True"))
    assert list(disk.extents()) == [Span(200 * MiB, 201 * MiB)]


def test_the_image_of_a_disk_is_read_like_any_other(tmp_path: Path, ext4_image) -> None:
    files = {b"a/b": b"content" * 1000}
    acquire(job_of(ext4_image(files), tmp_path / "image", packed=True))
    store = evidence.open_store(evidence.identify(str(tmp_path / "image")))
    assert isinstance(store, ImageStore)
    (ref,) = store.files()
    with store.open(ref) as reader:
        assert reader.read_at(0, reader.size) == files[b"a/b"]


def test_a_device_is_copied(tmp_path: Path) -> None:
    source = some_disk(tmp_path / "source", 4 * MiB)
    with looped(source) as device:
        acquire(job_of(Path(device), tmp_path / "image", packed=True))
    assert disk_in(tmp_path / "image") == source.read_bytes()


def test_the_disk_in_an_image_is_compared_with_the_digests_of_the_image(tmp_path: Path) -> None:
    (kind,) = (kind for kind in KINDS if kind.name == "ewf-fast")
    raw = some_disk(tmp_path / "raw", 4 * MiB)
    kind.make(raw, tmp_path / kind.file)
    done = acquire(job_of(tmp_path / kind.file, tmp_path / "image", packed=False, unwrap=True))
    assert done.stored == {"md5": hashlib.md5(raw.read_bytes()).hexdigest()}
    assert done.agrees
    assert (tmp_path / "image").read_bytes() == raw.read_bytes()


def test_what_is_wrong_with_the_image_that_the_disk_was_in_is_told(tmp_path: Path) -> None:
    raw = some_disk(tmp_path / "raw", 4 * MiB)
    run("qemu-utils", "qemu-img", "convert", "-O", "qed", raw, tmp_path / "disk.qed")
    unransom = str(Path(sys.executable).with_name("unransom"))
    command = [unransom, "acquire", str(tmp_path / "disk.qed"), "--unwrap", "--case", str(tmp_path / "case")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "disk.qed: it is an image of the kind QED" in done.stdout) == (3, True)
    assert "an image of the kind QED" in (tmp_path / "case/chain.jsonl").read_text()


# Faults


@pytest.mark.parametrize("packed", FORMATS)
def test_unreadable_sectors_are_named_exactly_and_all_else_is_equal(tmp_path: Path, packed: bool) -> None:
    data = random.Random(4).randbytes(4 * MiB + 512)
    sectors = len(data) // 512
    bad = sorted(random.Random(5).sample(range(sectors), sectors // 100))
    faults = Faults(bad=tuple(Bad(each * 512 + 5, each * 512 + 6) for each in bad))
    done = acquired(FaultyReader(BytesReader(data), faults), tmp_path / "image", packed)
    wanted = bytearray(data)
    for each in bad:
        wanted[each * 512 : each * 512 + 512] = bytes(512)
    spans = merge(Span(each * 512, each * 512 + 512) for each in bad)
    assert list(done.lost) == spans
    assert done.digests.sha256 == hashlib.sha256(wanted).hexdigest()
    assert RescueMap.load(Path(done.map), len(data)).spans(Status.BAD) == spans
    disk = open_disk(os.fsencode(tmp_path / "image"))
    for number in range(0, sectors, 7):
        if number in bad and packed:  # our own image knows what is missing; a raw one cannot
            with pytest.raises(UnreadableError):
                disk.read_at(number * 512, 512)
        else:
            assert disk.read_at(number * 512, 512) == wanted[number * 512 : number * 512 + 512]


@pytest.mark.parametrize("packed", FORMATS)
def test_a_sector_that_fails_now_and_then_is_tried_again(tmp_path: Path, packed: bool) -> None:
    data = random.Random(6).randbytes(MiB)
    faults = Faults(bad=(Bad(70_000, 70_001, times=4),))
    done = acquired(FaultyReader(BytesReader(data), faults), tmp_path / "image", packed, retries=3)
    assert done.lost == ()
    assert disk_in(tmp_path / "image") == data


class Vanishing:
    """A source that is gone after some reads, until it is brought back."""

    def __init__(self, data: bytes, reads: int) -> None:
        self._data = data
        self.size = len(data)
        self.reads = reads

    def read_at(self, offset: int, length: int) -> bytes:
        self.reads -= 1
        if self.reads < 0:
            raise UnreadableError(offset, length, "no such device")
        return self._data[offset : offset + length]


@pytest.mark.parametrize("packed", FORMATS)
def test_a_source_that_vanishes_is_said_and_goes_on_when_it_is_back(tmp_path: Path, packed: bool) -> None:
    data = random.Random(7).randbytes(10 * MiB)
    with pytest.raises(SourceGoneError):
        acquired(Vanishing(data, 5), tmp_path / "image", packed)
    assert not (tmp_path / "image").exists()
    done = acquired(BytesReader(data), tmp_path / "image", packed)
    assert done.lost == ()
    assert done.digests.md5 == hashlib.md5(data).hexdigest()
    assert disk_in(tmp_path / "image") == data


@pytest.mark.parametrize("packed", FORMATS)
def test_a_full_disk_is_said_and_goes_on_when_there_is_room(tmp_path: Path, packed: bool) -> None:
    data = random.Random(8).randbytes(6 * MiB)
    source = tmp_path / "source"
    source.write_bytes(data)
    small = tmp_path / "small"
    small.mkdir()
    run("mount", "mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", small)
    try:
        with pytest.raises(TargetError, match="cannot be written"):
            acquire(job_of(source, small / "image", packed))
        run("mount", "mount", "-o", "remount,size=20m", small)
        done = acquire(job_of(source, small / "image", packed))
        assert disk_in(small / "image") == data
        assert done.digests.md5 == hashlib.md5(data).hexdigest()
    finally:
        run("mount", "umount", small)


SLOWLY = """
import sys
from pathlib import Path
from unransom.acquire import progress, step
from unransom.acquire.careful import Careful
from unransom.acquire.records import Job
from unransom.evidence.descriptors import DescriptorReader, open_quietly
from unransom.evidence.wrap.faulty import Faults, FaultyReader
progress.SAVE_EVERY = 0.05
job = Job(source=sys.argv[1], out=Path(sys.argv[2]), packed=sys.argv[3] == "True")
reader = FaultyReader(DescriptorReader(open_quietly(sys.argv[1].encode())), Faults(delay=0.03))
step.copy(job, step.Opened(reader, {}), Careful(reader))
"""


@pytest.mark.parametrize("packed", FORMATS)
def test_killed_it_goes_on_behind_the_last_chunk_that_is_whole(tmp_path: Path, packed: bool) -> None:
    data = random.Random(9).randbytes(40 * MiB)
    source, image = tmp_path / "source", tmp_path / "image"
    source.write_bytes(data)
    child = subprocess.Popen([sys.executable, "-c", SLOWLY, str(source), str(image), str(packed)])
    part = tmp_path / ("image.zst.part.map" if packed else "image.raw.part.map")
    deadline = time.monotonic() + 60
    while not part.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert not image.exists()
    torn = tmp_path / ("image.zst.part" if packed else "image.raw.part")
    if packed:
        with torn.open("ab") as file:  # what a machine that lost power may leave
            file.write(b"half a frame")
    done = acquire(job_of(source, image, packed))
    assert 0 < done.resumed < len(data)
    assert done.digests.sha256 == hashlib.sha256(data).hexdigest()
    assert disk_in(image) == data


def test_what_was_written_is_checked_before_it_is_gone_on_from(tmp_path: Path) -> None:
    data = random.Random(10).randbytes(8 * MiB)
    with pytest.raises(SourceGoneError):
        acquired(Vanishing(data, 7), tmp_path / "image", packed=True)
    part = tmp_path / "image.zst.part"
    part.with_name(part.name + ".map").write_text("0x0 + 1\n0x0 0x800000 +\n")  # it says that all is there
    written = bytearray(part.read_bytes())
    assert len(written) > 3 * MiB
    written[2 * MiB] ^= 1
    part.write_bytes(written)
    done = acquired(BytesReader(data), tmp_path / "image", packed=True)
    assert done.resumed < 3 * MiB
    assert disk_in(tmp_path / "image") == data


def test_a_changed_bit_in_an_image_is_never_passed_on(tmp_path: Path) -> None:
    data = random.Random(11).randbytes(3 * MiB)
    acquired(BytesReader(data), tmp_path / "image", packed=True)
    changed = bytearray((tmp_path / "image").read_bytes())
    changed[1_500_000] ^= 4
    (tmp_path / "image").write_bytes(changed)
    disk = open_disk(os.fsencode(tmp_path / "image"))
    with pytest.raises(UnreadableError):
        disk.read_at(MiB, MiB)
    assert disk.read_at(0, MiB) == data[:MiB]


def test_verifying_finds_what_was_written_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = some_disk(tmp_path / "source", 2 * MiB)
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, at: real(file, bytes(data)[:-1] + b"?", at))
    with pytest.raises(VerificationError):
        acquire(job_of(source, tmp_path / "image", packed=False, verify=True))


# What is refused


def test_an_image_is_never_written_over(tmp_path: Path) -> None:
    source = some_disk(tmp_path / "source", MiB)
    (tmp_path / "image").write_bytes(b"another")
    with pytest.raises(UsageError):
        acquire(job_of(source, tmp_path / "image", packed=True))
    with pytest.raises(SourceGoneError):
        acquired(Vanishing(bytes(3 * MiB), 1), tmp_path / "other", packed=True)
    with pytest.raises(UsageError, match="another source"):
        acquire(job_of(source, tmp_path / "other", packed=True))


def test_a_device_that_is_mounted_to_be_written_is_refused(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with disk.open("wb") as file:
        file.truncate(16 * MiB)
    run("e2fsprogs", "mkfs.ext4", "-q", "-F", disk)
    mount = tmp_path / "mount"
    mount.mkdir()
    with looped(disk) as device:
        assert written_mounts(device.encode()) == []
        run("mount", "mount", device, mount)
        try:
            assert written_mounts(device.encode()) == [str(mount)]
            with pytest.raises(UsageError, match="mounted"):
                acquire(job_of(Path(device), tmp_path / "image", packed=True))
            acquire(job_of(Path(device), tmp_path / "image", packed=True, mounted=True))
            run("mount", "mount", "-o", "remount,ro", mount)
            assert written_mounts(device.encode()) == []
        finally:
            run("mount", "umount", mount)


# The command


def test_the_command(tmp_path: Path) -> None:
    source = some_disk(tmp_path / "source", 2 * MiB)
    unransom = Path(sys.executable).with_name("unransom")
    command = [str(unransom), "acquire", str(source), "--out", str(tmp_path / "image"), "--verify"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert hashlib.sha256(source.read_bytes()).hexdigest() in done.stdout


# The map


def test_ddrescue_and_we_read_each_others_maps(tmp_path: Path) -> None:
    chart = RescueMap(10 * MiB)
    chart.mark(Span(0, MiB), Status.DONE)
    chart.mark(Span(MiB, MiB + 512), Status.BAD)
    chart.mark(Span(5 * MiB, 6 * MiB), Status.UNTRIMMED)
    ours, theirs = tmp_path / "ours.map", tmp_path / "theirs.map"
    chart.save(ours)
    assert list(RescueMap.load(ours, 10 * MiB)) == list(chart)
    logic = [tool("ddrescuelog", "gddrescue"), "-l", "-", "-b", "512", str(ours)]
    listed = subprocess.run(logic, check=True, capture_output=True, text=True, env=ENVIRONMENT).stdout
    assert listed.split() == ["2048"]
    source = some_disk(tmp_path / "source", 2 * MiB)
    run("gddrescue", "ddrescue", "-q", "-s", "1M", source, tmp_path / "image.raw.part", theirs)
    theirs.rename(tmp_path / "image.raw.part.map")
    done = acquire(job_of(source, tmp_path / "image", packed=False))
    assert done.resumed == 1000000 // 512 * 512 or done.resumed in (MiB, 1000000)
    assert (tmp_path / "image").read_bytes() == source.read_bytes()


def test_no_map_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "x.map").write_text("not a map\nat all\nreally\n")
    with pytest.raises(UsageError):
        RescueMap.load(tmp_path / "x.map", 100)


def test_marking_keeps_every_byte_once() -> None:
    source = random.Random(3)
    chart, plain = RescueMap(500), ["?"] * 500
    for _ in range(2000):
        start = source.randrange(500)
        span = Span(start, source.randrange(start, 520))
        status = source.choice(list(Status))
        chart.mark(span, status)
        plain[span.start : min(span.end, 500)] = [str(status)] * (min(span.end, 500) - span.start)
        runs = list(chart)
        assert "".join(str(status) * len(each) for each, status in runs) == "".join(plain)
        assert all(one[1] is not two[1] for one, two in itertools.pairwise(runs))
