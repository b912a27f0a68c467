"""Layouts as data: what makes a mark, how many bits it counts, and that nothing hostile breaks it."""

import zlib

from hypothesis import given
from hypothesis import strategies as st

from unransom.catalog.schemes.layout import Field, Head, Magic, Number, Sum, Tail
from unransom.core.streams import BytesReader

TAIL = Tail(
    (
        Field("blob", 4),
        Number("mode", 1, values=(0, 1, 2)),
        Number("percent", 2, "big", most=100),
        Magic(b"END".hex()),
        Sum(),
    ),
    wrapped="blob",
)
BODY = b"blob" + b"\1" + b"\0\x32" + b"END"
LOCKED = b"content" + BODY + zlib.crc32(BODY).to_bytes(4, "little")


def test_bits_are_what_the_parts_demand():
    mark = TAIL(BytesReader(LOCKED))
    assert mark.bits == (8 - 2) + (16 - 7) + 24 + 32
    assert mark.numbers == {"mode": 1, "percent": 50}
    assert (mark.plain_size, mark.wrapped) == (7, b"blob")


def test_what_is_impossible_is_no_mark():
    for at, byte in ((11, 3), (12, 1), (13, 101), (14, 0), (18, LOCKED[18] ^ 1)):
        changed = bytearray(LOCKED)
        changed[at] = byte
        assert TAIL(BytesReader(bytes(changed))) is None


def test_a_sum_over_one_field():
    head = Head((Field("key", 4), Field("other", 2), Sum("key")))
    locked = b"keyboo" + zlib.crc32(b"keyb").to_bytes(4, "little")
    assert head(BytesReader(locked)).bits == 32
    assert head(BytesReader(b"x" + locked[1:])) is None


@given(st.binary(max_size=60))
def test_hostile_bytes_make_no_mark(data):
    assert TAIL(BytesReader(data)) is None
