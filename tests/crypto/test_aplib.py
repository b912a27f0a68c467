"""aPLib streams, sound and hostile."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lockers.lockbit3 import pack
from unransom.crypto.aplib import AplibError, decompress


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_packed_names_come_back(name):
    data = (name + "\0").encode("utf-16-le")
    assert decompress(pack(name), 2000) == data


@pytest.mark.parametrize(
    ("packed", "data"),
    [
        # literal a; short match (offset 1, length 3) twice: 110 and the byte offset << 1 | length - 2
        (b"a\xdb\x03\x03\x00\x00", b"aaaaaaa"),
        # literal a; 1110000: a zero byte; 1110001: the byte one before; the end
        (b"a\xe1\xc7\x00\x00", b"a\0\0"),
    ],
)
def test_matches_written_by_hand(packed, data):
    assert decompress(packed, 100) == data


@given(st.binary(max_size=200))
def test_any_bytes_end_in_data_or_in_one_error(data):
    with contextlib.suppress(AplibError):
        assert len(decompress(data, 1000)) <= 1001


def test_a_bomb_is_stopped():
    with pytest.raises(AplibError):
        decompress(b"a" + b"\x7f\xff\xfe" * 40, 50)
