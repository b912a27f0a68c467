"""xz, bzip2, Zstandard, tar, ar, 7z, RAR and cabinets: what holds for all of them, then each one's own."""

from __future__ import annotations

import bz2
import lzma
import struct
import tarfile
import zlib
from types import ModuleType

import pytest

from tests.catalog.formats.archive_maker import (
    ZSTD,
    make_7z,
    make_ar,
    make_cab,
    make_deb,
    make_rar4,
    make_rar5,
    make_tar,
    noise,
    text,
    zstd_frame,
)
from tests.catalog.formats.locked import LOCKINGS, scramble
from unransom.catalog.formats import ar, bzip2, cab, rar, sevenzip, tar, xz, zstd
from unransom.core.records import Grade
from unransom.core.streams import BytesReader

FILES = [text(7919, 40_000), text(31, 30_000), b"", text(977, 25_000)]
BLOCKS = [text(seed, 3000) for seed in range(3, 15)]

SAMPLES: dict[str, tuple[ModuleType, bytes]] = {
    "xz": (xz, lzma.compress(b"".join(FILES))),
    "xz without check": (xz, lzma.compress(b"".join(FILES), check=lzma.CHECK_CRC32)),
    "bzip2": (bzip2, bz2.compress(b"".join(FILES))),
    "zstd": (zstd, zstd_frame(BLOCKS, check=True)),
    "tar pax": (tar, make_tar()),
    "tar gnu": (tar, make_tar(form=tarfile.GNU_FORMAT)),
    "tar ustar": (tar, make_tar(members=5, size=4000, form=tarfile.USTAR_FORMAT)),
    "deb": (ar, make_deb(60_000)),
    "7z lzma2": (sevenzip, make_7z(FILES)),
    "7z lzma": (sevenzip, make_7z(FILES, method="lzma")),
    "7z copy": (sevenzip, make_7z(FILES, method="copy", pack_header=False)),
    "rar 4": (rar, make_rar4(FILES)),
    "rar 5": (rar, make_rar5(FILES)),
    "cab": (cab, make_cab(FILES)),
    "cab stored": (cab, make_cab(FILES, packed=False)),
    "cab unsummed": (cab, make_cab(FILES, summed=False)),
}
EACH = pytest.mark.parametrize("name", SAMPLES)


@EACH
def test_a_healthy_archive_is_good(name):
    module, data = SAMPLES[name]
    verdict = module.validate(BytesReader(data))
    assert verdict.grade is Grade.GOOD, verdict.why
    assert verdict.length == len(data)
    assert verdict.bits >= 48
    assert module.recognise(data[:4096]) >= 24
    assert module.FORMAT.name == module.__name__.rpartition(".")[2]


@EACH
@pytest.mark.parametrize("way", LOCKINGS)
def test_every_locked_variant_is_noticed(name, way):
    module, data = SAMPLES[name]
    verdict = module.validate(BytesReader(LOCKINGS[way](data)))
    assert verdict.grade in {Grade.PARTIAL, Grade.BAD}, verdict.why


