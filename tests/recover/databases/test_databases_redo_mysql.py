"""Rows that only the redo log of a real MySQL holds, and pages that it brings forward; made logs, too."""

import functools
import json
import random
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unransom.catalog.databases.engine import Hints, Source
from unransom.catalog.databases.innodb import ENGINE, forward
from unransom.catalog.databases.innodb.redo_logical import LogicalRedo
from unransom.catalog.formats._innodb_checksums import crc32c
from unransom.core.streams import BytesReader

TAKEN = Path("tests/vectors/databases/mysql_redo.tar.xz")
TABLES = ("parcels", "stock", "texts")
PAGE = 4096


def _damaged(data, length, every, first=7):
    """Return a file with noise in every few of its pages."""
    noise, out = random.Random(64), bytearray(data)
    for start in range(first * PAGE, len(out), every * PAGE):
        at = start + (PAGE - length) // 2
        out[at : at + length] = noise.randbytes(length)
    return bytes(out)


PATTERNS = {
    "pages": lambda data: _damaged(data, PAGE, 3),
    "parts": lambda data: _damaged(data, 1500, 2),
    "heads": lambda data: _damaged(data, PAGE, 1000, 0),
    "few left": lambda data: _damaged(_damaged(data, PAGE, 2), PAGE, 4, 8),
}


@functools.cache
def _taken():
    """Return the files of the vector by name."""
    with tarfile.open(TAKEN) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def _log():
    return {name: data for name, data in _taken().items() if name.startswith("#ib_redo")}


def _read(name, data, log):
    """Return the rows by state, the confidences of those of the log, and the definition's rows."""
    known = json.loads(_taken()["rows.json"])[name]
    sources = [Source(f"{name}.ibd", BytesReader(data), "shop")]
    sources += [Source(file, BytesReader(part), "#innodb_redo") for file, part in log.items()]
    (database,) = ENGINE.open(sources, Hints(sql=(known["create"],)))
    (table,) = database.tables
    names = [column.name for column in table.columns]
    found, sure = {}, {}
    for rows in database.rows(table):
        for row in rows.batch.to_pylist():
            if row["_state"] == "deleted":
                continue
            values = tuple(None if row[each] is None else str(row[each]) for each in names)
            found.setdefault(row["_state"], []).append(values)
            sure[values] = row["_confidence"]
    return found, sure, {tuple(row) for row in known["rows"]}, database


def _all(found):
    rows = [row for state in found.values() for row in state]
    assert len(set(rows)) == len(rows)
    return set(rows)


@pytest.mark.parametrize("name", TABLES)
def test_what_the_server_had_not_written_comes_back(name):
    data = _taken()[f"{name}.ibd"]
    found, _, wanted, database = _read(name, data, _log())
    assert _all(found) == wanted
    assert not database.problems
    without, _, _, _ = _read(name, data, {})
    assert _all(without) != wanted


@pytest.mark.parametrize("name", ["old", "grown"])
def test_a_table_whose_pages_cannot_be_brought_forward_stays_as_it_was(name):
    data = _taken()[f"{name}.ibd"]
    found, _, _, database = _read(name, data, _log())
    without, _, _, _ = _read(name, data, {})
    assert found == without
    assert "older than the redo log" in str(database.problems)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("pattern", [*PATTERNS])
def test_no_row_of_a_damaged_table_is_as_it_was_before(name, pattern):
    found, sure, wanted, _ = _read(name, PATTERNS[pattern](_taken()[f"{name}.ibd"]), _log())
    back = {row for row in _all(found) if sure[row] != 0.5}  # of the others a value off the page is lost
    assert back <= wanted


def test_a_part_of_the_log_that_is_lost_makes_rows_less_sure():
    log = _log()
    first = min(log)
    torn = {**log, first: log[first][:100_000] + bytes(3000) + log[first][103_000:]}
    found, sure, wanted, database = _read("parcels", _taken()["parcels.ibd"], torn)
    wrong = [row for row in found.get("log", []) if row not in wanted]
    assert all(sure[row] < 0.7 for row in wrong)
    assert "older than the redo log" in str(database.problems)


def test_the_files_of_a_log_need_no_heads():
    log = {name: bytes(512) + data[512:] for name, data in _log().items()}
    found, _, wanted, _ = _read("parcels", _taken()["parcels.ibd"], log)
    assert _all(found) == wanted


def test_sealed_sectors_are_said_to_be_encrypted():
    log = {name: bytearray(data) for name, data in _log().items()}
    for data in log.values():
        for at in range(2048, len(data), 512):
            data[at + 4] |= 0x80
            data[at + 508 : at + 512] = crc32c(bytes(data[at : at + 508])).to_bytes(4)
    found, _, _, database = _read("parcels", _taken()["parcels.ibd"], {k: bytes(v) for k, v in log.items()})
    assert set(found) == {"live"}
    assert "a redo log is encrypted" in str(database.problems)


def _number(value):
    """Return a number as the log writes it, in one or two bytes."""
    return bytes([value]) if value < 128 else (0x8000 | value).to_bytes(2)


def _record(kind, body=b"", page=7):
    """Return a record of tablespace 5."""
    return bytes([kind, 5]) + _number(page) + body


