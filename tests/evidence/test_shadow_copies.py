"""Shadow copies of NTFS: libvshadow's tools agree on each, and its files are versions of the volume's."""

from __future__ import annotations

import random
import re
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.disks import Disks, MiB
from tests.fixtures.planted import some_bytes
from tests.fixtures.tools import ENVIRONMENT, tool
from tests.makers.shadow_copies import (
    BLOCK,
    FORWARDS,
    OVERLAYS,
    UNUSED,
    Copy,
    Descriptor,
    reserve,
    reserved,
    shadowed,
    store_count,
    written,
)
from unransom import evidence
from unransom.core.clock import rfc3339
from unransom.core.records import FileRef, Problem
from unransom.core.streams import BytesReader
from unransom.evidence.shadows.catalog import identifiers, shadow_copies
from unransom.evidence.shadows.snapshot import snapshots

SPACE = b"System Volume Information/{3808876b-c176-4e48-b7ae-04046e6cc752}"
DAY = 86_400 * 10**9
TIMES = (1_790_000_000 * 10**9, 1_790_000_000 * 10**9 + DAY)
FIRST = {b"reports/%d.bin" % number: some_bytes(number, 9_000 * number + 40) for number in range(1, 12)} | {
    b"small.txt": b"resident, as it was\n",
    b"gone/later.bin": some_bytes(50, 70_000),
}


def vshadowinfo(image: Path) -> str:
    command = [tool("vshadowinfo", "libvshadow-utils"), str(image)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT).stdout


def as_libvshadow_reads(disks: Disks, image: Path) -> list[bytes]:
    """Return the bytes of each shadow copy, the oldest first."""
    mount = disks.new("shadows")
    mount.mkdir()
    command = [tool("vshadowmount", "libvshadow-utils"), str(image), str(mount)]
    subprocess.run(command, capture_output=True, check=True, env=ENVIRONMENT)
    try:
        return [(mount / f"vss{number + 1}").read_bytes() for number in range(len(list(mount.iterdir())))]
    finally:
        subprocess.run([tool("umount", "mount"), str(mount)], check=True)


def states(disks: Disks, image: Path, *changes: Callable[[Path], None]) -> list[bytes]:
    """Return the bytes of ``image`` as it is, and after each of ``changes`` to the mounted volume."""
    found = [image.read_bytes()]
    for change in changes:
        with disks.mounted_ntfs(image) as mount:
            change(mount)
        found.append(image.read_bytes())
    return found


def second(mount: Path) -> None:
    (mount / "reports/3.bin").write_bytes(some_bytes(103, 30_000))
    (mount / "small.txt").write_bytes(b"resident, a day later\n")
    (mount / "gone/later.bin").unlink()
    (mount / "new.bin").write_bytes(some_bytes(60, 40_000))


def third(mount: Path) -> None:
    for number in (1, 2, 3, 4):
        path = mount / f"reports/{number}.bin"
        path.write_bytes(some_bytes(200 + number, path.stat().st_size))
    (mount / "small.txt").unlink()


@pytest.fixture(scope="module")
def made(shared_disks: Disks) -> tuple[Path, list[bytes]]:
    """A volume with two shadow copies, and its bytes at the three times."""
    image = shared_disks.ntfs({**FIRST, SPACE: reserve(400)}, 24 * MiB)
    every = states(shared_disks, image, second, third)
    image.write_bytes(shadowed(every, TIMES, reserved(every[-1], 400)))
    return image, every


def files_of(image: Path) -> tuple[dict[tuple[bytes, str], tuple[FileRef, bytes]], list[Problem]]:
    store = evidence.open_store(evidence.identify(str(image)))
    found, problems = {}, []
    for each in store.files():
        if isinstance(each, Problem):
            problems.append(each)
        elif not each.deleted or each.version:
            with store.open(each) as reader:
                found[each.path, each.version] = each, reader.read_at(0, reader.size)
    store.close()
    return found, problems


def test_libvshadow_names_the_same_shadow_copies(made: tuple[Path, list[bytes]]) -> None:
    image, _ = made
    volume = BytesReader(image.read_bytes())
    said = vshadowinfo(image)
    mine = shadow_copies(volume)
    assert store_count(said) == len(mine) == 2
    assert re.findall(r"\tIdentifier\s+: (\S+)", said) == [each.store for each in mine]
    assert re.findall(r"Shadow copy ID\s+: (\S+)", said) == [identifiers(volume, each)[0] for each in mine]
    assert re.findall(r"Shadow copy set ID\s+: (\S+)", said) == [
        identifiers(volume, each)[1] for each in mine
    ]
    assert tuple(each.created for each in mine) == TIMES
    assert "Sep 21, 2026 14:13:20" in said
    assert rfc3339(mine[0].created) == "2026-09-21T14:13:20Z"


