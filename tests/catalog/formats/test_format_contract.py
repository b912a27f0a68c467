"""What every format promises: healthy files are good, locked and damaged ones are not, nothing breaks it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.catalog.formats.locked import LOCKINGS
from tests.catalog.formats.samples import SAMPLES, made
from tests.lockers import drawn
from tests.soak import LONGER
from unransom.catalog.formats.format import HEAD, Format
from unransom.catalog.formats.identify import identify
from unransom.core.records import Grade
from unransom.core.streams import BytesReader

EACH = pytest.mark.parametrize("name", SAMPLES)
FUZZ = settings(max_examples=25 * LONGER, deadline=None, suppress_health_check=list(HealthCheck))


@EACH
def test_a_healthy_file_is_recognised_and_good(name: str) -> None:
    sample, data = SAMPLES[name], made(name)
    verdict = sample.form.validate(BytesReader(data))
    assert verdict.grade is Grade.GOOD, str(verdict.why)
    assert verdict.bits >= (1 if sample.weak else 64)
    assert verdict.length in {None, len(data)}
    assert not verdict.damage
    found = identify(data[:HEAD])
    assert found is not None
    assert found.format.name == sample.format
    assert found.bits >= 16


@pytest.mark.parametrize("locking", LOCKINGS)
@EACH
def test_a_locked_file_is_not_good(name: str, locking: str) -> None:
    if locking in SAMPLES[name].unseen:
        return
    data = LOCKINGS[locking](made(name))
    verdict = SAMPLES[name].form.validate(BytesReader(data))
    assert verdict.grade in {Grade.PARTIAL, Grade.BAD}, str(verdict.why)
    check_spans(verdict.damage, data)


@EACH
def test_random_bytes_are_bad_and_not_recognised(name: str) -> None:
    data = LOCKINGS["whole"](made(name))
    form = SAMPLES[name].form
    assert form.recognise(data[:HEAD]) == 0
    assert form.validate(BytesReader(data)).grade is Grade.BAD


@EACH
def test_a_file_that_is_cut_off_is_not_good(name: str) -> None:
    if not SAMPLES[name].cut_unseen:
        cut = BytesReader(made(name)[: len(made(name)) * 4 // 7])
        assert SAMPLES[name].form.validate(cut).grade is not Grade.GOOD


@EACH
def test_the_end_is_found_whatever_follows(name: str) -> None:
    sample, data = SAMPLES[name], made(name)
    if sample.open_ended:
        return
    following = [b"", bytes(5000)] + ([] if sample.continued else [data])
    for behind in following:
        assert sample.form.measure(BytesReader(data + behind)).length == len(data)


def check_spans(damage: tuple, data: bytes) -> None:
    assert list(damage) == sorted(damage)
    assert all(0 <= span.start <= span.end <= len(data) for span in damage)


def check(form: Format, data: bytes) -> None:
    """Run everything that a format offers on ``data`` and hold it to what it may answer."""
    reader = BytesReader(data)
    assert form.recognise(data[:HEAD]) >= 0
    measured = form.measure(reader)
    assert measured.length is None or 0 <= measured.length <= len(data)
    verdict = form.validate(reader)
    assert verdict.bits >= 0
    assert verdict.length is None or verdict.length >= 0  # a file that is cut off was longer
    assert str(verdict.why)
    assert str(measured.why)
    check_spans(verdict.damage, data)
    assert verdict.grade is not Grade.GOOD or not verdict.damage


@st.composite
def mutations(draw: st.DrawFn, size: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]], slice, int]:
    """Bytes to change anywhere and in the head, a piece to repeat elsewhere, and where to cut."""
    anywhere = draw(st.lists(st.tuples(st.integers(0, size - 1), st.integers(0, 255)), max_size=8))
    head = st.tuples(st.integers(0, min(size - 1, 400)), st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]))
    start, length = draw(st.integers(0, size)), draw(st.integers(0, 5000))
    return (
        anywhere,
        draw(st.lists(head, max_size=6)),
        slice(start, start + length),
        draw(st.integers(0, 2 * size)),
    )


@EACH
@FUZZ
@given(data=st.data())
def test_no_mutation_breaks_a_format(name: str, data: st.DataObject) -> None:
    out = bytearray(made(name)[:60_000])
    anywhere, head, piece, cut = data.draw(mutations(len(out)))
    for place, byte in anywhere + head:
        out[place] = byte
    out[cut % (len(out) + 1) : 0] = out[piece]
    check(SAMPLES[name].form, bytes(out[: cut or None]))


@EACH
@FUZZ
@given(tail=st.binary(max_size=600), head=st.sampled_from([0, 8, 32, 64, 512]))
def test_any_bytes_behind_a_head_are_survived(name: str, tail: bytes, head: int) -> None:
    check(SAMPLES[name].form, made(name)[:head] + tail)


@pytest.mark.timeout(600)
@EACH
def test_repetitions_of_a_head_end_soon(name: str) -> None:
    for length in (8, 40, 600):
        unit = made(name)[:length]
        check(SAMPLES[name].form, unit * ((1 << 18) // length))
    check(SAMPLES[name].form, made(name)[:64] + drawn(name, 1 << 18))
