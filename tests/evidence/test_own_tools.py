"""Trees, deleted entries and free space are what each file system's own tools say that they are."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.disks import Disks, MiB
from tests.fixtures.planted import some_bytes
from tests.fixtures.tools import ENVIRONMENT, tool
from unransom import evidence
from unransom.core.records import FileRef
from unransom.core.spans import Span
from unransom.core.streams import BytesReader
from unransom.evidence.filesystems.fat_map import used_by_exfat, used_by_fat
from unransom.evidence.filesystems.free import free_spans

FILES = {b"a/b/%d.bin" % number: some_bytes(number, number * 7_001) for number in range(1, 30)}
FILES |= {b"top": b"x" * 100, b"gone/one": some_bytes(77, 200_000), b"gone/two": some_bytes(78, 50_000)}
GONE = (b"gone/one", b"gone/two", b"a/b/7.bin")
KEPT = set(FILES) - set(GONE)


def said(package: str, name: str, *arguments: str | Path, accepted: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run(
        [tool(name, package), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )
    assert done.returncode in accepted, done.stderr
    return done.stdout


def number_in(text: str, pattern: str) -> int:
    found = re.search(pattern, text)
    assert found, text
    return int(found.group(1).replace(",", ""))


def free_bytes(image: Path) -> int:
    free = free_spans(BytesReader(image.read_bytes()))
    assert free is not None
    return sum(map(len, free))


def tree(image: Path, *, deleted: bool = False) -> set[bytes]:
    store = evidence.open_store(evidence.identify(str(image)))
    refs = [each for each in store.files() if isinstance(each, FileRef) and not each.stream]
    store.close()
    return {each.path for each in refs if each.deleted == deleted}


def ext_free(image: Path) -> list[Span]:
    """Return the free extents that dumpe2fs prints, in bytes."""
    text = said("e2fsprogs", "dumpe2fs", image)
    block = number_in(text, r"Block size: +(\d+)")
    spans = []
    for line in re.findall(r"^  Free blocks: (.*)$", text, re.MULTILINE):
        for first, last in re.findall(r"(\d+)(?:-(\d+))?", line):
            spans.append(Span(int(first) * block, (int(last or first) + 1) * block))
    return spans


@pytest.mark.parametrize("kind", ["ext2", "ext4"])
def test_ext(disks: Disks, kind: str) -> None:
    image = disks.ext4(FILES, kind=kind, deleted=GONE)
    free = free_spans(BytesReader(image.read_bytes()))
    assert free is not None
    mine = {at // 1024 for span in free for at in range(span.start, span.end, 1024)}
    theirs = {at // 1024 for span in ext_free(image) for at in range(span.start, span.end, 1024)}
    assert mine == theirs
    listed = {
        line.split("/")[5].encode()
        for folder in ("/", "/a/b", "/gone")
        for line in said("e2fsprogs", "debugfs", "-R", f"ls -p {folder}", image).splitlines()
        if re.match(r"/\d+/10", line)
    }
    assert {path.rpartition(b"/")[2] for path in tree(image)} == listed
    assert tree(image) == KEPT


def test_ntfs(disks: Disks) -> None:
    image = disks.ntfs(FILES, deleted=GONE)
    text = said("ntfs-3g", "ntfsinfo", "-m", "-f", image)
    cluster = number_in(text, r"Cluster Size: (\d+)")
    free = free_bytes(image)
    boot = 512  # behind the last cluster
    assert abs(free - boot - number_in(text, r"Free Clusters: (\d+)") * cluster) < cluster
    names = {line.strip().encode() for line in said("ntfs-3g", "ntfsls", "-p", "/a/b", image).splitlines()}
    assert names - {b".", b".."} == {path.rpartition(b"/")[2] for path in KEPT if path.startswith(b"a/b/")}
    lost = said("ntfs-3g", "ntfsundelete", "-f", image, accepted=(0, 1))
    theirs = {line.split()[-1].encode() for line in lost.splitlines() if re.match(r"^\d+ ", line)}
    mine = {path.rpartition(b"/")[2] for path in tree(image, deleted=True)}
    wanted = {path.rpartition(b"/")[2] for path in GONE}
    assert wanted & theirs <= mine
    assert wanted <= mine
    assert tree(image) == KEPT


@pytest.mark.parametrize(("bits", "size"), [(12, 4 * MiB), (16, 16 * MiB), (32, 64 * MiB)])
def test_fat(disks: Disks, bits: int, size: int) -> None:
    image = disks.fat(FILES, size, deleted=GONE, bits=bits)
    text = said("dosfstools", "fsck.fat", "-n", "-v", image)
    used, clusters = re.findall(r"(\d+)/(\d+) clusters", text)[-1]
    cluster = number_in(text, r"(\d+) bytes per cluster")
    data = number_in(text, r"Data area starts at byte (\d+)")
    behind = size - data - int(clusters) * cluster
    assert free_bytes(image) - behind == (int(clusters) - int(used)) * cluster
    listed = said("mtools", "mdir", "-/", "-b", "-i", image, "::").split()
    assert {each[3:].encode() for each in listed if not each.endswith("/")} == tree(image)
    assert tree(image) == KEPT


def test_exfat(disks: Disks) -> None:
    image = disks.exfat(FILES, deleted=GONE)
    text = said("exfatprogs", "dump.exfat", image)
    cluster, clusters = number_in(text, r"Cluster size:\s+(\d+)"), number_in(text, r"Total Clusters:\s+(\d+)")
    heap = number_in(text, r"Cluster Heap Offset[^:]*:\s+(\d+)")
    sector = 1 << number_in(text, r"Sector Size Bits:\s+(\d+)")
    behind = image.stat().st_size - heap * sector - clusters * cluster
    assert free_bytes(image) - behind == number_in(text, r"Free Clusters:\s+(\d+)") * cluster
    assert tree(image) == KEPT


@pytest.mark.parametrize("options", [(), ("-b", "size=1024")], ids=str)
def test_xfs(disks: Disks, options: tuple[str, ...]) -> None:
    image = disks.xfs({path: content for path, content in FILES.items() if path in KEPT}, 300 * MiB, *options)
    block = number_in(said("xfsprogs", "xfs_db", "-r", "-c", "sb 0", "-c", "p blocksize", image), r"= (\d+)")
    group = number_in(said("xfsprogs", "xfs_db", "-r", "-c", "sb 0", "-c", "p agblocks", image), r"= (\d+)")
    dumped = said("xfsprogs", "xfs_db", "-r", "-c", "freesp -d", image)
    theirs = set()
    for number, first, length in re.findall(r"^ *(\d+) +(\d+) +(\d+)$", dumped, re.MULTILINE):
        start = int(number) * group + int(first)
        theirs |= set(range(start, start + int(length)))
    free = free_spans(BytesReader(image.read_bytes()))
    assert free is not None
    mine = {at // block for span in free for at in range(span.start, span.end, block)}
    assert mine <= theirs
    assert len(theirs - mine) <= 4 * 32  # what the groups keep for trees of their own: xfs_db counts it
    assert tree(image) == KEPT


@settings(max_examples=60, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 511), st.integers(0, 255)), max_size=15))
def test_damaged_heads_of_fat_are_survived(changes: list[tuple[int, int]]) -> None:
    data = bytearray(some_bytes(5, 8192))
    for where, value in changes:
        data[where] = value
    for used in (used_by_fat, used_by_exfat):
        for _, span in zip(range(1000), used(BytesReader(bytes(data)), 0), strict=False):
            assert span.start <= span.end
