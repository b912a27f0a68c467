"""Which ends of files are taken for Avaddon's."""

import struct

import pytest

from tests.lockers import drawn
from unransom.catalog.families import avaddon, lockbit3
from unransom.core.streams import BytesReader


@pytest.mark.parametrize(
    ("stored", "size", "taken"),
    [
        (10064, 10064, True),
        (10064, 10049, True),
        (16384, 9000, True),
        (10064, 2165, False),
        (10064, 10047, False),
    ],
)
def test_an_original_is_filled_up_to_a_block_or_to_what_is_locked_at_once(stored, size, taken):
    """As many bytes as another locker's cut metadata may say by chance are none."""
    data = drawn("avaddon", stored + 512) + struct.pack("<Q", size) + bytes(7) + drawn("end", 9)
    assert (avaddon.read(BytesReader(data)) is not None) is taken


def test_an_extension_of_avaddons_letters_is_no_sign_of_lockbit():
    assert lockbit3.FAMILY.original_name(b"orders.csv.AcBdEcDbA") is None
    assert avaddon.FAMILY.original_name(b"orders.csv.AcBdEcDbA") == b"orders.csv"
    assert lockbit3.FAMILY.original_name(b"orders.csv.AcBdEcDbz") == b"orders.csv"
