from __future__ import annotations

import random
import struct

import pytest

from tests.catalog.formats import program_samples as samples
from tests.catalog.formats.locked import scramble
from unransom.catalog.formats import elf, evtx, font, pe, registry
from unransom.catalog.formats.format import Validation
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.core.streams import BytesReader


def check(form: object, data: bytes) -> Validation:
    return form.validate(BytesReader(data))  # type: ignore[attr-defined]


@pytest.mark.parametrize("part", [b"function_500\0", b"constant text ", samples.CODE[8000:8016]])
def test_a_locked_block_in_each_section_of_an_elf_file_is_found(part: bytes) -> None:
    data = samples.elf()
    start = -(-data.index(part) // 4096) * 4096
    verdict = check(elf, scramble(data, (start, start + 4096)))
    assert verdict.grade is Grade.PARTIAL
    assert any(span.start < start + 4096 and span.end > start for span in verdict.damage)


def test_a_compressed_section_is_inflated() -> None:
    data = bytearray(samples.elf())
    data[data.index(struct.pack("<IIQQ", 1, 0, 99, 1)) + 3000] ^= 1
    assert check(elf, bytes(data)).grade is Grade.PARTIAL


def test_tables_of_ciphers_in_code_are_no_damage() -> None:
    data = samples.elf()
    even = bytes(range(256)) * 20
    assert check(elf, data.replace(samples.CODE[4000:9120], even)).grade is Grade.GOOD


def test_random_constants_without_sharp_edges_are_no_damage() -> None:
    data = samples.elf()
    text = b"constant text " * 800
    table = text[:700] + random.Random(4).randbytes(9000)
    table += text[len(table) :]
    assert check(elf, data.replace(text, table)).grade is Grade.GOOD


def test_elf_of_the_other_sizes_and_orders_is_read() -> None:
    head = (
        b"\x7fELF\1\2\1" + bytes(9) + struct.pack(">HHIIIIIHHHHHH", 2, 8, 1, 0, 0, 0, 0, 52, 32, 0, 40, 0, 0)
    )
    assert elf.recognise(head) == 88
    assert check(elf, head).grade is Grade.GOOD


@pytest.mark.parametrize(
    ("part", "size"), [(samples.CODE[8000:8016], 4096), (samples.relocations()[408:420], 2048)]
)
def test_a_locked_block_in_a_section_of_a_program_is_found(part: bytes, size: int) -> None:
    data = samples.pe()
    start = -(-data.index(part) // size) * size
    assert check(pe, scramble(data, (start, start + size))).grade is Grade.PARTIAL


def test_a_program_whose_checksum_fits_is_good_as_a_whole() -> None:
    data = samples.pe(checksum=True)
    verdict = check(pe, data)
    assert (verdict.grade, verdict.bits) == (Grade.GOOD, 80)
    assert str(verdict.why) == "the checksum of the program fits"
    assert str(check(pe, data[:-1] + b"\1").why) != str(verdict.why)


def test_an_installer_may_carry_what_it_likes() -> None:
    assert check(pe, samples.pe() + random.Random(5).randbytes(90_000)).grade is Grade.GOOD


@pytest.mark.parametrize("offset", [100, 4096 + 50, 4096 + 30_000, 4096 + 65536 + 600])
def test_one_bit_of_an_event_log_is_noticed(offset: int) -> None:
    data = bytearray(samples.evtx())
    data[offset] ^= 4
    verdict = check(evtx, bytes(data))
    assert verdict.grade is Grade.PARTIAL
    assert verdict.damage[0].start <= offset < verdict.damage[0].end


def test_a_log_that_was_not_closed_is_walked_record_by_record() -> None:
    data = bytearray(samples.evtx(flags=1))
    data[4096 + 52] ^= 1
    assert check(evtx, bytes(data)).grade is Grade.GOOD
    assert check(evtx, bytes(data) + bytes(65536)).grade is Grade.GOOD


def test_a_broken_cell_of_a_hive_is_located_to_its_bin() -> None:
    verdict = check(registry, scramble(samples.registry(), (8192 + 1000, 8192 + 1064)))
    assert verdict.grade is Grade.PARTIAL
    assert verdict.damage[0].end == 12288
    assert verdict.damage[0].start in range(8192 + 900, 8192 + 1064)


def test_a_hive_without_its_head_is_still_seen() -> None:
    verdict = check(registry, scramble(samples.registry(), (0, 8192)))
    assert (verdict.grade, verdict.damage) == (Grade.PARTIAL, (Span(0, 8192),))


def test_woff_is_inflated_and_a_wrong_checksum_alone_is_let_pass() -> None:
    data = samples.woff()
    assert check(font, data).grade is Grade.GOOD
    assert check(font, scramble(data, (900, 964))).grade is Grade.PARTIAL
    plain = samples.font()
    changed = check(font, plain.replace(b"A font A", b"B font A", 1))
    assert (changed.grade, changed.doubted) == (Grade.GOOD, True)
    assert not check(font, plain).doubted
    assert not check(font, data).doubted


def test_the_header_of_woff2_is_not_enough() -> None:
    head = b"wOF2\0\1\0\0" + struct.pack(">IHHIIHHIIIII", 400, 9, 0, 999, 300, 1, 0, 0, 0, 0, 0, 0)
    assert check(font, head.ljust(400, b"\1")).grade is Grade.UNKNOWN
    assert check(font, head).grade is Grade.PARTIAL


def test_a_collection_shares_its_tables() -> None:
    single = samples.font()
    shift = 12 + 8
    rows = bytearray(single)
    for at in range(12, 12 + 16 * 4, 16):
        struct.pack_into(">I", rows, at + 8, struct.unpack_from(">I", rows, at + 8)[0] + shift)
    data = b"ttcf" + struct.pack(">HHIII", 1, 0, 2, shift, shift) + bytes(rows)
    verdict = check(font, data)
    assert (verdict.grade, verdict.length) == (Grade.GOOD, len(data))