@EACH
def test_half_of_an_archive_is_noticed(name):
    module, data = SAMPLES[name]
    assert module.validate(BytesReader(data[: len(data) // 2])).grade in {Grade.PARTIAL, Grade.BAD}
    measured = module.measure(BytesReader(data[: len(data) // 2])).length
    assert measured is None or measured < len(data) // 2


@EACH
def test_measure_finds_the_end_before_what_follows(name):
    module, data = SAMPLES[name]
    for following in (b"", noise(3000)):
        assert module.measure(BytesReader(data + following)).length == len(data)


@EACH
def test_a_few_zeros_behind_are_allowed(name):
    module, data = SAMPLES[name]
    assert module.validate(BytesReader(data + bytes(12))).grade is Grade.GOOD


CHECKED = [name for name in SAMPLES if name not in {"zstd"} and not name.startswith("tar")]


@pytest.mark.parametrize("name", CHECKED)
def test_one_encrypted_block_anywhere_is_noticed(name):
    module, data = SAMPLES[name]
    for start in range(0, len(data), max(1024, len(data) // 16)):
        damaged = scramble(data, (start, start + 1024), seed=start)
        assert module.validate(BytesReader(damaged)).grade is not Grade.GOOD, start


def test_noise_is_recognised_as_nothing():
    for module in {module for module, _ in SAMPLES.values()}:
        assert module.recognise(noise(4096)) == 0
        assert module.recognise(b"") == 0
        assert module.validate(BytesReader(b"")).grade is Grade.BAD
        assert module.measure(BytesReader(noise(4096))).length is None


def test_xz_names_the_damaged_block_by_the_index():
    data = b"".join(FILES)
    parts = [lzma.compress(data[:50_000]), lzma.compress(data[50_000:])]
    both = parts[0] + bytes(4) + parts[1]
    verdict = xz.validate(BytesReader(both))
    assert verdict.grade is Grade.GOOD
    assert verdict.why.values["count"] == 2
    middle = len(parts[0]) // 2
    verdict = xz.validate(BytesReader(scramble(parts[0], (middle, middle + 64))))
    assert verdict.why.values["number"] == 0
    (span,) = verdict.damage
    assert span.start == 12
    assert middle < span.end < len(parts[0])


def test_bzip2_streams_follow_each_other():
    data = bz2.compress(FILES[0]) + bz2.compress(b"") + bz2.compress(FILES[1])
    verdict = bzip2.validate(BytesReader(data))
    assert verdict.grade is Grade.GOOD
    assert verdict.why.values["count"] == 3


def test_zstd_frames_of_the_reference_program_are_good():
    skippable = b"\x50\x2a\x4d\x18" + struct.pack("<I", 5) + b"notes"
    for data in (ZSTD, ZSTD + skippable + ZSTD):
        verdict = zstd.validate(BytesReader(data))
        assert verdict.grade is Grade.GOOD
        assert verdict.length == len(data)
    reserved = bytearray(ZSTD)
    reserved[4] |= 8
    assert zstd.recognise(bytes(reserved)) == 0


def test_tar_goes_on_behind_a_damaged_header():
    data = make_tar(members=6)
    place = data.index(b"file3.txt")
    verdict = tar.validate(BytesReader(scramble(data, (place, place + 512))))
    assert verdict.grade is Grade.PARTIAL
    assert any(span.start <= place < span.end for span in verdict.damage)
    assert verdict.bits >= 5 * 48


def test_tar_without_its_end_mark_may_be_cut_off():
    data = make_tar(members=2)
    bare = data.rstrip(b"\0")
    bare += bytes(-len(bare) % 512)
    assert tar.validate(BytesReader(bare + bytes(512))).grade is Grade.GOOD
    assert tar.validate(BytesReader(bare)).grade is Grade.PARTIAL
    assert tar.measure(BytesReader(bare)).length is None
    assert tar.validate(BytesReader(data[:2000])).grade is Grade.PARTIAL


def test_ar_names_the_damaged_member():
    data = make_deb()
    place = data.index(b"data.tar.xz") + 400
    verdict = ar.validate(BytesReader(scramble(data, (place, place + 200))))
    assert verdict.grade is Grade.PARTIAL
    assert verdict.why.values["name"] == "data.tar.xz"
    assert ar.validate(BytesReader(make_ar({}))).grade is Grade.GOOD
    odd = make_ar({b"odd/": b"12345", b"even/": b"1234"})
    assert ar.validate(BytesReader(odd)).length == len(odd)


def test_7z_counts_the_files_that_hold():
    data = SAMPLES["7z copy"][1]
    place = 32 + len(FILES[0]) + 100
    verdict = sevenzip.validate(BytesReader(scramble(data, (place, place + 64))))
    assert verdict.grade is Grade.PARTIAL
    assert verdict.why.values["right"] == 2
    whole = sevenzip.validate(BytesReader(data))
    assert whole.bits == 88 + 32 + 3 * 32


def test_an_empty_7z_is_good():
    place = bytes(20)
    data = b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(place)) + place
    assert sevenzip.validate(BytesReader(data)).grade is Grade.GOOD
    assert sevenzip.measure(BytesReader(data + noise(500))).length == 32


def test_rar_locates_the_damaged_file():
    for make in (make_rar4, make_rar5):
        data = make(FILES)
        place = data.index(FILES[1][:200]) + 5000
        verdict = rar.validate(BytesReader(scramble(data, (place, place + 64))))
        assert verdict.grade is Grade.PARTIAL
        (span,) = verdict.damage
        assert span.start == data.index(FILES[1][:200])
        assert len(span) == len(FILES[1])


def test_rar_with_packed_files_is_checked_by_headers_only():
    data = make_rar5([noise(5000), noise(6000, 2)], method=3)
    assert rar.validate(BytesReader(data)).grade is Grade.GOOD
    assert rar.validate(BytesReader(data)).bits == 56 + 4 * 32


def test_rar_with_encrypted_headers_is_unknown():
    header = b"\x04\x04\x00\x00\x00"
    data = b"Rar!\x1a\x07\x01\x00" + struct.pack("<I", zlib.crc32(header)) + header + noise(500)
    assert rar.validate(BytesReader(data)).grade is Grade.UNKNOWN


@pytest.mark.parametrize(
    ("packed", "summed", "doubted"),
    [(True, True, False), (True, False, False), (False, True, False), (False, False, True)],
)
def test_a_cabinet_is_doubted_where_nothing_checks_its_content(packed, summed, doubted):
    verdict = cab.validate(BytesReader(make_cab(FILES, packed=packed, summed=summed)))
    assert (verdict.grade, verdict.doubted) == (Grade.GOOD, doubted)


def test_cab_names_the_damaged_block():
    data = make_cab([text(5, 90_000)])
    verdict = cab.validate(BytesReader(scramble(data, (len(data) - 100, len(data) - 50))))
    assert verdict.grade is Grade.PARTIAL
    assert verdict.why.values["number"] == 2
    (span,) = verdict.damage
    assert span.end == len(data)
