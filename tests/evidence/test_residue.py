"""What real file systems still know of files that a locker deleted, and that damage to them stops nobody."""

import hashlib
import random

import pytest

from tests.fixtures.disks import MiB
from tests.makers.locked_disks import locked_disk
from tests.makers.office_files import files
from tests.makers.raw_image import File
from unransom.core.outputs import FileReader
from unransom.core.streams import BytesReader
from unransom.evidence.filesystems.remnants import NOWHERE, Trace
from unransom.evidence.filesystems.residue import remnants

KINDS = ("ext4", "ntfs", "xfs")


def some_files(count=40):
    """Return files in folders, of names of which some are not ASCII."""
    folders = ("bills", "Aufträge", "shop 3/2026")
    return [
        File(f"{folders[number % 3]}/{number}.{each.name.rpartition('.')[2]}", each.data)
        for number, each in enumerate(files(count))
    ]


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """``disk(kind)``: an image after a pass of a locker, and what was on it; made once."""
    made = {}

    def make(kind):
        if kind not in made:
            image = tmp_path_factory.mktemp(kind) / "disk.img"
            made[kind] = image, locked_disk(image, kind, some_files())
        return made[kind]

    return make


def digest(reader, remnant):
    pieces = (
        bytes(len(each)) if each.start >= NOWHERE else reader.read_at(each.start, len(each))
        for each in remnant.spans
    )
    return hashlib.sha256(remnant.content or b"".join(pieces)).hexdigest()


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_deleted_files_are_known_with_path_and_place(disk, kind):
    image, originals = disk(kind)
    by_digest = {each.sha256: each for each in originals}
    with FileReader(image) as reader:
        left = list(remnants(reader))
        found = {by_digest[sum_].path: each for each in left if (sum_ := digest(reader, each)) in by_digest}
    intact = [each for each in originals if each.intact]
    assert len(intact) >= 5
    assert sum(each.path in found for each in intact) >= 0.6 * len(intact)
    assert all(each.path.decode() == path for path, each in found.items())
    assert {each.path.decode() for each in left} <= {each.path for each in originals}
    assert len({each.path for each in left}) >= 0.6 * len(originals)


def test_ntfs_keeps_free_records_and_names_with_sizes(disk):
    image, originals = disk("ntfs")
    sizes = {each.path: each.size for each in originals}
    with FileReader(image) as reader:
        left = list(remnants(reader))
        exact = {digest(reader, each) for each in left if each.trace is Trace.RECORD}
    assert len(exact & {each.sha256 for each in originals}) >= 1
    names = [each for each in left if each.trace is Trace.FOLDER]
    assert len(names) >= 3
    assert all(sizes[each.path.decode()] == each.size for each in names)


def test_small_files_stand_in_their_ntfs_records(disks):
    image = disks.ntfs({b"a/note.txt": b"pay on friday" * 9, b"b.txt": b"x" * 9000}, deleted=[b"a/note.txt"])
    with FileReader(image) as reader:
        (found,) = [each for each in remnants(reader) if each.content]
    assert (found.path, found.content, found.size) == (b"a/note.txt", b"pay on friday" * 9, 117)


def test_blocks_with_extents_tell_where_files_lay(tmp_path):
    image, draw = tmp_path / "disk.img", random.Random(5)
    some = [File(f"{number}.bin", draw.randbytes(300_000 + number)) for number in range(6)]
    locked_disk(image, "ext4", some, options=("-O", "^has_journal"))
    data = image.read_bytes()
    nodes = [at for at in range(0, len(data), 4096) if data.startswith(b"\x0a\xf3", at)]
    assert list(remnants(BytesReader(data))) == []
    left = list(remnants(BytesReader(data), nodes))
    contents = [b"".join(data[span.start : span.end] for span in each.spans) for each in left]
    assert {each.size for each in left} == {None}
    assert all(len(each.spans) > 4 and each.trace is Trace.NODE for each in left)
    for each in some[3:5]:
        assert any(content.rstrip(b"\0") == each.data.rstrip(b"\0") for content in contents)
    for cut in range(0, 4096, 511):
        place = nodes[0] + cut
        hurt = data[:place] + draw.randbytes(16) + data[place + 16 :]
        list(remnants(BytesReader(hurt), [*nodes, cut, len(data) - cut]))


@pytest.mark.parametrize("kind", KINDS)
def test_damage_anywhere_raises_nothing(disk, kind):
    image, _ = disk(kind)
    draw = random.Random(7)
    whole = image.read_bytes()[: 40 * MiB]
    used = [at for at in range(0, len(whole), 4096) if any(whole[at : at + 64])]
    for _ in range(6):
        data = bytearray(whole)
        for _ in range(300):
            at = draw.choice(used) + draw.randrange(4096)
            data[at : at + 4] = draw.randbytes(4)
        list(remnants(BytesReader(data)))
    for cut in (1024, 5000, 70_000, 5 * MiB):
        list(remnants(BytesReader(whole[:cut])))
