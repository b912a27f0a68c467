"""Deflate streams by the library that is fastest, and by zlib: what the one refuses, the other must."""

import zlib

import pytest

from unransom.catalog.formats import _deflate
from unransom.catalog.formats._deflate import RAW, ZLIB, Budget, End, Fast, at_once, expand, inflate
from unransom.core.streams import CHUNK, BytesReader

isal_zlib = pytest.importorskip("isal.isal_zlib")

SHORT = b"".join(b"line %d of a page\n" % (number * 7919) for number in range(300))
LONG = b"".join(b"line %d of a page\n" % (number * 7919) for number in range(200_000))
ZLIB_ITSELF = _deflate.Library(zlib.decompressobj, zlib.error, zlib.crc32)


@pytest.fixture(params=["isal", "zlib"])
def library(request, monkeypatch):
    """Have streams inflated by one library."""
    if request.param == "zlib":
        monkeypatch.setattr(_deflate, "fastest", lambda: ZLIB_ITSELF)
    return request.param


def wrong_sums(packed):
    """Yield a stream with each bit of its Adler-32 turned, and with that of nothing."""
    for bit in range(32):
        changed = bytearray(packed)
        changed[-4 + bit // 8] ^= 1 << bit % 8
        yield bytes(changed)
    yield packed[:-4] + zlib.adler32(b"").to_bytes(4)


def test_the_fastest_library_is_isal():
    assert _deflate.fastest().begin is isal_zlib.decompressobj


def test_a_wrong_adler_32_is_refused(library):
    packed = zlib.compress(SHORT)
    reader = BytesReader(packed)
    assert at_once(reader, 0, reader.size, Budget(reader.size), len(SHORT), ZLIB).end is End.WHOLE
    for wrong in wrong_sums(packed):
        reader, size = BytesReader(wrong), len(wrong)
        assert at_once(reader, 0, size, Budget(size), window_bits=ZLIB) is None
        assert at_once(reader, 0, size, Budget(size), len(SHORT), ZLIB) is None
        assert expand(Fast(ZLIB), reader, 0, size, Budget(size)).end is End.BROKEN
        for limit in (None, len(SHORT)):
            assert inflate(reader, 0, size, Budget(size), limit, ZLIB).end is End.BROKEN


def test_a_wrong_adler_32_behind_many_pieces_is_refused(library):
    packed = zlib.compress(LONG, 1)
    assert len(LONG) > 2 * CHUNK
    size = len(packed)
    assert inflate(BytesReader(packed), 0, size, Budget(size), len(LONG), ZLIB).end is End.WHOLE
    wrong = BytesReader(packed[:-1] + bytes([packed[-1] ^ 1]))
    for limit in (None, len(LONG)):
        assert inflate(wrong, 0, size, Budget(size), limit, ZLIB).end is End.BROKEN


def test_a_stream_without_all_of_its_adler_32_is_not_whole(library):
    packed = zlib.compress(SHORT)
    for missing in range(1, 5):
        reader = BytesReader(packed[:-missing])
        found = inflate(reader, 0, reader.size, Budget(reader.size), window_bits=ZLIB)
        assert found.end is End.CUT, missing


def test_bytes_behind_the_sum_are_not_the_streams(library):
    packed = zlib.compress(SHORT)
    for behind in (b"", b"\n", packed, bytes(5000)):
        reader = BytesReader(packed + behind)
        found = inflate(reader, 0, reader.size, Budget(reader.size), window_bits=ZLIB)
        assert (found.end, found.position, found.length) == (End.WHOLE, len(packed), len(SHORT))
        assert found.crc == zlib.crc32(SHORT)


def test_streams_without_a_sum_are_taken_to_their_own_end(library):
    packer = zlib.compressobj(wbits=RAW)
    packed = packer.compress(SHORT) + packer.flush()
    reader = BytesReader(packed + b"abcd")
    found = inflate(reader, 0, reader.size, Budget(reader.size))
    assert (found.end, found.position, found.crc) == (End.WHOLE, len(packed), zlib.crc32(SHORT))
