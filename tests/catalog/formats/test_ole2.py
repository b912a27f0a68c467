from __future__ import annotations

import io
import os
import struct

import olefile
import pytest

from tests.catalog.formats.compound_maker import biff, make_compound
from tests.catalog.formats.locked import LOCKINGS, scramble
from unransom.catalog.formats import ole2
from unransom.core.records import Grade
from unransom.core.streams import BytesReader

SMALL = b"\xfe\xff\0\0" + b"title of the document " * 9


@pytest.fixture(scope="module")
def workbook() -> bytes:
    return make_compound(
        {"Workbook": biff(7919, 2000), "\x05SummaryInformation": SMALL, "Other": b"x" * 5000}
    )


def test_the_maker_agrees_with_another_reader(workbook):
    with olefile.OleFileIO(io.BytesIO(workbook)) as reference:
        assert reference.openstream("Workbook").read() == biff(7919, 2000)
        assert reference.openstream("\x05SummaryInformation").read() == SMALL
        assert not reference.parsing_issues


def test_a_healthy_workbook_is_good(workbook):
    verdict = ole2.validate(BytesReader(workbook))
    assert verdict.grade is Grade.GOOD
    assert verdict.length == len(workbook)
    assert verdict.bits > 256
    assert ole2.recognise(workbook[:4096]) >= 128


def test_every_locked_variant_is_noticed(workbook):
    for name, lock in LOCKINGS.items():
        damaged = lock(workbook)
        assert ole2.validate(BytesReader(damaged)).grade in {Grade.PARTIAL, Grade.BAD}, name


def test_an_encrypted_block_in_the_workbook_is_located(workbook):
    for start in (8192, 20480, 32768):
        verdict = ole2.validate(BytesReader(scramble(workbook, (start, start + 4096))))
        assert verdict.grade is Grade.PARTIAL
        assert any(span.start < start + 4096 and start <= span.end for span in verdict.damage)


@pytest.mark.parametrize("size", [512, 4096, 16384])
def test_zeros_in_the_workbook_are_noticed(workbook, size):
    stream = olefile.OleFileIO(io.BytesIO(workbook)).openstream("Workbook").read()
    place = workbook.index(stream[4096:4608]) - 4096
    for start in range(place, place + len(stream) - size, 7 * 512):
        zeroed = workbook[:start] + bytes(size) + workbook[start + size :]
        assert ole2.validate(BytesReader(zeroed)).grade is not Grade.GOOD, start


def test_measure_is_exact_to_the_sector(workbook):
    measured = ole2.measure(BytesReader(workbook + os.urandom(20000)))
    assert measured.length == len(workbook)
    cut = make_compound({"Other": b"y" * 5000})
    assert ole2.measure(BytesReader(cut)).length == len(cut)


def test_crossed_and_endless_chains_are_noticed(workbook):
    fat = struct.unpack_from("<I", workbook, 76)[0]
    place = (fat + 1) * 512
    for wrong in (3, 0, 0xFFFFFFFF, 100000):  # a loop, another chain, free, outside
        changed = workbook[: place + 20] + struct.pack("<I", wrong) + workbook[place + 24 :]
        assert ole2.validate(BytesReader(changed)).grade is Grade.PARTIAL, wrong


def word_document(flags: int = 0x0200) -> bytes:
    head = struct.pack("<HHHHHH", 0xA5EC, 193, 0, 0, 0, flags).ljust(152, b"\0")
    head += struct.pack("<H", 93) + struct.pack("<II", 0, 500) * 93
    return head.ljust(2048, b"\0") + b"The quick brown fox sells shoes. " * 400


def test_word_documents_are_looked_into():
    data = make_compound({"WordDocument": word_document(), "1Table": b"style " * 900})
    assert ole2.validate(BytesReader(data)).grade is Grade.GOOD
    assert ole2.validate(BytesReader(scramble(data, (512 + 5000, 512 + 5000 + 4096)))).grade is Grade.PARTIAL
    short = make_compound({"WordDocument": word_document(), "1Table": b"style"})
    assert ole2.validate(BytesReader(short)).grade is Grade.PARTIAL
    secret = make_compound({"WordDocument": word_document(0x0300)[:2048] + os.urandom(9000), "1Table": b"s"})
    assert ole2.validate(BytesReader(secret)).grade is Grade.GOOD


def record(version: int, kind: int, body: bytes) -> bytes:
    return struct.pack("<HHI", version, kind, len(body)) + body


def test_presentations_are_looked_into():
    atoms = b"".join(record(0, 4008, b"text %d" % number * 20) for number in range(200))
    slides = record(15, 1006, record(15, 1007, atoms)) + record(0, 4085, bytes(28))
    pictures = record(0x46A, 0xF01D, os.urandom(6000)) + record(0x6E0, 0xF01E, os.urandom(3000))
    data = make_compound({"PowerPoint Document": slides, "Pictures": pictures})
    assert ole2.validate(BytesReader(data)).grade is Grade.GOOD
    assert ole2.validate(BytesReader(scramble(data, (9000, 9000 + 4096)))).grade is Grade.PARTIAL


def test_messages_are_looked_into():
    text = ("Dear customer, your order has been shipped. " * 300).encode("utf-16-le")
    data = make_compound({"__substg1.0_1000001F": text})
    assert ole2.validate(BytesReader(data)).grade is Grade.GOOD
    assert ole2.validate(BytesReader(scramble(data, (8192, 8192 + 4096)))).grade is Grade.PARTIAL


def test_a_file_cut_in_its_last_sector_is_still_good(workbook):
    assert ole2.validate(BytesReader(make_compound({"Other": b"y" * 5000}))).grade is Grade.GOOD
    assert ole2.validate(BytesReader(workbook[:-1024])).grade is not Grade.GOOD
