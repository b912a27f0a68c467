"""Triage calls a file lost where nothing of it is left, and says which part of another is."""

import contextlib

import pytest

from tests.catalog.losses.made import MADE, azov, table, vect
from unransom.core.context import Context
from unransom.core.errors import UnreadableError
from unransom.core.records import FileRef, Finding, State
from unransom.core.streams import BytesReader
from unransom.examine.triage.step import run


def triage(name, reader):
    """Return the file's record, and the findings."""
    context = Context(open=lambda _: contextlib.nullcontext(reader))
    records = list(run(FileRef(source="s", path=name, size=reader.size), context))
    (ref,) = (each for each in records if isinstance(each, FileRef))
    return ref, [each for each in records if isinstance(each, Finding)]


@pytest.mark.parametrize("rule", MADE)
def test_the_state_says_how_much_is_lost(rule):
    for made in MADE[rule]:
        ref, findings = triage(made.name, BytesReader(made.data))
        (finding,) = (each for each in findings if each.facts.get("rule") == rule)
        assert finding.kind == ("lost" if made.proven else "doubtful")
        assert finding.facts["references"].startswith("https://")
        if made.whole:
            assert (ref.state, ref.family, ref.candidates, ref.locked) == (State.LOST, None, (), None)
            assert ref.why == finding.what
            assert int(finding.facts.get("bytes", 0)) == made.lost
            assert finding.facts["spans"] == "all"
        else:
            assert ref.state is not State.LOST
            assert ref.state is State.LOCKED or not made.proven
            assert int(finding.facts.get("bytes", 0)) == made.lost


def test_the_finding_names_the_bytes_that_are_gone():
    _, (finding,) = triage(b"d/a.bin.vect", BytesReader(vect(table(1 << 20))))
    assert finding.item == "s:d/a.bin.vect"
    assert finding.facts["spans"] == "0-32768, 262144-294912, 524288-557056"
    _, (finding,) = triage(b"d/a.bin.azov", BytesReader(azov(table(100_000))))
    assert finding.facts["spans"] == "666 of every 1332 from 0, 75 times"


class Unreadable:
    """A file of which nothing can be read: it looks like zeros."""

    size = 1 << 16

    def read_at(self, offset, length):
        raise UnreadableError(offset, length)


@pytest.mark.parametrize("name", [b"photo.jpg.08kJA", b"a.pdf.akira"])
def test_what_cannot_be_read_is_not_lost(name):
    ref, findings = triage(name, Unreadable())
    assert ref.state is not State.LOST
    assert not findings
