"""Disks that build on others: snapshots, backing files, and what must not be followed."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

import pytest

from tests.evidence.containers.test_containers import content, opened
from tests.fixtures.images import MiB, convert, some_disk
from tests.fixtures.tools import run, tool
from unransom.core.errors import UnreadableError


@pytest.mark.parametrize("kind", ["qcow2", "vmdk"])
def test_snapshots_are_read_with_what_they_build_on(tmp_path: Path, kind: str) -> None:
    raw = some_disk(tmp_path / "raw", 8 * MiB)
    names = [tmp_path / f"{name}.{kind}" for name in ("base", "middle", "top")]
    convert(raw, names[0], kind)
    for lower, upper in itertools.pairwise(names):
        arguments = ["create", "-q", "-f", kind, "-F", kind, "-b", lower.name, upper.name]
        subprocess.run([tool("qemu-img", "qemu-utils"), *arguments], check=True, cwd=tmp_path)
        at = "1M" if upper is names[1] else "1200k"
        run("qemu-utils", "qemu-io", "-f", kind, "-c", f"write -P {ord(upper.name[0])} {at} 300k", upper)
    flat = tmp_path / "flat"
    run("qemu-utils", "qemu-img", "convert", "-O", "raw", names[2], flat)
    disk = opened(names[2])
    assert (content(disk), disk.notes) == (flat.read_bytes(), [])
    names[0].rename(tmp_path / "elsewhere")
    disk = opened(names[2])
    assert [note.name for note in disk.notes] == [names[1].name.encode()]
    assert disk.read_at(1200 << 10, 1000) == b"t" * 1000
    with pytest.raises(UnreadableError):
        disk.read_at(0, 1000)
    (tmp_path / "elsewhere").rename(tmp_path / f"base.{kind}.locked")  # its only companion of that name
    assert content(opened(names[2])) == flat.read_bytes()


@pytest.mark.parametrize(
    ("backing", "kind"),
    [
        ("file:base", "raw"),
        ('json:{"driver":"raw","file":{"driver":"file","filename":"base"}}', "raw"),
        ('json:{"driver":"raw","file.driver":"file","file.filename":"base"}', "raw"),
        ('json:{"driver":"raw","offset":1048576,"file":{"driver":"file","filename":"base"}}', ""),
        ('json:{"driver":"raw","file":[]}', ""),
        ("json:[[", ""),
    ],
)
def test_backing_files_may_be_named_as_programs_do(tmp_path: Path, backing: str, kind: str) -> None:
    raw = some_disk(tmp_path / "base", 4 * MiB)
    image = tmp_path / "top.qcow2"
    given = ("create", "-q", "-u", "-f", "qcow2", "-b", backing, "-F", "raw", image, "4M")
    run("qemu-utils", "qemu-img", *given)
    disk = opened(image)
    if kind:
        assert (content(disk), disk.notes) == (raw.read_bytes(), [])
    else:
        assert len(disk.notes) == 1
        with pytest.raises(UnreadableError):
            disk.read_at(0, 512)


def test_a_snapshot_that_builds_on_itself_ends(tmp_path: Path) -> None:
    image = tmp_path / "loop.qcow2"
    run("qemu-utils", "qemu-img", "create", "-q", "-f", "qcow2", image, "1M")
    run("qemu-utils", "qemu-img", "rebase", "-u", "-F", "qcow2", "-b", "loop.qcow2", image)
    disk = opened(image)
    assert disk.notes
    with pytest.raises(UnreadableError):
        disk.read_at(0, 10)


def test_files_elsewhere_are_never_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret" * 1000)
    (tmp_path / "case").mkdir()
    image = tmp_path / "case" / "disk.vmdk"
    for name in (str(secret), "../secret", "/dev/zero", "..", ""):
        extent = f'RW 8 FLAT "{name}" 0\n'
        image.write_text("# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\n" + extent)
        disk = opened(image)
        with pytest.raises(UnreadableError):
            disk.read_at(0, 10)