def test_each_shadow_copy_has_the_bytes_that_libvshadow_reads(
    disks: Disks, made: tuple[Path, list[bytes]]
) -> None:
    image, every = made
    volume = BytesReader(image.read_bytes())
    theirs = as_libvshadow_reads(disks, image)
    mine = [each.read_at(0, each.size) for each in reversed(snapshots(volume))]
    assert mine == theirs
    space = set(reserved(every[0], 400))
    for was, now in zip(every, mine, strict=False):
        assert all(
            was[at : at + BLOCK] == now[at : at + BLOCK]
            for at in range(BLOCK, len(was), BLOCK)
            if space.isdisjoint(range(at - BLOCK + 512, at + BLOCK, 512))
        )


def test_files_of_shadow_copies_are_versions(made: tuple[Path, list[bytes]]) -> None:
    found, problems = files_of(made[0])
    first, last = "shadow-1-1-20260921T141320Z", "shadow-1-2-20260922T141320Z"
    assert found[b"small.txt", last][1] == b"resident, a day later\n"
    assert found[b"small.txt", first][1] == FIRST[b"small.txt"]
    assert found[b"small.txt", last][0].deleted
    assert found[b"reports/3.bin", last][1] == some_bytes(103, 30_000)
    assert found[b"reports/3.bin", first][1] == FIRST[b"reports/3.bin"]
    assert not found[b"reports/3.bin", first][0].deleted
    assert found[b"gone/later.bin", first][1] == FIRST[b"gone/later.bin"]
    assert found[b"gone/later.bin", first][0].deleted
    assert found[b"new.bin", ""][1] == some_bytes(60, 40_000)
    versions = {key for key in found if key[1]}
    assert versions == {(b"reports/%d.bin" % number, last) for number in (1, 2, 3, 4)} | {
        (b"small.txt", last), (b"small.txt", first), (b"reports/3.bin", first), (b"gone/later.bin", first)
    }  # fmt: skip
    assert [str(each.what) for each in problems] == [
        "the volume has a shadow copy of 2026-09-22T14:13:20Z",
        "the volume has a shadow copy of 2026-09-21T14:13:20Z",
    ]


def test_a_rewritten_file_whose_times_were_set_back_is_a_version(disks: Disks) -> None:
    image = disks.ntfs({**FIRST, SPACE: reserve(40)}, 16 * MiB)
    before = image.read_bytes()
    at = before.find(FIRST[b"reports/9.bin"][:512])
    after = before[: at + 100] + bytes(50) + before[at + 150 :]
    image.write_bytes(shadowed([before, after], TIMES, reserved(after, 40)))
    found, _ = files_of(image)
    assert {path for path, version in found if version} == {b"reports/9.bin"}


def test_shadow_copies_in_a_partition(disks: Disks, made: tuple[Path, list[bytes]]) -> None:
    other = disks.ntfs({b"a": b"alone" * 300}, 16 * MiB)
    found, _ = files_of(disks.disk([other, made[0]]))
    last = "shadow-2-2-20260922T141320Z"
    assert found[b"volume-2/reports/1.bin", last][1] == FIRST[b"reports/1.bin"]


def test_the_catalogue_is_found_by_its_file_where_the_head_is_lost(
    disks: Disks, made: tuple[Path, list[bytes]]
) -> None:
    volume = bytearray(made[0].read_bytes())
    volume[:8192] = some_bytes(1, 8192)
    image = disks.new("headless.raw")
    image.write_bytes(volume)
    found, _ = files_of(image)
    assert found[b"small.txt", "shadow-1-1-20260921T141320Z"][1] == FIRST[b"small.txt"]
    assert found[b"gone/later.bin", "shadow-1-1-20260921T141320Z"][1] == FIRST[b"gone/later.bin"]


