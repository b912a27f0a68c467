"""Names from the journal of changes of NTFS: paths of what is deleted, also in folders that are gone."""

import random

import pytest

from tests.makers.journals import journal, record
from unransom.core.outputs import FileReader
from unransom.core.streams import BytesReader
from unransom.evidence.filesystems.ntfs.deleted import folders_of, remnants
from unransom.evidence.filesystems.ntfs.folders import Folders, Reference
from unransom.evidence.filesystems.ntfs.records import volume
from unransom.evidence.filesystems.ntfs.table import Table
from unransom.evidence.filesystems.remnants import Trace

NIGHT = 1_772_405_647_250_000_000  # 2026-03-01T22:54:07.25Z
DELETED = 0x200 | 0x80000000
RENAMED = 0x2000 | 0x80000000
FOLDER = 0x10


def disk(disks, records, files=None):
    """Return a volume with a journal of ``records``, in a file of the name that Windows gives it."""
    stream = {(b"$UsnJrnl", "$J"): journal(records, hole=8192)}
    return disks.ntfs({b"bills/a.txt": b"x", b"$UsnJrnl": b"", **(files or {})}, streams=stream)


def left(image):
    with FileReader(image) as reader:
        return list(remnants(reader, 0))


def folder_called(image, name):
    """Return the record of a folder and how often it was given out."""
    with FileReader(image) as reader:
        table = Table(reader, volume(reader, 0))
        (found,) = (each.own for each in table.records() if any(one.name == name for one in each.names))
    return found


def test_deleted_files_have_their_paths_and_the_times_of_their_deletion(disks):
    bills = folder_called(disk(disks, []), b"bills")
    place = {"parent": bills.record, "turn_of_parent": bills.sequence}
    records = [
        record(f"Rechnung {number}.pdf", NIGHT + 100 * number, DELETED, file=200 + number, **place)
        for number in range(300)
    ]
    found = [each for each in left(disk(disks, records)) if each.trace is Trace.LOG]
    assert [each.path.decode() for each in found] == [f"bills/Rechnung {number}.pdf" for number in range(300)]
    assert [each.deleted for each in found] == [NIGHT + 100 * number for number in range(300)]
    assert {(each.size, each.spans, each.modified) for each in found} == {(None, (), None)}


def test_folders_that_are_gone_have_the_names_that_they_had(disks):
    bills = folder_called(disk(disks, []), b"bills")
    records = [
        record("new", NIGHT, 0x100, file=900, turn=3, attributes=FOLDER),
        record("2026", NIGHT + 100, RENAMED, file=900, turn=3, attributes=FOLDER, parent=bills.record,
               turn_of_parent=bills.sequence),
        record("gone.xlsx", NIGHT + 200, DELETED, file=901, parent=900, turn_of_parent=3),
        record("2026", NIGHT + 300, DELETED, file=900, turn=3, attributes=FOLDER, parent=bills.record,
               turn_of_parent=bills.sequence),
        record("temp", NIGHT + 400, 0x100, file=900, turn=4, attributes=FOLDER),
        record("later.txt", NIGHT + 500, DELETED, file=902, parent=900, turn_of_parent=4),
        record("lost.txt", NIGHT + 600, DELETED, file=903, parent=900, turn_of_parent=2),
    ]  # fmt: skip
    paths = [each.path for each in left(disk(disks, records)) if each.trace is Trace.LOG]
    assert paths == [b"bills/2026/gone.xlsx", b"temp/later.txt", b"lost.txt"]


def test_what_is_there_is_not_deleted(disks):
    bills = folder_called(disk(disks, []), b"bills")
    place = {"parent": bills.record, "turn_of_parent": bills.sequence}
    records = [
        record("a.txt", NIGHT, DELETED, file=80, **place),
        record("b.txt", NIGHT, 0x1, file=81, **place),
    ]
    assert [each for each in left(disk(disks, records)) if each.trace is Trace.LOG] == []


def test_another_folder_in_the_same_record_lends_no_name():
    folders = Folders()
    folders.add(Reference(40, 2), b"new", Reference(5, 5))
    assert folders.path(b"a", Reference(40, 2)) == b"new/a"
    assert folders.path(b"a", Reference(40, 1)) == b"a"
    assert folders.path(b"a", Reference(40, 0)) == b"new/a"
    folders.add(Reference(41, 1), b"loop", Reference(42, 1))
    folders.add(Reference(42, 1), b"back", Reference(41, 1))
    assert folders.path(b"a", Reference(41, 1)).endswith(b"back/loop/a")


def test_folders_of_a_volume_are_known(disks):
    image = disk(disks, [], {b"a/b/c.txt": b"x"})
    inner = folder_called(image, b"b")
    with FileReader(image) as reader:
        assert folders_of(reader, 0).path(b"c.txt", inner) == b"a/b/c.txt"
        assert folders_of(BytesReader(b""), 0).path(b"c.txt", inner) == b"c.txt"


@pytest.mark.parametrize("seed", range(4))
def test_damage_raises_nothing(disks, seed):
    draw = random.Random(seed)
    records = [record(f"{number}.pdf", NIGHT + number, DELETED, file=200 + number) for number in range(99)]
    data = bytearray(disk(disks, records).read_bytes())
    used = [at for at in range(0, len(data), 1024) if any(data[at : at + 64])]
    for _ in range(200):
        at = draw.choice(used) + draw.randrange(1024)
        data[at : at + 4] = draw.randbytes(4)
    list(remnants(BytesReader(bytes(data)), 0))
