"""Petya's disks: what is none of them, what was not locked yet, and tables that lie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lockers import drawn
from tests.lockers import petya as maker
from unransom.catalog.families import petya
from unransom.catalog.schemes import mft
from unransom.catalog.schemes.assemble import Assembly
from unransom.catalog.schemes.family import BadMarkError
from unransom.core.keys import Key, KeyKind
from unransom.core.streams import BytesReader, Salvage

KEY = drawn("petya", 32)
NONCE = drawn("nonce", 8)
DISK = maker.disk("a disk")


def locked(**vector):
    return maker.seal(DISK, KEY, NONCE, vector)


def opened(image):
    reader = Salvage(BytesReader(image))
    mark = petya.read(reader)
    plan = petya.plan(reader, mark, petya.unwrap(mark, Key(KeyKind.RAW, KEY)))
    return b"".join(bytes(view) for view in Assembly(reader, plan))


@pytest.mark.parametrize("byte", [0, 0x37, 0x07, 0xFF])
def test_other_disks_have_no_mark(byte):
    gap = bytes([byte]) * (len(DISK[512 : maker.VOLUME]))
    for image in (DISK, DISK[:512] + gap + DISK[maker.VOLUME :], gap, drawn("noise", 1 << 16)):
        assert petya.read(Salvage(BytesReader(image))) is None


def test_a_copy_of_the_boot_sector_alone_is_no_mark():
    copy = bytes(one ^ 0x37 for one in DISK[:512])
    assert petya.read(Salvage(BytesReader(DISK[: 56 * 512] + copy + DISK[57 * 512 :]))) is None


def test_a_table_that_was_not_reached_stays_as_it_is():
    assert opened(locked(stopped=0))[maker.VOLUME :] == DISK[maker.VOLUME :]


def test_a_disk_whose_table_is_nowhere_is_refused():
    with pytest.raises(BadMarkError):
        opened(locked()[: maker.VOLUME] + bytes(len(DISK) - maker.VOLUME))


@given(st.integers(0, 1023), st.binary(min_size=1, max_size=40))
def test_records_that_lie_give_no_place_outside_of_the_disk(at, data):
    table = mft.FileTable(0, 0, 4096, 1024)
    record = bytearray(maker.file_table()[0])
    record[at : at + len(data)] = data
    record = bytes(record[:1024])
    if mft.is_record(record):
        for span in mft.table_runs(table, record, 1 << 20) or ():
            assert 0 <= span.start <= span.end <= 1 << 20


@given(st.binary(min_size=80, max_size=80))
def test_boot_sectors_that_lie_give_no_table_outside_of_the_disk(data):
    boot = b"\xebR\x90NTFS    " + data
    disk = BytesReader(boot.ljust(510, b"\0") + b"\x55\xaa" + bytes(1 << 16))
    table = mft.file_table(disk, 0)
    assert table is None or 0 <= table.start <= disk.size - table.record