def boot_sector(size: int) -> bytes:
    sector = bytearray(BLOCK)
    sector[3:11] = b"NTFS    "
    struct.pack_into("<HB", sector, 11, 512, 8)
    struct.pack_into("<QQQb3xb", sector, 40, size // 512 - 1, 4, 8, -10, 1)
    sector[510:512] = b"\x55\xaa"
    return bytes(sector)


def tangled(seed: int, blocks: int) -> bytes:
    """Return a volume of noise whose shadow copies have descriptors of every kind, several of one block."""
    draw = random.Random(seed)
    image = boot_sector(blocks * BLOCK) + draw.randbytes((blocks - 1) * BLOCK)
    copies = []
    for number in range(draw.randint(1, 3)):
        rows = []
        for flags in draw.choices((0, 0, FORWARDS, OVERLAYS, UNUSED), k=draw.randint(1, 14)):
            kept = b"" if flags == FORWARDS else draw.randbytes(BLOCK)
            target = draw.randrange(1, 12) * BLOCK if flags == FORWARDS else 1
            sectors = draw.randrange(1, 1 << 32) if flags == OVERLAYS else 0
            origin = draw.randrange(1, 12) * BLOCK
            rows.append(Descriptor(origin, kept, target, flags=flags, sectors=sectors))
        vacant = frozenset(draw.sample(range(1, blocks // 2), 20))
        previous = draw.choice([None, frozenset(draw.sample(range(1, blocks // 2), 30))])
        copies.append(Copy(TIMES[0] + number * DAY, rows, vacant=vacant, previous=previous))
    return written(image, copies, range(blocks // 2 * BLOCK, blocks * BLOCK, BLOCK))


@pytest.mark.parametrize("seed", range(8))
def test_moved_overlaid_and_vacant_blocks_are_as_libvshadow_reads_them(disks: Disks, seed: int) -> None:
    image = disks.new("volume.raw")
    image.write_bytes(tangled(seed, 160))
    mine = [each.read_at(0, each.size) for each in reversed(snapshots(BytesReader(image.read_bytes())))]
    assert mine == as_libvshadow_reads(disks, image)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_hostile_catalogues_are_survived(data: st.DataObject) -> None:
    volume = bytearray(tangled(3, 128))
    places = st.one_of(st.integers(0x1E00, 0x1E80), st.integers(64 * BLOCK, len(volume) - 1))
    for at, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=30)):
        volume[at] = value
    cut = data.draw(st.integers(0, len(volume)))
    for each in snapshots(BytesReader(volume[:cut])):
        at = data.draw(st.integers(0, max(each.size, 1)))
        piece = each.piece_at(at) if at < each.size else None
        assert piece is None or piece.length > 0


def test_copies_that_share_a_list_are_no_way_to_keep_us_busy() -> None:
    volume = bytearray(tangled(3, 128))
    catalog = 64 * BLOCK
    entries = bytes(volume[catalog + 128 : catalog + 128 + 256])
    for number in range(60):
        both = bytearray(entries)
        both[16:32] = both[144:160] = bytes([number + 1]) * 16
        volume[catalog + 128 + 256 * number : catalog + 128 + 256 * (number + 1)] = both
    found = snapshots(BytesReader(volume))
    assert len(found) == 60
    assert [each.kept.whole for each in found] == [True] + [False] * 59


def test_a_list_that_is_cut_off_is_told(disks: Disks, made: tuple[Path, list[bytes]]) -> None:
    volume = bytearray(made[0].read_bytes())
    copy = shadow_copies(BytesReader(volume))[1]
    volume[copy.descriptors : copy.descriptors + 16] = bytes(16)
    image = disks.new("cut.raw")
    image.write_bytes(volume)
    _, problems = files_of(image)
    assert "a part of what the shadow copy keeps is lost" in [str(each.what) for each in problems]


def forget(volume: bytearray, *, headers: bool = False) -> None:
    """Overwrite the catalogue of shadow copies, and perhaps what says of each what it is."""
    (catalog,) = struct.unpack_from("<Q", volume, 0x1E00 + 48)
    wiped = [catalog] + [each.header for each in shadow_copies(BytesReader(volume)) if headers]
    for place in wiped:
        volume[place : place + BLOCK] = some_bytes(place, BLOCK)


@pytest.mark.parametrize("headers", [False, True])
def test_shadow_copies_whose_catalogue_was_wiped_are_found_by_their_blocks(
    disks: Disks, made: tuple[Path, list[bytes]], headers: bool
) -> None:
    volume = bytearray(made[0].read_bytes())
    forget(volume, headers=headers)
    image = disks.new("forgotten.raw")
    image.write_bytes(volume)
    found, problems = files_of(image)
    with_catalog, _ = files_of(made[0])
    versions = {
        "": "",
        "shadow-1-1": "shadow-1-1-20260921T141320Z",
        "shadow-1-2": "shadow-1-2-20260922T141320Z",
    }
    told = {(path, versions[version]): content for (path, version), (_, content) in found.items()}
    for each in (told, with_catalog):
        del each[SPACE, ""]  # the file that the catalogue itself was in
    assert told == {key: content for key, (_, content) in with_catalog.items()}
    assert sum("no catalogue names" in str(each.what) for each in problems) == 2


def test_shadow_copies_that_were_deleted_are_found(made: tuple[Path, list[bytes]]) -> None:
    volume = bytearray(made[0].read_bytes())
    kept = [each.read_at(0, each.size) for each in snapshots(BytesReader(volume))]
    (catalog,) = struct.unpack_from("<Q", volume, 0x1E00 + 48)
    for number in range(4):  # as Windows leaves it
        entry = catalog + 128 + 128 * number
        volume[entry : entry + 128] = struct.pack("<Q", 1).ljust(128, b"\0")
    found = snapshots(BytesReader(volume))
    assert [each.copy.stray for each in found] == [True, True]
    mine = [each.read_at(0, each.size) for each in found]
    differing = [
        at
        for then, now in zip(kept, mine, strict=True)
        for at in range(0, len(then), BLOCK)
        if then[at : at + BLOCK] != now[at : at + BLOCK]
    ]
    assert set(differing) <= {catalog // BLOCK * BLOCK, catalog}
