from __future__ import annotations

import gzip
import os
import struct
import zlib

from tests.catalog.formats.locked import LOCKINGS, scramble
from unransom.catalog.formats import _deflate
from unransom.catalog.formats import gzip as gz
from unransom.core.records import Grade
from unransom.core.streams import BytesReader

TEXT = b"".join(b"%d:%d\n" % (number, number * number % 9973) for number in range(8000))


def test_one_and_many_members_are_good():
    one = gzip.compress(TEXT)
    many = one + gzip.compress(b"") + gzip.compress(TEXT[:100])
    for data, members in ((one, 1), (many, 3), (gzip.compress(b""), 1)):
        verdict = gz.validate(BytesReader(data))
        assert verdict.grade is Grade.GOOD
        assert verdict.length == len(data)
        assert verdict.why.values["count"] == members
    assert gz.validate(BytesReader(many)).bits == 3 * 88


def test_header_with_every_field_is_understood():
    body = zlib.compressobj(wbits=-15)
    packed = body.compress(TEXT) + body.flush()
    header = b"\x1f\x8b\x08" + bytes([2 | 4 | 8 | 16]) + bytes(5) + b"\x03"
    header += b"\x05\0extra" + b"name\0" + b"comment\0"
    header += struct.pack("<H", zlib.crc32(header) & 0xFFFF)
    data = header + packed + struct.pack("<II", zlib.crc32(TEXT), len(TEXT))
    assert gz.validate(BytesReader(data)).grade is Grade.GOOD
    assert gz.validate(BytesReader(data[:20] + b"X" + data[21:])).grade is Grade.BAD


def test_every_locked_variant_is_noticed():
    data = gzip.compress(TEXT + TEXT[::-1])
    assert len(data) > 3 * 4096
    for name, lock in LOCKINGS.items():
        damaged = lock(data)
        assert gz.validate(BytesReader(damaged)).grade in {Grade.PARTIAL, Grade.BAD}, name


def test_damage_is_located():
    data = gzip.compress(b"".join(b"%d " % (number * number) for number in range(90_000)))
    place = len(data) - 40_000
    assert place > 2 * 65536
    verdicts = [gz.validate(BytesReader(scramble(data, (place, len(data)), seed=seed))) for seed in range(8)]
    assert {verdict.grade for verdict in verdicts} == {Grade.PARTIAL}
    # Where garbled data decodes on to an end, only the CRC-32 tells, of the whole member.
    starts = [verdict.damage[0].start for verdict in verdicts if verdict.damage]
    assert all(start <= place for start in starts)
    assert max(starts) > place - 80_000


def test_wrong_checksum_is_noticed():
    data = gzip.compress(TEXT)
    verdict = gz.validate(BytesReader(data[:-8] + b"abcd" + data[-4:]))
    assert verdict.grade is Grade.PARTIAL
    assert gz.measure(BytesReader(data[:-8] + b"abcd" + data[-4:])).length is None


def test_padding_is_allowed_and_not_counted():
    data = gzip.compress(TEXT)
    assert gz.validate(BytesReader(data + bytes(10240))).grade is Grade.GOOD
    for following in (bytes(1000), os.urandom(1000), b"PK\3\4" + bytes(90)):
        assert gz.measure(BytesReader(data + following)).length == len(data)


def test_recognise_demands_the_fixed_fields():
    assert gz.recognise(gzip.compress(b"x")) == 31
    assert gz.recognise(b"\x1f\x8b\x08\xe0" + bytes(20)) == 0
    assert gz.recognise(b"\x1f\x8b") == 0


def test_a_bomb_ends(monkeypatch):
    monkeypatch.setattr(_deflate, "QUICK", 1 << 20)
    verdict = gz.validate(BytesReader(gzip.compress(bytes(8 << 20))))
    assert verdict.grade is Grade.GOOD
    assert verdict.bits == 0
    assert "as far as it was followed" in str(verdict.why)


def test_very_many_members_are_all_checked():
    data = gzip.compress(b"x", mtime=0) * 5000
    verdict = gz.validate(BytesReader(data))
    assert verdict.length == len(data)
    assert verdict.why.values["count"] == 5000
