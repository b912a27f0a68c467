from __future__ import annotations

import json as stdlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.catalog.formats import system_samples as samples
from unransom.catalog.formats._json_kernel import Automaton
from unransom.catalog.formats.json import FORMAT, validate
from unransom.core.records import Grade
from unransom.core.streams import BytesReader

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(value=VALUES, ascii_only=st.booleans(), indent=st.none() | st.just(2), cut=st.integers(1, 40))
def test_what_python_writes_is_read_in_any_pieces(
    value: object, ascii_only: bool, indent: int | None, cut: int
) -> None:
    data = stdlib.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    automaton = Automaton()
    for start in range(0, len(data), cut):
        assert automaton.feed(data[start : start + cut]) == -1
    automaton.feed(b"\n")
    assert automaton.done
    assert automaton.values == 1


@pytest.mark.parametrize(
    "text",
    [
        '{"a" 1}',
        '{"a":1 "b":2}',
        "[1 2]",
        "[01]",
        "[1.]",
        "[-]",
        "[tru]",
        '["\\x"]',
        '["\\u12g4"]',
        "{1:2}",
        "[1,,2]",
        '["a\nb"]',
        "[1}",
        '{"a":1]',
        "]",
        "[nul]",
        "[1e]",
        "[.5]",
        "[+1]",
        "{,}",
    ],
)
def test_what_is_no_json_is_found(text: str) -> None:
    automaton = Automaton()
    assert automaton.feed(text.encode()) >= 0


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1} // comment\n/* and ** one */ {"b": [1, 2,],}',
        b'\xef\xbb\xbf{"a": NaN, "b": -Infinity}',
        b'{"line": 1}\n{"line": 2}\n' * 50,
        '{"Größe": "订单"}'.encode("utf-16"),
        b"-12.5e+3",
    ],
)
def test_what_writers_leave_is_let_pass(data: bytes) -> None:
    assert validate(BytesReader(data)).grade is Grade.GOOD


def test_a_fault_is_located_and_the_end_is_missed() -> None:
    data = samples.json_text()
    place = data.index(b'"price"', 20_000)
    verdict = validate(BytesReader(data[:place] + b"x" + data[place + 1 :]))
    assert (verdict.grade, verdict.damage[0].start) == (Grade.PARTIAL, place)
    assert validate(BytesReader(data[:-1])).grade is Grade.PARTIAL


def test_nesting_without_end_is_refused() -> None:
    assert validate(BytesReader(b"[" * 1_100_000)).grade is not Grade.GOOD


def test_measure_takes_all_lines() -> None:
    lines = b'{"line": 1}\n{"line": 2}\n'
    assert FORMAT.measure(BytesReader(lines + b"\0\x93junk")).length == len(lines)
    assert FORMAT.measure(BytesReader(b'{"line"')).length is None
