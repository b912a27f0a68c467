"""Names of outputs stay below their folder and are names on Linux and Windows."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unransom.core.paths import (
    FORBIDDEN,
    MAX_NAME,
    RESERVED,
    as_named,
    base_name,
    safe_name,
    safe_path,
    stays_below,
)


@given(st.binary(max_size=600))
def test_any_path_becomes_a_relative_one_below(path):
    safe = safe_path(path)
    parts = safe.split(b"/")
    assert safe
    assert os.path.normpath(safe) == safe
    for part in parts:
        assert 0 < len(part) <= MAX_NAME
        assert part not in {b".", b".."}
        assert not set(part) & set(FORBIDDEN)
        assert part.split(b".")[0].upper() not in RESERVED
        assert not part.endswith((b".", b" "))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        (b"CON", b"_CON"),
        (b"nul.txt", b"_nul.txt"),
        (b"..", b"_"),
        (b"a.", b"a_"),
        (b"C:", b"C_"),
        (b"a/b", b"a_b"),
        ("订单.xlsx".encode(), "订单.xlsx".encode()),
        (b"x" * 300 + b".docx", b"x" * 250 + b".docx"),
    ],
)
def test_names(name, safe):
    assert safe_name(name) == safe


@given(st.binary(max_size=50))
def test_a_safe_name_is_its_own(name):
    assert safe_name(safe_name(name)) == safe_name(name)


def test_base_names_of_either_system():
    assert base_name(b"C:\\shop\\a.png") == b"a.png"
    assert base_name(b"/srv/a.png/") == b"a.png"
    assert base_name(b"..\\..\\x") == b"x"


@pytest.mark.parametrize(
    ("output", "original", "named"),
    [
        (b"s/a_.docx", b"s/a?.docx.locked", b"s/a?.docx"),
        (b"s/dr_/_CON", b"s/dr./CON", b"s/dr./_CON"),
        (b"s/_a/b", b"s/../:a/b", b"s/:a/b"),
        (b"s/a_b", b"s/a\\b", b"s/a_b"),
        (b"s/n_", b"s/n\n", b"s/n_"),
        (b"s/a_.2.docx", b"s/a?.docx", b"s/a_.2.docx"),
        (b"s/volume/f", b"s/f?", b"s/volume/f"),
    ],
)
def test_a_file_gets_the_name_back_that_windows_does_not_take(output, original, named):
    assert as_named(output, original) == named


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_a_name_given_back_stays_below(path, ending):
    named = as_named(safe_path(path), path + ending)
    assert stays_below(named)
    assert safe_path(named) == safe_path(path)
