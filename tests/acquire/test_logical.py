"""Logical images of folders and buckets: what comes back, by our reader and by tar; stops and faults."""

import base64
import contextlib
import errno
import functools
import hashlib
import io
import json
import os
import random
import socket
import subprocess
import sys

import pytest
import zstandard

from tests.fixtures.planted import ODD, PLAIN
from tests.fixtures.tools import run, tool
from unransom.acquire.logical import bucket as bucket_module
from unransom.acquire.logical import collect as collecting
from unransom.acquire.logical import folder as folder_module
from unransom.acquire.logical import step
from unransom.acquire.logical.prepared import Spread
from unransom.acquire.logical.step import acquire
from unransom.acquire.records import TargetError
from unransom.core.errors import EvidenceChangedError, UnreadableError, UsageError
from unransom.core.records import FileRef, Problem
from unransom.core.spans import Span, merge
from unransom.core.streams import BytesReader, Salvage, chunks
from unransom.evidence import identify, open_store
from unransom.evidence.wrap.faulty import Bad, Faults, FaultyReader

HOLED = 5 << 20


@pytest.fixture
def tree(tmp_path):
    """A folder with all that file systems have."""
    folder = tmp_path / "shares"
    for path, content in {**PLAIN, **ODD}.items():
        target = folder / os.fsdecode(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    os.utime(folder / "letter.txt", ns=(1_700_000_000_123_456_789, 1_600_000_000_987_654_321))
    os.setxattr(folder / "letter.txt", "user.Zone.Identifier", b"[ZoneTransfer]\r\nZoneId=3")
    os.link(folder / "accounts/big.bin", folder / "another name")
    (folder / "link").symlink_to("letter.txt")
    os.mkfifo(folder / "pipe")
    with (folder / "holes").open("wb") as file:
        file.seek(1 << 20)
        file.write(b"between holes" * 1000)
        file.truncate(HOLED)
    (folder / "only a hole").touch()
    os.truncate(folder / "only a hole", 1 << 20)
    (folder / "empty folder").mkdir()
    return folder


def read_back(image):
    """Return content by path, and the problems."""
    source = identify(str(image))
    assert source.kind == "collection"
    store = open_store(source)
    files, problems = {}, []
    for each in store.files():
        if isinstance(each, Problem):
            problems.append(each)
        elif each.kind == "file":
            with store.open(each) as reader:
                files[each.path, each.version] = b"".join(chunks(reader))
    store.close()
    return files, problems


def content_of(tree):
    return {
        (os.fsencode(path.relative_to(tree)), ""): path.read_bytes()
        for path in tree.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def test_a_folder_comes_back_byte_for_byte(tree, tmp_path):
    done = acquire(str(tree), tmp_path / "shares.tar.zst")
    assert done.problems == ()
    files, problems = read_back(done.image)
    assert files == content_of(tree)
    assert not problems
    unpacked = zstandard.ZstdDecompressor().stream_reader(
        io.BytesIO((tmp_path / "shares.tar.zst").read_bytes()), read_across_frames=True
    )
    assert hashlib.sha256(unpacked.read()).hexdigest() == done.digests.sha256


def test_processes_prepare_the_same_archive(tree, tmp_path, monkeypatch):
    acquire(str(tree), tmp_path / "first")  # the folders' times of access change with it
    alone = acquire(str(tree), tmp_path / "alone")
    few = functools.partial(collecting.collect, spread=Spread(batch=3, alone=1))
    monkeypatch.setattr(step, "collect", few)
    spread = acquire(str(tree), tmp_path / "spread")
    assert spread.digests == alone.digests
    assert spread.entries == alone.entries > 3 * (os.cpu_count() or 1)


def test_tar_unpacks_it_with_times_links_holes_and_attributes(tree, tmp_path):
    out = tmp_path / "unpacked"
    out.mkdir()
    acquire(str(tree), tmp_path / "shares.tar.zst")
    command = f"{tool('zstd', 'zstd')} -dc shares.tar.zst | tar -x --xattrs --xattrs-include='*' -C unpacked"
    run("tar", "sh", "-c", f"cd '{tmp_path}' && {command}")
    assert {
        path: data for path, data in content_of(out).items() if not path[0].startswith(b".unransom")
    } == content_of(tree)
    letter = out / "letter.txt"
    assert letter.stat().st_mtime_ns == 1_600_000_000_987_654_321
    assert os.getxattr(letter, "user.Zone.Identifier") == b"[ZoneTransfer]\r\nZoneId=3"
    assert (out / "another name").stat().st_ino == (out / "accounts/big.bin").stat().st_ino
    assert (out / "holes").stat().st_blocks * 512 < HOLED // 2
    assert str((out / "link").readlink()) == "letter.txt"
    assert (out / "pipe").is_fifo()
    assert (out / "empty folder").is_dir()


def test_the_manifest_has_digests_times_and_rights(tree, tmp_path):
    acquire(str(tree), tmp_path / "a.tar.zst")
    run("tar", "sh", "-c", f"cd '{tmp_path}' && zstd -dc a.tar.zst | tar -x ./.unransom/manifest.jsonl")
    lines = [json.loads(line) for line in (tmp_path / ".unransom/manifest.jsonl").read_text().splitlines()]
    letter = next(line for line in lines if line["path"] == "letter.txt")
    assert letter["sha256"] == hashlib.sha256(PLAIN[b"letter.txt"]).hexdigest()
    assert letter["modified"] == 1_600_000_000_987_654_321
    assert base64.b64decode(letter["attributes"]["user.Zone.Identifier"]).startswith(b"[Zone")
    assert {line["kind"] for line in lines} >= {"0", "1", "2", "5", "6"}


def test_holes_are_not_stored(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    with (folder / "disk.vmdk").open("wb") as file:
        file.truncate(1 << 40)
    done = acquire(str(folder), tmp_path / "out.tar.zst")
    assert done.digests.size < 100_000
    store = open_store(identify(done.image))
    (ref,) = store.files()
    with store.open(ref) as reader:
        assert reader.size == 1 << 40
        assert reader.read_at((1 << 40) - 10, 20) == bytes(10)
    store.close()


def test_a_run_that_stopped_goes_on(tree, tmp_path, monkeypatch):
    monkeypatch.setattr(collecting, "FLUSH_EVERY", 1 << 20)
    for number in range(20):
        (tree / f"-{number:02}").write_bytes(random.Random(number).randbytes(300_000))
    whole = acquire(str(tree), tmp_path / "whole.tar.zst")
    real, seen = folder_module.walk, []

    def stopping(root):
        for entry in real(root):
            if len(seen) == 15:
                raise KeyboardInterrupt
            seen.append(entry)
            yield entry

    monkeypatch.setattr(folder_module, "walk", stopping)
    out = tmp_path / "shares.tar.zst"
    with pytest.raises(KeyboardInterrupt):
        acquire(str(tree), out)
    assert not out.exists()
    monkeypatch.setattr(folder_module, "walk", real)
    done = acquire(str(tree), out)
    assert done.resumed > 1 << 20
    assert read_back(out)[0] == content_of(tree)
    assert done.entries == whole.entries


def test_kill_9_and_again(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(60):
        (folder / f"{number}.bin").write_bytes(random.Random(number).randbytes(300_000))
    out = tmp_path / "in.tar.zst"
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom unransom.acquire.logical import collect\n"
        "from unransom.acquire.logical.step import acquire\ncollect.FLUSH_EVERY = 1 << 20\n"
        "def stop(event):\n    if event.done > 30: os.kill(os.getpid(), 9)\n"
        "acquire(sys.argv[1], Path(sys.argv[2]), 1, stop)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(folder), str(out)], check=False)
    assert killed.returncode == -9
    with (tmp_path / "in.tar.zst.part").open("r+b") as file:  # the last sectors never reached the disk
        file.seek(-700_000, os.SEEK_END)
        file.write(bytes(700_000))
    done = acquire(str(folder), out)
    assert done.resumed > 5 << 20
    assert read_back(out)[0] == content_of(folder)


def test_a_full_disk_is_an_error_and_with_room_it_goes_on(tree, tmp_path, monkeypatch):
    out = tmp_path / "shares.tar.zst"

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(collecting.Packing, "_drain", full)
        with pytest.raises(TargetError, match="cannot be written"):
            acquire(str(tree), out)
    acquire(str(tree), out)
    assert read_back(out)[0] == content_of(tree)


def test_what_cannot_be_read_is_named_and_the_rest_comes_back(tree, tmp_path, monkeypatch):
    real, whole = folder_module._open, folder_module._whole
    bad = (b"ledger.bin", b"letter.txt")

    class Bad(BytesReader):
        def read_at(self, offset, length):
            if offset <= 8192 < offset + length:
                raise UnreadableError(8192, 512, "a bad sector")
            return super().read_at(offset, length)

    def faulty(place):
        if place.endswith(b"ledger.bin"):
            return _opened(Bad(PLAIN[b"accounts/2026/ledger.bin"]))
        if place.endswith(b"letter.txt"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(place)

    monkeypatch.setattr(folder_module, "_open", faulty)
    monkeypatch.setattr(
        folder_module, "_whole", lambda place, size: None if place.endswith(bad) else whole(place, size)
    )
    done = acquire(str(tree), tmp_path / "a.tar.zst")
    assert {path for path, _ in done.problems} == {"accounts/2026/ledger.bin", "letter.txt"}
    store = open_store(identify(done.image))
    refs = {each.path: each for each in store.files() if isinstance(each, FileRef)}
    with store.open(refs[b"accounts/2026/ledger.bin"]) as reader:
        assert reader.read_at(0, 8192 - 4096) == PLAIN[b"accounts/2026/ledger.bin"][:4096]
        with pytest.raises(UnreadableError):
            reader.read_at(8192, 1)
        assert reader.read_at(20_000, 1000) == PLAIN[b"accounts/2026/ledger.bin"][20_000:21_000]
    with store.open(refs[b"letter.txt"]) as reader, pytest.raises(UnreadableError):
        reader.read_at(0, 1)
    store.close()


def test_of_a_file_the_sectors_that_fail_are_lost_exactly(tmp_path, monkeypatch):
    content = random.Random(9).randbytes(1 << 20)
    sectors = sorted(random.Random(8).sample(range(2048), 20))
    bad = tuple(Bad(at * 512 + 100, at * 512 + 101) for at in sectors)
    (tmp_path / "share").mkdir()
    (tmp_path / "share" / "ledger.bin").write_bytes(content)

    @contextlib.contextmanager
    def opened(descriptor):
        os.close(descriptor)
        yield FaultyReader(BytesReader(content), Faults(bad))

    monkeypatch.setattr(folder_module, "DescriptorReader", opened)
    monkeypatch.setattr(folder_module, "_whole", lambda *_: None)
    done = acquire(str(tmp_path / "share"), tmp_path / "a.tar.zst")
    assert done.problems == (("ledger.bin", f"{20 * 512} bytes"),)
    store = open_store(identify(done.image))
    (ref,) = [each for each in store.files() if isinstance(each, FileRef)]
    with store.open(ref) as reader:
        salvage = Salvage(reader, sector=512)
        read = salvage.read_at(0, ref.size)
    store.close()
    lost = merge([Span(at * 512, at * 512 + 512) for at in sectors])
    assert merge(salvage.lost) == lost
    wanted = bytearray(content)
    for span in lost:
        wanted[span.start : span.end] = bytes(len(span))
    assert read == wanted


def test_a_small_file_is_read_at_once_only_where_it_is_what_was_listed(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    place = os.fsencode(path)
    assert folder_module._whole(place, 5) == b"12345"
    assert folder_module._whole(place, 4) is None  # it has grown
    assert folder_module._whole(place, 6) is None
    assert folder_module._whole(place + b"?", 5) is None

    def failing(descriptor, size):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(folder_module.os, "read", failing)
    assert folder_module._whole(place, 5) is None


def _opened(reader):
    return contextlib.nullcontext(reader)


def test_an_image_is_not_made_in_its_own_folder_nor_over_another(tree, tmp_path):
    with pytest.raises(UsageError):
        acquire(str(tree), tree / "image.tar.zst")
    (tmp_path / "there").touch()
    with pytest.raises(UsageError):
        acquire(str(tree), tmp_path / "there")


def test_a_changed_image_is_refused(tree, tmp_path):
    done = acquire(str(tree), tmp_path / "a.tar.zst")
    store = open_store(identify(done.image))
    ref = next(each for each in store.files() if each.size)
    os.utime(done.image, ns=(1, 1))
    with pytest.raises(EvidenceChangedError), store.open(ref):
        pass
    store.close()


def test_damaged_manifests_break_nothing(tree, tmp_path):
    from unransom.evidence.stores.collection import StoredFile

    draw = random.Random(3)
    archive = BytesReader(b"x" * 4096)
    for _ in range(300):
        line = {"size": draw.randrange(-5, 9000), "at": draw.randrange(-5, 9000)}
        line["segments"] = [
            [draw.randrange(-5, 9000), draw.randrange(-5, 9000)] for _ in range(draw.randrange(3))
        ]
        line["lost"] = [[draw.randrange(9000), draw.randrange(9000)] for _ in range(draw.randrange(2))]
        try:
            reader = StoredFile(archive, line)
            reader.read_at(0, 9000)
        except (ValueError, UnreadableError):
            continue


def test_a_bucket_is_taken_with_versions_marks_and_metadata(s3_environment, tmp_path):
    writer = s3_environment.writer
    name = s3_environment.new_bucket({b"a/ledger.db": b"one"}, versioned=True)
    writer.put_object(
        Bucket=name, Key="a/ledger.db", Body=b"two", ContentType="text/x-ledger", Metadata={"shop": "7"}
    )
    writer.put_object(Bucket=name, Key="gone.txt", Body=b"still here")
    writer.delete_object(Bucket=name, Key="gone.txt")
    done = acquire(f"s3://{name}", tmp_path / "bucket.tar.zst")
    assert done.problems == ()
    files, _ = read_back(done.image)
    assert sorted((path, bool(version), data) for (path, version), data in files.items()) == [
        (b"a/ledger.db", False, b"two"),
        (b"a/ledger.db", True, b"one"),
        (b"gone.txt", True, b"still here"),
    ]
    run("tar", "sh", "-c", f"cd '{tmp_path}' && zstd -dc bucket.tar.zst | tar -x")
    lines = [json.loads(line) for line in (tmp_path / ".unransom/manifest.jsonl").read_text().splitlines()]
    current = next(line for line in lines if line["path"] == "a/ledger.db" and not line.get("version"))
    assert current["metadata"]["ContentType"] == "text/x-ledger"
    assert current["metadata"]["x-amz-meta-shop"] == "7"
    assert [line["path"] for line in lines if line["kind"] == "D"] == ["gone.txt"]
    assert (tmp_path / "a/ledger.db").read_bytes() == b"two"


def test_an_object_that_is_replaced_while_the_bucket_is_taken_is_named(s3_environment, tmp_path, monkeypatch):
    files = {b"ledger": b"12345", b"large": bytes(3 << 20), b"other": b"as it was"}
    name = s3_environment.new_bucket(files)
    real = bucket_module.walk

    def walk(store):
        listed = list(real(store))
        for key in ("ledger", "large"):
            s3_environment.writer.put_object(Bucket=name, Key=key, Body=b"54321")
        yield from listed

    monkeypatch.setattr(bucket_module, "walk", walk)
    done = acquire(f"s3://{name}", tmp_path / "bucket.image")
    assert sorted(item for item, _ in done.problems) == ["large", "ledger"]
    assert done.entries == 3
    with contextlib.closing(open_store(identify(done.image))) as store:
        (other,) = (each for each in store.files() if isinstance(each, FileRef) and each.path == b"other")
        with store.open(other) as reader:
            assert b"".join(chunks(reader)) == b"as it was"


def test_sockets_do_no_harm(tmp_path):
    (tmp_path / "in").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "in/socket"))
        assert acquire(str(tmp_path / "in"), tmp_path / "a.tar.zst").problems == ()
