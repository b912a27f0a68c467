"""What may stand where a locker's marker stood: what the file went on with, not random bytes."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.catalog.formats.samples import SAMPLES, made
from unransom.catalog.schemes.beginning import goes_on
from unransom.crypto.noise import is_noise

NOISE = bytes.fromhex("8a51f3c40e97b26d19e8a7735fd0c2964b3eac81")
PLACES = (0x36, 0x3E)  # of the markers of Hunters and Hive
MOVED = 18
EXIF = (
    b"\xff\xe1"
    + struct.pack(">H", 0x4C)
    + b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01"
    + bytes(50)
)
JFIF = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x48\0\x48\0\0"


def chunk(kind, data):
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", bytes.fromhex("000003290000035e0802000000"))
    + chunk(b"sRGB", b"\0")
    + chunk(b"gAMA", b"\0\0\xb1\x8f")
)


@pytest.mark.parametrize("name", sorted(SAMPLES))
@pytest.mark.parametrize("place", PLACES)
def test_every_format_goes_on_with_itself(name, place):
    data = made(name)
    assert goes_on(data[:place], data[place : place + MOVED])


@pytest.mark.parametrize(
    "head",
    [
        b"order 10042, two lamps, shipped to Hamburg on the second day of May",
        b"SQLite format 3\0" + bytes(40),
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(50),
        b"MZ\x90\0" + bytes(50),
        JFIF + EXIF[:34],
        JFIF[:-1],
        PNG,
    ],
)
def test_random_bytes_do_not_follow_what_has_none(head):
    assert is_noise(NOISE)
    assert not goes_on(head, NOISE)


def test_a_chunk_of_a_png_image_follows_another():
    assert goes_on(PNG, chunk(b"pHYs", bytes.fromhex("000012740000127401"))[:MOVED])
    assert goes_on(PNG[:-7], PNG[-7:] + b"\0\0\x20\0IDAT")


@pytest.mark.parametrize(
    "head",
    [
        PNG + chunk(b"IDAT", NOISE * 9)[:20],
        JFIF + b"\xff\xdb\0\x43\0" + bytes(range(30)),
        b"\x1f\x8b\x08\0" + NOISE,
        b"PK\x03\x04" + NOISE,
    ],
)
def test_random_bytes_may_follow_what_is_compressed(head):
    assert goes_on(head, NOISE)


@given(
    st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b""]), st.binary(max_size=80), st.binary(max_size=30)
)
def test_any_bytes_are_judged(begin, head, behind):
    assert goes_on(begin + head, behind) in {True, False}
