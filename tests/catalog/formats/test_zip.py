from __future__ import annotations

import io
import struct
import zipfile

import pytest

from tests.catalog.formats.locked import LOCKINGS, scramble
from unransom.catalog.formats import _deflate
from unransom.catalog.formats import zip as archives
from unransom.core.records import Grade
from unransom.core.streams import BytesReader, Window


def words(seed: int, count: int) -> bytes:
    """Text that deflates to about a third."""
    state, out = seed + 1, []
    for _ in range(count):
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        out.append(f"item-{state >> 8} ")
    return "".join(out).encode()


def make_zip(
    method: int = zipfile.ZIP_DEFLATED, members: int = 5, *, stream: bool = False, **options
) -> bytes:
    target = io.BytesIO()

    class Pipe(io.RawIOBase):
        """A target that cannot seek makes zipfile write data descriptors."""

        def writable(self):
            return True

        def write(self, data):
            return target.write(data)

    with zipfile.ZipFile(Pipe() if stream else target, "w", method, **options) as archive:
        for number in range(members):
            archive.writestr(f"folder/member{number}.txt", words(number, 800))
        archive.writestr("empty.txt", b"")
        archive.mkdir("folder")
    return target.getvalue()


METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("stream", [False, True])
def test_healthy_archives_are_good(method, stream):
    data = make_zip(method, stream=stream)
    verdict = archives.validate(BytesReader(data))
    assert verdict.grade is Grade.GOOD
    assert verdict.length == len(data)
    assert verdict.bits >= 5 * 64
    assert archives.recognise(data[:4096]) >= 32


@pytest.mark.parametrize("method", METHODS)
def test_every_locked_variant_is_noticed(method):
    data = make_zip(method)
    for name, lock in LOCKINGS.items():
        damaged = lock(data)
        verdict = archives.validate(BytesReader(damaged))
        assert verdict.grade in {Grade.PARTIAL, Grade.BAD}, name
        assert verdict.grade is Grade.BAD or verdict.damage, name


def test_locked_streamed_archives_are_noticed():
    data = make_zip(stream=True)
    for name, lock in LOCKINGS.items():
        damaged = lock(data)
        assert archives.validate(BytesReader(damaged)).grade is not Grade.GOOD, name


def test_the_damaged_member_is_named_and_located():
    data = make_zip()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.infolist()[3]
    start = info.header_offset + 30 + len(info.filename)
    middle = start + info.compress_size // 2
    verdict = archives.validate(BytesReader(scramble(data, (middle, middle + 16))))
    assert verdict.grade is Grade.PARTIAL
    assert "member3.txt" in str(verdict.why)
    (span,) = verdict.damage
    assert start <= span.start <= middle
    assert span.end == start + info.compress_size


def test_a_changed_local_header_is_noticed():
    data = make_zip()
    changed = data[:14] + b"\1\2\3\4" + data[18:]  # its CRC-32
    assert archives.validate(BytesReader(changed)).grade is Grade.PARTIAL


def test_without_directory_members_are_still_checked():
    data = make_zip()
    cut = data[: data.index(b"PK\1\2")]
    verdict = archives.validate(BytesReader(cut))
    assert verdict.grade is Grade.PARTIAL
    assert verdict.bits >= 5 * 32
    assert archives.measure(BytesReader(cut)).length is None


def test_empty_and_commented_archives_are_good():
    empty = b"PK\5\6" + bytes(18)
    assert archives.recognise(empty) == 176
    assert archives.validate(BytesReader(empty)).grade is Grade.GOOD
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a", b"b" * 100)
        archive.comment = b"made for a test"
    assert archives.validate(BytesReader(target.getvalue())).length == len(target.getvalue())


def test_a_program_in_front_is_allowed():
    data = b"#!/usr/bin/env python3\n" + make_zip()
    assert archives.validate(BytesReader(data)).grade is Grade.GOOD


def test_zip64_is_understood():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            with archive.open(f"{number}", "w", force_zip64=True) as member:
                member.write(words(number, 300))
    data = target.getvalue()
    start, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    record = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, 3, 3, end - start, start)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, end, 1)
    full = data[:end] + record + locator + b"PK\5\6" + b"\0\0\0\0" + b"\xff" * 12 + b"\0\0"
    verdict = archives.validate(BytesReader(full))
    assert verdict.grade is Grade.GOOD
    assert verdict.length == len(full)
    assert archives.measure(BytesReader(full + bytes(1000))).length == len(full)


def test_password_protected_members_are_not_blamed():
    data = bytearray(make_zip(zipfile.ZIP_DEFLATED, members=2))
    for magic, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = data.find(magic)
        data[at + place] |= 1
    start = 30 + len("folder/member0.txt")
    data[start : start + 50] = bytes(range(50))
    verdict = archives.validate(BytesReader(bytes(data)))
    assert verdict.grade is Grade.GOOD
    assert verdict.why.values["protected"] == 1


@pytest.mark.parametrize("stream", [False, True])
def test_measure_finds_the_end_before_what_follows(stream):
    data = make_zip(stream=stream)
    other = make_zip(members=1)
    for following in (b"", bytes(5000), other, b"PK\5\6" + bytes(range(200))):
        measured = archives.measure(BytesReader(data + following))
        assert measured.length == len(data)


def test_a_bomb_is_capped_and_said_so(monkeypatch):
    monkeypatch.setattr(_deflate, "QUICK", 1 << 20)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(8 << 20))
    verdict = archives.validate(BytesReader(target.getvalue()))
    assert verdict.grade is Grade.GOOD
    assert "not all were inflated" in str(verdict.why)


def test_a_member_longer_than_declared_is_noticed():
    data = bytearray(make_zip(members=1))
    for magic, place in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        at = data.find(magic) + place
        data[at : at + 4] = (100).to_bytes(4, "little")
    assert archives.validate(BytesReader(bytes(data))).grade is Grade.PARTIAL


def test_overlapping_members_are_noticed():
    data = bytearray(make_zip(members=2))
    first = data.find(b"PK\1\2")
    second = data.find(b"PK\1\2", first + 1)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    assert archives.validate(BytesReader(bytes(data))).grade is Grade.PARTIAL


def test_a_part_of_a_split_archive_is_unknown():
    data = bytearray(make_zip())
    end = data.rfind(b"PK\5\6")
    data[end + 4 : end + 8] = b"\1\0\1\0"
    assert archives.validate(BytesReader(bytes(data))).grade is Grade.UNKNOWN


def test_works_on_windows_of_a_reader():
    data = make_zip()
    inside = Window(BytesReader(bytes(777) + data + bytes(99)), 777, len(data))
    assert archives.validate(inside).grade is Grade.GOOD


@pytest.mark.parametrize("length", [0xFFFF, 200])
def test_what_lies_behind_a_cut_header_is_damaged(length):
    whole = make_zip(members=2)
    second = whole.index(b"PK\x03\x04", 4)
    noise = scramble(bytes(4000), (0, 4000))
    found = archives.validate(BytesReader(whole[: second + 26] + struct.pack("<HH", length, length) + noise))
    assert found.grade is Grade.PARTIAL
    assert min(span.start for span in found.damage) <= second + 30 + 2 * 200
    assert sum(map(len, found.damage)) > 3000
