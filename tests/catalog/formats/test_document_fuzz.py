"""No content makes the parsers of archives and documents raise, hang or lie about lengths."""

from __future__ import annotations

import gzip as gz
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.catalog.formats.compound_maker import biff, make_compound
from tests.catalog.formats.pdf_maker import make_pdf
from tests.catalog.formats.test_archives import SAMPLES as ARCHIVES
from tests.catalog.formats.test_zip import make_zip
from unransom.catalog.formats import gzip, ole2, ooxml, pdf
from unransom.catalog.formats import zip as archives
from unransom.core.records import Grade
from unransom.core.streams import BytesReader

SEEDS: dict[str, tuple[ModuleType, bytes]] = {
    **ARCHIVES,
    "zip": (archives, make_zip(members=2)),
    "zip streamed": (archives, make_zip(members=2, stream=True)),
    "ooxml": (ooxml, make_zip(members=2)),
    "pdf table": (pdf, make_pdf(pages=2)),
    "pdf stream": (pdf, make_pdf(pages=2, table="stream")),
    "gzip": (gzip, gz.compress(b"hello " * 500) * 2),
    "ole2": (ole2, make_compound({"Workbook": biff(31, 200), "small": b"x" * 300})),
}


@st.composite
def mutations(draw: st.DrawFn, data: bytes) -> bytes:
    """A valid file, cut, with bytes changed, and with a piece of it repeated elsewhere."""
    out = bytearray(data)
    size = len(out)
    for place, byte in draw(st.lists(st.tuples(st.integers(0, size - 1), st.integers(0, 255)), max_size=8)):
        out[place] = byte
    for place in draw(st.lists(st.integers(0, min(size - 1, 400)), max_size=4)):
        out[place] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
    if draw(st.booleans()):
        start, length, to = (draw(st.integers(0, size)) for _ in range(3))
        out[to:to] = out[start : start + length % 5000]
    return bytes(out[: draw(st.integers(0, len(out)))]) if draw(st.booleans()) else bytes(out)


def check(module: ModuleType, data: bytes) -> None:
    reader = BytesReader(data)
    assert module.FORMAT.recognise(data[:4096]) >= 0
    measured = module.FORMAT.measure(reader)
    assert measured.length is None or 0 < measured.length <= len(data)
    verdict = module.FORMAT.validate(reader)
    assert verdict.bits >= 0
    assert str(verdict.why)
    assert list(verdict.damage) == sorted(verdict.damage)
    if verdict.grade is Grade.GOOD:
        assert not verdict.damage


@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=25, deadline=4000, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_mutations_are_survived(name, data):
    module, seed = SEEDS[name]
    check(module, data.draw(mutations(seed[:60_000])))


@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=15, deadline=4000, suppress_health_check=list(HealthCheck))
@given(tail=st.binary(max_size=600))
def test_any_bytes_behind_a_head_are_survived(name, tail):
    module, seed = SEEDS[name]
    for head in (0, 8, 32, 512):
        check(module, seed[:head] + tail)


@pytest.mark.timeout(60)
def test_hostile_repetitions_end_soon():
    size = 1 << 19
    repeated = {
        archives: [b"PK\3\4" + bytes(26), b"PK\5\6" + bytes(18), make_zip(members=1)[:40]],
        pdf: [
            b"1 0 obj\n",
            b"1 0 obj<</Length 9>>stream\n",
            b"(((",
            b"%",
            b"9 9 obj endobj xref trailer startxref ",
        ],
        gzip: [gz.compress(b"")[:10] + b"\0\0\0\xff\xff", gz.compress(b"")],
    }
    for module, units in repeated.items():
        for unit in units:
            check(module, unit * (size // len(unit)))
