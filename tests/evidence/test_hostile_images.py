"""Images that someone or something has damaged: listing and reading them never raises and never hangs."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.disks import Disks
from tests.fixtures.planted import some_bytes
from tests.soak import LONGER
from unransom.core.errors import UnreadableError
from unransom.core.records import FileRef, Problem
from unransom.core.streams import BytesReader
from unransom.evidence.filesystems.listing import GONE, Listing
from unransom.evidence.filesystems.tsk import FileSystem, Locator
from unransom.evidence.sleuthkit import TskImage
from unransom.evidence.volumes.partitions import volumes

FILES = {b"a/b/%d" % number: some_bytes(number, 10 + 300 * number) for number in range(20)}
KINDS = ("ext4", "ntfs", "fat", "exfat", "gpt", "dos")
MOST = 2000  # entries that so small an image can list
Changes = list[tuple[int, int]]


@pytest.fixture(scope="module", params=KINDS)
def whole(request: pytest.FixtureRequest, shared_disks: Disks) -> bytes:
    made: dict[str, bytes] = {}
    deleted = [b"a/b/3", b"a/b/17"]
    match request.param:
        case "gpt" | "dos" as table:
            parts = [shared_disks.fat(FILES, 2 << 20, bits=12), shared_disks.ext4(FILES, 4 << 20)]
            made[table] = shared_disks.disk(parts, table).read_bytes()
        case "fat":
            made["fat"] = shared_disks.fat(FILES, 2 << 20, deleted, bits=12).read_bytes()
        case kind:
            made[kind] = getattr(shared_disks, kind)(FILES, 4 << 20, deleted=deleted).read_bytes()
    return made[request.param]


def survive(data: bytes) -> int:
    """List and read everything; return how many entries there were."""
    image = TskImage(BytesReader(data))
    count = 0
    for volume in volumes(image):
        if not volume.filesystem:
            continue
        try:
            filesystem = FileSystem(image, volume.start, volume.filesystem)
        except OSError:
            continue
        for each in itertools.islice(Listing(filesystem, "x").files(), MOST):
            assert isinstance(each, FileRef | Problem)
            count += 1
            if isinstance(each, FileRef) and each.locator not in {"", GONE}:
                peek(filesystem, each)
    return count


def peek(filesystem: FileSystem, ref: FileRef) -> None:
    """Read the first and the last bytes of a file; only the errors that are declared may come."""
    assert ref.size >= 0
    try:
        reader = filesystem.open(Locator.parse(ref.locator), ref.size)
    except OSError:
        return
    for offset in (0, max(0, ref.size - 100)):
        with contextlib.suppress(UnreadableError):
            assert len(reader.read_at(offset, 5000)) == min(5000, ref.size - offset)


def damaged(whole: bytes, changes: Changes, length: int) -> bytes:
    """Return the image with bytes changed where it is not empty, and cut to ``length`` of 1,000 parts."""
    data = bytearray(whole)
    used = [start for start in range(0, len(data), 512) if any(data[start : start + 512])][:200]
    for where, value in changes:
        data[used[where // 512 % len(used)] + where % 512] = value
    return bytes(data[: len(data) * length // 1000])


changes = st.lists(st.tuples(st.integers(0, 200 * 512 - 1), st.integers(0, 255)), max_size=12)
lengths = st.one_of(st.just(1000), st.integers(0, 1000))


def test_a_whole_image_lists_its_files(whole: bytes) -> None:
    assert survive(whole) >= len(FILES)


@settings(
    max_examples=30 * LONGER, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes, lengths)
def test_damage_is_survived(whole: bytes, changes: Changes, length: int) -> None:
    survive(damaged(whole, changes, length))


@settings(max_examples=60 * LONGER, deadline=None)
@given(st.binary(max_size=4096), st.sampled_from(["ntfs", "ext", "fat", "exfat"]))
def test_any_bytes_are_survived(head: bytes, kind: str) -> None:
    image = TskImage(BytesReader(head + bytes(60_000)))
    try:
        filesystem = FileSystem(image, 0, kind)
    except OSError:
        return
    list(itertools.islice(Listing(filesystem, "x").files(), MOST))
