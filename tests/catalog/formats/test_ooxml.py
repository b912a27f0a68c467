from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest

from tests.catalog.formats.locked import LOCKINGS
from unransom.catalog.formats import ooxml
from unransom.catalog.formats import zip as archives
from unransom.core.records import Grade
from unransom.core.streams import BytesReader


@pytest.fixture(scope="module")
def workbook() -> bytes:
    book = openpyxl.Workbook()
    for row in range(600):
        book.active.append([row, row * 7919 % 1000 / 7, f"order {row * 31337 % 99991}"])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def test_a_workbook_is_good_and_more_than_a_zip(workbook):
    assert ooxml.recognise(workbook[:4096]) > archives.recognise(workbook[:4096]) > 0
    verdict = ooxml.validate(BytesReader(workbook))
    assert verdict.grade is Grade.GOOD
    assert verdict.bits >= 256
    assert ooxml.FORMAT.measure(BytesReader(workbook + b"\0" * 4000)).length == len(workbook)


def test_every_locked_variant_is_noticed(workbook):
    for name, lock in LOCKINGS.items():
        damaged = lock(workbook)
        assert ooxml.validate(BytesReader(damaged)).grade in {Grade.PARTIAL, Grade.BAD}, name


def test_a_plain_zip_is_no_office_document():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("word/document.xml", b"<w:document/>" * 20)
    verdict = ooxml.validate(BytesReader(target.getvalue()))
    assert verdict.grade is Grade.PARTIAL
    assert "[Content_Types].xml" in str(verdict.why)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("hello.txt", b"hello")
    assert ooxml.recognise(target.getvalue()) == 0
