"""Names in blocks of folders of ext: those that count, those in gaps, and copies that differ in one entry."""

import struct

from unransom.evidence.filesystems.ext import folders
from unransom.evidence.filesystems.ext.folders import FIELDS, Entry

FILE = 1


def stored(inode: int, name: bytes, length: int = 0) -> bytes:
    """Return an entry of ``length`` bytes, or as short as it may be."""
    short = 8 + (len(name) + 3 & ~3)
    return (FIELDS.pack(inode, length or short, len(name), FILE) + name).ljust(length or short, b"\0")


def names(block: bytes, inodes: int = 1000) -> list[Entry]:
    assert folders.is_folder(block)
    return list(folders.entries(block, inodes))


def test_removed_names_stand_in_the_gap_behind_the_entry_before() -> None:
    gone = stored(12, b"gone.txt", 600)
    kept = stored(11, b"kept.txt")
    whole = kept[:4] + struct.pack("<H", len(kept) + len(gone)) + kept[6:] + gone
    assert names(whole + stored(13, b"last", 64)) == [
        Entry(b"kept.txt", 11, FILE, live=True),
        Entry(b"gone.txt", 12, FILE, live=False),
        Entry(b"last", 13, FILE, live=True),
    ]


def test_the_first_name_of_a_block_keeps_its_place_when_it_is_removed() -> None:
    removed = b"\0\0\0\0" + stored(12, b"gone", 32)[4:]
    assert names(removed + stored(13, b"last")) == [Entry(b"last", 13, FILE, live=True)]


def test_what_is_remembered_of_an_entry_counts_for_this_volume_only() -> None:
    block = stored(11, b"one") + stored(900, b"two")
    assert [each.name for each in names(block, 1000)] == [b"one", b"two"]
    assert [each.name for each in names(block, 100)] == [b"one"]


def test_copies_of_a_block_are_taken_apart_once() -> None:
    entries = [stored(number + 1, b"a file with a longer name %08d" % number, 400) for number in range(160)]
    copies = [b"".join([*entries[:number], *entries[number + 1 :]]) for number in range(160)]
    folders._remembered.cache_clear()
    for copy in copies:
        assert len(names(copy)) == 159
    assert folders._remembered.cache_info().misses == 160
