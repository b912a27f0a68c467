"""Trees, deleted entries and free space are what each file system's own tools say that they are."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.disks import Disks, MiB, remove, write_tree
from tests.fixtures.planted import some_bytes
from tests.fixtures.tools import ENVIRONMENT, run, tool
from unransom import evidence
from unransom.core.outputs import FileReader
from unransom.core.records import FileRef
from unransom.core.spans import Span
from unransom.core.streams import BytesReader
from unransom.evidence.filesystems.fat_map import used_by_exfat, used_by_fat
from unransom.evidence.filesystems.free import free_spans
from unransom.evidence.filesystems.residue import remnants

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


def contents(image: Path) -> dict[bytes, bytes]:
    store = evidence.open_store(evidence.identify(str(image)))
    found = {}
    for ref in store.files():
        assert isinstance(ref, FileRef), ref
        if not ref.deleted:
            with store.open(ref) as reader:
                found[ref.path] = reader.read_at(0, reader.size)
    store.close()
    return found


def ext_free(image: Path) -> list[Span]:
    """Return the free extents that dumpe2fs prints, in bytes."""
    text = said("e2fsprogs", "dumpe2fs", image)
    block = number_in(text, r"Block size: +(\d+)")
    cluster = number_in(text, r"Cluster size: +(\d+)") if "Cluster size" in text else block
    spans = []
    for line in re.findall(r"^  Free blocks: (.*)$", text, re.MULTILINE):
        for first, last in re.findall(r"(\d+)(?:-(\d+))?", line):
            # of the last cluster, the first block is printed
            spans.append(Span(int(first) * block, int(last or first) * block + cluster))
    return spans


EXT = {
    "ext2": ("ext2", ()),
    "ext4": ("ext4", ()),
    "clusters": ("ext4", ("-O", "bigalloc", "-C", "16384")),
    "large-blocks-in-clusters": ("ext4", ("-O", "bigalloc", "-b", "4096", "-C", "65536")),
    "scattered-descriptors": ("ext4", ("-O", "meta_bg,^resize_inode", "-b", "1024", "-g", "1024")),
    "scattered-with-clusters": ("ext4", ("-O", "meta_bg,^resize_inode,bigalloc", "-g", "8192")),
    "in-inodes": ("ext4", ("-O", "inline_data", "-I", "256")),
    "in-large-inodes": ("ext4", ("-O", "inline_data", "-I", "1024", "-b", "4096")),
    "groups-by-themselves": ("ext4", ("-O", "^flex_bg", "-g", "2048", "-b", "1024")),
    "two-copies": ("ext4", ("-O", "sparse_super2", "-g", "2048", "-b", "1024")),
    "all-copies": (
        "ext4",
        ("-O", "^sparse_super,^resize_inode,^metadata_csum,uninit_bg", "-g", "2048", "-b", "1024"),
    ),
}


@pytest.mark.parametrize("name", EXT)
def test_ext(disks: Disks, name: str) -> None:
    kind, options = EXT[name]
    image = disks.ext4(FILES, 48 * MiB, kind=kind, deleted=GONE, options=options)
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
    assert contents(image) == {path: FILES[path] for path in KEPT}
    kept = {b"a/b/7.bin"} if "in-" in name else set(GONE)  # debugfs clears the last name of a small folder
    assert kept <= tree(image, deleted=True) <= set(GONE)


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


@pytest.mark.parametrize("cluster", [131_072, 1_048_576])
def test_ntfs_with_large_clusters(disks: Disks, cluster: int) -> None:
    image = disks.empty("large.img", 400 * MiB)
    place = ("-p", "0", "-H", "255", "-S", "63", "-s", "512")
    run("ntfs-3g", "mkfs.ntfs", "-q", "-F", "-Q", "-c", str(cluster), *place, image)
    with disks.mounted_ntfs(image) as mount:
        write_tree(mount, FILES)
        remove(mount, GONE)
    assert contents(image) == {path: FILES[path] for path in KEPT}
    assert tree(image, deleted=True) >= set(GONE)
    text = said("ntfs-3g", "ntfsinfo", "-m", "-f", image)
    with FileReader(image) as reader:
        free = free_spans(reader)
    assert free is not None
    assert abs(sum(map(len, free)) - number_in(text, r"Free Clusters: (\d+)") * cluster) <= cluster


def packed_ntfs(disks: Disks, files: dict[bytes, bytes]) -> Path:
    """Make NTFS whose files are compressed, or have holes, as ntfs-3g writes them."""
    image = disks.empty("packed.img", 32 * MiB)
    run(
        "ntfs-3g",
        "mkfs.ntfs",
        "-q",
        "-F",
        "-Q",
        "-c",
        "4096",
        "-s",
        "512",
        "-p",
        "0",
        "-H",
        "255",
        "-S",
        "63",
        image,
    )
    with disks.mounted_ntfs(image, "compression") as mount:
        (mount / "packed").mkdir()
        os.setxattr(mount / "packed", "system.ntfs_attrib_be", (0x800).to_bytes(4, "big"))
        for path, content in files.items():
            (mount / path.decode()).write_bytes(content)
        with (mount / "holes").open("wb") as file:
            file.truncate(5 * MiB)
            for at in (1 * MiB + 100, 4 * MiB):
                file.seek(at)
                file.write(some_bytes(at, 70_000))
        with (mount / "packed/grown").open("ab") as file:  # compressed in turns
            for number in range(40):
                file.write(b"line %d of a log that grows\n" % number * 200)
    with disks.mounted_ntfs(image, "streams_interface=windows") as mount:
        Path(f"{mount / 'packed/text'}:Zone.Identifier").write_bytes(b"[ZoneTransfer]\r\nZoneId=3\r\n")
        Path(f"{mount / 'packed/text'}:large").write_bytes(b"a stream " * 30_000)
    return image


def test_compressed_files_holes_and_streams_of_ntfs_are_as_ntfscat_reads_them(disks: Disks) -> None:
    files = {
        b"packed/text": b"".join(b"row %06d; lamp; 12.50\n" % number for number in range(30_000)),
        b"packed/noise": some_bytes(9, 300_001),
        b"packed/zeros": bytes(400_000),
        b"packed/mixed": some_bytes(10, 65_536) + bytes(65_536) + b"ab" * 60_000 + some_bytes(11, 5_000),
        b"packed/short": b"resident",
        b"packed/odd": b"x" * 65_537,
    }
    image = packed_ntfs(disks, files)
    for path in ("/packed/text", "/packed/mixed"):
        assert "COMPRESSED" in said("ntfs-3g", "ntfsinfo", "-v", "-F", path, image)
    store = evidence.open_store(evidence.identify(str(image)))
    seen = {}
    for ref in store.files():
        assert isinstance(ref, FileRef), ref
        if ref.deleted:
            continue
        name = ["-n", ref.stream] if ref.stream else []
        command = [tool("ntfscat", "ntfs-3g"), "-f", *name, str(image), "/" + ref.path.decode()]
        wanted = subprocess.run(command, capture_output=True, check=True, env=ENVIRONMENT).stdout
        with store.open(ref) as reader:
            seen[ref.path, ref.stream] = reader.read_at(0, reader.size)
            assert seen[ref.path, ref.stream] == wanted
            at = max(0, reader.size - 70_000)
            assert reader.read_at(at, 50_000) == wanted[at : at + 50_000]
    store.close()
    assert {key: seen[key, ""] for key in files} == files
    assert seen[b"packed/text", "large"] == b"a stream " * 30_000
    assert len(seen[b"holes", ""]) == 5 * MiB
    text = said("ntfs-3g", "ntfsinfo", "-m", "-f", image)
    free = number_in(text, r"Free Clusters: (\d+)") * number_in(text, r"Cluster Size: (\d+)")
    assert abs(free_bytes(image) - 512 - free) <= 4096


def test_deleted_files_of_ntfs_are_what_ntfsundelete_brings_back(disks: Disks) -> None:
    image = disks.ntfs(FILES, deleted=GONE)
    folder = disks.new("back")
    folder.mkdir()
    store = evidence.open_store(evidence.identify(str(image)))
    deleted = [ref for ref in store.files() if isinstance(ref, FileRef) and ref.deleted]
    assert {ref.path for ref in deleted} >= set(GONE)
    for ref in deleted:
        number = ref.locator.split(":")[1]
        said(
            "ntfs-3g",
            "ntfsundelete",
            "-f",
            "-u",
            "-i",
            number,
            "-o",
            number,
            "-d",
            folder,
            image,
            accepted=(0, 1),
        )
        with store.open(ref) as reader:
            assert reader.read_at(0, reader.size) == FILES[ref.path]
            assert (folder / number).read_bytes()[: reader.size] == FILES[ref.path]
    store.close()


def test_deleted_inodes_of_ext2_are_those_that_debugfs_lists(disks: Disks) -> None:
    image = disks.ext4(FILES, kind="ext2", deleted=GONE)
    rows = said("e2fsprogs", "debugfs", "-R", "lsdel", image).splitlines()
    theirs = {
        tuple(map(int, row.split()[:1] + row.split()[3:4])) for row in rows if re.match(r" *\d+ +\d+", row)
    }
    store = evidence.open_store(evidence.identify(str(image)))
    mine = set()
    for ref in store.files():
        if isinstance(ref, FileRef) and ref.deleted and ref.locator != "gone":
            number = int(ref.locator.split(":")[1])
            mine.add((number, ref.size))
            with store.open(ref) as reader:
                target = disks.new("dumped")
                said("e2fsprogs", "debugfs", "-R", f"dump <{number}> {target}", image)
                assert target.read_bytes() == reader.read_at(0, reader.size) == FILES[ref.path]
    store.close()
    assert mine
    assert mine == theirs


def test_free_inodes_of_xfs_are_free_in_xfs_db(disks: Disks) -> None:
    image = disks.xfs(FILES)
    mount = disks.new("mount")
    mount.mkdir()
    run("mount", "mount", "-o", "loop", image, mount)
    numbers = {path: (mount / path.decode()).stat().st_ino for path in GONE}
    for path in GONE:
        (mount / path.decode()).unlink()
    run("mount", "umount", mount)
    assert tree(image) == KEPT
    data = image.read_bytes()
    found = [
        b"".join(data[each.start : each.end] for each in remnant.spans)[: remnant.size]
        for remnant in remnants(BytesReader(data))
    ]
    for path, number in numbers.items():
        printed = said("xfsprogs", "xfs_db", "-r", "-c", f"inode {number}", "-c", "p core.mode", image)
        assert "core.mode = 0" in printed
        assert FILES[path] in found


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
