"""What every text, database and system format promises, on small files made here and on damaged ones."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.catalog.formats import database_samples as databases
from tests.catalog.formats import program_samples as programs
from tests.catalog.formats import small_samples as small
from tests.catalog.formats import system_samples as samples
from tests.catalog.formats.locked import LOCKINGS
from unransom.catalog.formats import (
    csv,
    dbf,
    der,
    dex,
    elf,
    evtx,
    font,
    html,
    icc,
    innodb,
    javaclass,
    json,
    mo,
    mssql,
    npy,
    pe,
    pyc,
    registry,
    sqlite,
    svg,
    text,
    xml,
)
from unransom.catalog.formats.format import HEAD, Format
from unransom.core.records import Grade
from unransom.core.streams import BytesReader

CASES: dict[str, tuple[Format, Callable[[], bytes]]] = {
    "csv": (csv.FORMAT, samples.csv_text),
    "dbf": (dbf.FORMAT, small.dbf),
    "der": (der.FORMAT, small.der),
    "dex": (dex.FORMAT, small.dex),
    "elf": (elf.FORMAT, programs.elf),
    "evtx": (evtx.FORMAT, programs.evtx),
    "font": (font.FORMAT, programs.font),
    "html": (html.FORMAT, samples.html),
    "icc": (icc.FORMAT, small.icc),
    "innodb": (innodb.FORMAT, databases.innodb),
    "javaclass": (javaclass.FORMAT, small.java_class),
    "json": (json.FORMAT, samples.json_text),
    "mo": (mo.FORMAT, small.mo),
    "mssql": (mssql.FORMAT, databases.mssql),
    "npy": (npy.FORMAT, small.npy),
    "pe": (pe.FORMAT, programs.pe),
    "pyc": (pyc.FORMAT, small.pyc),
    "registry": (registry.FORMAT, programs.registry),
    "sqlite": (sqlite.FORMAT, databases.sqlite),
    "svg": (svg.FORMAT, samples.svg),
    "text": (text.FORMAT, samples.text),
    "xml": (xml.FORMAT, samples.xml),
}
CUT_UNNOTICED = {"text"}
UNMEASURED: set[str] = set()
MADE = {name: make() for name, (_, make) in CASES.items()}


@pytest.mark.parametrize("name", CASES)
def test_a_healthy_file_is_recognised_and_good(name: str) -> None:
    form, data = CASES[name][0], MADE[name]
    verdict = form.validate(BytesReader(data))
    assert form.name == name
    assert form.recognise(data[:HEAD]) >= 16
    assert verdict.grade is Grade.GOOD, str(verdict.why)
    assert verdict.bits >= 64
    assert not verdict.damage


@pytest.mark.parametrize("locking", LOCKINGS)
@pytest.mark.parametrize("name", CASES)
def test_a_locked_file_is_not_good(name: str, locking: str) -> None:
    data = LOCKINGS[locking](MADE[name])
    verdict = CASES[name][0].validate(BytesReader(data))
    assert verdict.grade in (Grade.PARTIAL, Grade.BAD)
    assert verdict.damage
    assert all(0 <= span.start < span.end <= len(data) for span in verdict.damage)


@pytest.mark.parametrize("name", CASES)
def test_random_bytes_are_bad_and_not_recognised(name: str) -> None:
    data = LOCKINGS["whole"](MADE[name])
    assert CASES[name][0].recognise(data[:HEAD]) == 0
    assert CASES[name][0].validate(BytesReader(data)).grade is Grade.BAD


@pytest.mark.parametrize("name", sorted(set(CASES) - CUT_UNNOTICED))
def test_half_a_file_is_not_good(name: str) -> None:
    data = MADE[name][: len(MADE[name]) // 2]
    assert CASES[name][0].validate(BytesReader(data)).grade is not Grade.GOOD


@pytest.mark.parametrize("name", sorted(set(CASES) - UNMEASURED))
def test_the_end_is_found_in_front_of_zeros(name: str) -> None:
    data = MADE[name]
    assert CASES[name][0].measure(BytesReader(data + bytes(5000))).length == len(data)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=25, deadline=None)
@given(change=st.data())
def test_no_content_breaks_a_validator(name: str, change: st.DataObject) -> None:
    form, healthy = CASES[name][0], MADE[name]
    data = bytearray(healthy[: change.draw(st.integers(0, len(healthy)), "cut")])
    for _ in range(change.draw(st.integers(0, 6), "edits") if data else 0):
        start = change.draw(st.integers(0, len(data) - 1) | st.integers(0, min(255, len(data) - 1)))
        piece = change.draw(
            st.binary(min_size=1, max_size=8) | st.just(b"\xff\xff\xff\xff") | st.just(bytes(8))
        )
        data[start : start + len(piece)] = piece
    reader = BytesReader(bytes(data))
    before = time.perf_counter()
    verdict, length = form.validate(reader), form.measure(reader).length
    assert time.perf_counter() - before < 5
    assert form.recognise(bytes(data[:HEAD])) >= 0
    assert length is None or 0 <= length <= len(data)
    assert all(span.start <= span.end <= len(data) for span in verdict.damage)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=25, deadline=None)
@given(data=st.binary(max_size=600))
def test_random_content_breaks_no_validator(name: str, data: bytes) -> None:
    form = CASES[name][0]
    for content in (data, MADE[name][:64] + data):
        form.recognise(content[:HEAD])
        form.measure(BytesReader(content))
        form.validate(BytesReader(content))