def _made(*transactions):
    """Return a log with mini-transactions."""
    begins, stream = [], bytearray()
    for records in transactions:
        begins.append(len(stream))
        stream += b"".join(records) + b"\x1f"
    firsts = {}
    for begin in begins:
        firsts.setdefault(begin // 496, begin % 496 + 12)
    log = bytearray(((6).to_bytes(4) + bytes(12)).ljust(2048, b"\0"))
    for number, at in enumerate(range(0, len(stream), 496)):
        held = bytes(stream[at : at + 496])
        used = 512 if len(held) == 496 else 12 + len(held)
        head = (number + 9).to_bytes(4) + used.to_bytes(2) + firsts.get(number, 0).to_bytes(2) + bytes(4)
        sector = (head + held).ljust(508, b"\0")
        log += sector + crc32c(sector).to_bytes(4)
    return LogicalRedo([Source("#ib_redo1", BytesReader(bytes(log)))])


# Of an index on one field of variable length up to 255 bytes that is not NULL: since 8.0.28, and before.
SHAPES = {67: b"\1\1\0\1\0\1\x80\0", 38: b"\0\1\0\1\x80\0"}
BEGIN = [_record(59), _record(37), _record(2, b"\0\x40\0")]  # page, index, level


def _insert(kind, before, same, head, rest):
    size = len(head) + len(rest) if not same else len(rest)
    body = before.to_bytes(2) + _number(2 * size + 1) + b"\0" + _number(6) + _number(same)
    return _record(kind, SHAPES[kind] + body + (b"" if same else head) + rest)


@pytest.mark.parametrize("kind", [67, 38])
def test_records_are_inserted_where_freed_room_is(kind):
    delete = {67: 69, 38: 42}[kind]
    log = _made(
        BEGIN,
        [_insert(kind, 99, 0, b"\5\0\0\0\0\0", b"hello")],
        [_insert(kind, 126, 8, b"", b"lp!")],  # shares length, header and "he" with the one before
        [_record(delete, SHAPES[kind] + (126).to_bytes(2))],
        [_insert(kind, 99, 0, b"\2\0\0\0\0\0", b"go")],
    )
    (made,) = log.pages(5, np.array([7]), PAGE)
    page = made.pages[0].tobytes()
    assert page[54:56] == b"\0\2"
    assert page[126:128] == b"go"  # in the room of the first
    assert page[137:142] == b"help!"
    assert page[97:99] == (126 - 99).to_bytes(2)
    assert page[124:126] == (137 - 126).to_bytes(2)
    assert page[135:137] == (112 - 137).to_bytes(2, signed=True)
    assert page[44:46] == b"\0\0"
    assert not made.old.any()


def test_a_change_that_does_not_fit_its_page_gives_it_up():
    good = _insert(67, 99, 0, b"\5\0\0\0\0\0", b"hello")
    for bad in (
        _insert(67, 300, 0, b"\5\0\0\0\0\0", b"hello"),
        _insert(67, 99, 0, b"\4\0\0\0\0\0", b"hello"),
        _record(69, SHAPES[67] + (200).to_bytes(2)),
    ):
        assert not [
            n for each in _made(BEGIN, [good], [bad]).pages(5, np.array([7]), PAGE) for n in each.numbers
        ]


def test_a_page_that_is_freed_is_no_longer_there():
    good = _insert(67, 99, 0, b"\5\0\0\0\0\0", b"hello")
    free = _record(1, (150 + 24 + 1).to_bytes(2) + _number(0x40), page=0)  # the bits of pages 4 to 7
    for records, there in (([good], True), ([good, free], False)):
        found = _made(BEGIN, records).pages(5, np.array([7]), PAGE)
        assert any(len(each.numbers) for each in found) is there


def test_behind_an_unknown_record_pages_may_have_changed():
    good = _insert(67, 99, 0, b"\5\0\0\0\0\0", b"hello")
    log = _made(BEGIN, [good], [b"\x7e" + bytes(600)], [_record(2, b"\0\x40\0", page=8)])
    (made,) = log.pages(5, np.array([7]), PAGE)
    assert made.old.all()
    assert log.stopped


KINDS = st.sampled_from([1, 2, 4, 8, 11, 19, 20, 24, 30, 36, 37, 38, 41, 42, 46, *range(57, 77)])
RECORDS = st.builds(
    lambda kind, shape, numbers, rest: _record(
        kind, shape + b"".join(each.to_bytes(2) for each in numbers) + rest
    ),
    KINDS,
    st.sampled_from([b"", *SHAPES.values(), b"\1\7\0\2\0\1\0\1\0\0\x80\0\0\0"]),
    st.lists(st.one_of(st.integers(90, 200), st.integers(0, 4200)), max_size=4),
    st.binary(max_size=30),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.lists(RECORDS, min_size=1, max_size=4), max_size=20))
def test_no_log_breaks_the_reader(transactions):
    good = _insert(67, 99, 0, b"\5\0\0\0\0\0", b"hello")
    for each in _made(BEGIN, [good], *transactions).pages(5, np.arange(3, 9), PAGE):
        assert set(each.numbers.tolist()) <= set(range(3, 9))


def test_noise_in_a_real_log_breaks_nothing():
    noise = random.Random(9)
    for _ in range(4):
        log = {}
        for name, data in _log().items():
            made = bytearray(data)
            for _ in range(60):
                at = noise.randrange(2048, len(made))
                made[at] = noise.randrange(256)
                start = at // 512 * 512
                made[start + 508 : start + 512] = crc32c(bytes(made[start : start + 508])).to_bytes(4)
            log[name] = bytes(made)
        _read("parcels", _taken()["parcels.ibd"], log)


@pytest.mark.parametrize("kept", [1, 3, 4])
@pytest.mark.parametrize("name", TABLES)
def test_rows_of_pages_that_stay_as_they_were_are_doubted_and_none_is_shown_twice(monkeypatch, name, kept):
    monkeypatch.setattr(forward, "MOST_KEPT", kept * PAGE)
    found, sure, wanted, _ = _read(name, _taken()[f"{name}.ibd"], _log())
    assert all(sure[row] < 1 for row in _all(found) - wanted)
