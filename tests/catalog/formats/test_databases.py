from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalog.formats import database_samples as samples
from tests.catalog.formats.locked import scramble
from unransom.catalog.formats import innodb, mssql, sqlite
from unransom.core.records import Grade
from unransom.core.spans import Span
from unransom.core.streams import BytesReader

SHARED = Path("../shared/data/databases")


@pytest.mark.parametrize("page", [512, 1024, 65536])
@pytest.mark.parametrize("vacuum", [False, True])
@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le"])
def test_sqlite_of_any_shape_is_good(page: int, vacuum: bool, encoding: str) -> None:
    data = samples.sqlite(page, vacuum=vacuum, encoding=encoding)
    assert sqlite.validate(BytesReader(data)).grade is Grade.GOOD


def test_sqlite_locates_a_bad_page_and_a_wrong_column_type() -> None:
    data = samples.sqlite()
    verdict = sqlite.validate(BytesReader(scramble(data, (16384, 20480))))
    assert verdict.damage == (Span(16384, 20480),)
    place = data.rindex(b"customer") - 3  # the types of the columns stand in front of the first value
    changed = bytearray(data)
    changed[place] ^= 0x14
    damage = sqlite.validate(BytesReader(bytes(changed))).damage
    assert [span.start for span in damage] == [place // 4096 * 4096]


@pytest.mark.parametrize("page", [512, 4096, 65536])
@pytest.mark.parametrize("rowid", ["", " WITHOUT ROWID"])
def test_zeros_in_place_of_any_page_of_sqlite_are_noticed(page: int, rowid: str) -> None:
    data = samples.sqlite_with_long_records(page, rowid)
    assert sqlite.validate(BytesReader(data)).grade is Grade.GOOD
    ends = samples.last_of_records(data, page)
    for start in range(page, len(data), page):
        verdict = sqlite.validate(BytesReader(data[:start] + bytes(page) + data[start + page :]))
        if start // page + 1 in ends:
            continue  # zeros may be what it holds
        assert verdict.grade is Grade.PARTIAL
        assert any(span.start <= start and start + page <= span.end for span in verdict.damage)


def test_pages_that_lead_behind_the_end_of_sqlite_are_no_danger() -> None:
    data = samples.sqlite_with_long_records(512, "")
    for end in range(512, len(data), 4096):
        assert sqlite.validate(BytesReader(data[:end])).grade is not Grade.GOOD


def test_free_pages_of_sqlite_may_hold_anything() -> None:
    data = samples.sqlite_with_free_pages()
    assert sqlite.validate(BytesReader(data)).grade is Grade.GOOD
    assert sqlite.validate(BytesReader(scramble(data, (len(data) - 4096, len(data))))).grade is Grade.GOOD


def test_sqlite_without_its_head_is_still_seen() -> None:
    data = scramble(samples.sqlite(rows=3000), (0, 65536))
    verdict = sqlite.validate(BytesReader(data))
    assert verdict.grade is Grade.PARTIAL
    assert verdict.damage == (Span(0, 65536),)


def test_old_sqlite_without_a_page_count_is_measured_by_its_pages() -> None:
    data = bytearray(samples.sqlite())
    data[92:96] = b"\0\0\0\1" if data[92:96] != b"\0\0\0\1" else b"\0\0\0\2"
    foreign = scramble(bytes(data) + bytes(8192), (len(data), len(data) + 8192))
    assert sqlite.measure(BytesReader(foreign)).length == len(data)


@pytest.mark.parametrize("rule", ["crc32", "innodb", "none", "full_crc32", "compressed"])
def test_every_checksum_rule_of_innodb(rule: str) -> None:
    data = samples.innodb(rule)
    assert innodb.validate(BytesReader(data)).grade is Grade.GOOD
    changed = bytearray(data)
    changed[3 * 4096 + 2000] ^= 1
    verdict = innodb.validate(BytesReader(bytes(changed)))
    assert verdict.damage == (() if rule == "none" else (Span(3 * 4096, 4 * 4096),))


def test_innodb_without_page_0_is_still_seen() -> None:
    data = samples.innodb("crc32", 16384, 6)
    verdict = innodb.validate(BytesReader(scramble(data, (0, 16384))))
    assert (verdict.grade, verdict.damage) == (Grade.PARTIAL, (Span(0, 16384),))


def test_pages_of_innodb_in_the_wrong_place_are_found() -> None:
    data = samples.innodb()
    swapped = data[:4096] + data[8192:12288] + data[4096:8192] + data[12288:]
    assert innodb.validate(BytesReader(swapped)).damage == (Span(4096, 12288),)


@pytest.mark.parametrize("torn", [False, True])
def test_half_a_page_of_sql_server_is_found(torn: bool) -> None:
    data = samples.mssql(torn=torn)
    assert mssql.validate(BytesReader(data)).grade is Grade.GOOD
    verdict = mssql.validate(BytesReader(scramble(data, (5 * 8192 + 4096, 6 * 8192))))
    assert verdict.damage == (Span(5 * 8192, 6 * 8192),)


def test_free_pages_of_sql_server_may_hold_anything() -> None:
    data = samples.mssql()
    pages = samples.file_header(14) + data[8192:] + scramble(bytes(16384), (0, 16384))
    assert mssql.validate(BytesReader(pages)).grade is Grade.GOOD


def test_sql_server_without_page_0_is_still_seen() -> None:
    verdict = mssql.validate(BytesReader(scramble(samples.mssql(), (0, 8192))))
    assert (verdict.grade, verdict.damage) == (Grade.PARTIAL, (Span(0, 8192),))


def test_a_log_is_walked() -> None:
    data = samples.mssql_log()
    assert mssql.recognise(data[:4096]) == 80
    assert mssql.measure(BytesReader(data + bytes(9999))).length == len(data)
    verdict = mssql.validate(BytesReader(scramble(data, (40960, 45056))))
    assert verdict.damage == (Span(40960, 45056),)
    assert mssql.validate(BytesReader(data[:-8192])).grade is Grade.PARTIAL


@pytest.mark.shared_data
@pytest.mark.parametrize("folder", ["ibd", "mdf"])
def test_real_files_are_good_and_measured(folder: str) -> None:
    form = innodb.FORMAT if folder == "ibd" else mssql.FORMAT
    paths = [path for path in sorted((SHARED / folder).iterdir()) if path.suffix in {".ibd", ".mdf", ".ldf"}]
    assert paths
    for path in paths:
        data = path.read_bytes()
        verdict = form.validate(BytesReader(data))
        assert verdict.grade is Grade.GOOD, (path.name, str(verdict.why))
        assert form.measure(BytesReader(data + bytes(50_000))).length == len(data)
