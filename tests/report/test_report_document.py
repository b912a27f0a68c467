"""The document's figures: counts add up, rates and origins are worked out right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unransom.core.records import State
from unransom.core.spans import Origin, Run
from unransom.report.tallies import ENDS, Counts, Origins, StepTime


@given(st.dictionaries(st.sampled_from(State), st.integers(0, 10**15)))
def test_counts_of_states_add_up(ends: dict[State, int]) -> None:
    counts = Counts.of(ends)
    assert counts.adds_up
    assert counts.total == sum(ends.values())


@pytest.mark.parametrize("state", ENDS)
def test_counts_that_are_off_by_one_do_not_add_up(state: State) -> None:
    assert not Counts(total=2, **{state.value: 1}).adds_up
    assert Counts(total=1, **{state.value: 1}).adds_up


def test_a_locked_file_without_a_key_was_not_brought_back() -> None:
    counts = Counts.of({State.LOCKED: 7, State.FOUND: 2})
    assert (counts.failed, counts.unknown, counts.locked, counts.missing) == (7, 2, 7, 9)


def test_rates_of_a_step() -> None:
    step = StepTime.of("unlock", 4.0, 100, 8_000_000)
    assert (step.megabytes_per_second, step.files_per_second) == (2.0, 25.0)
    assert StepTime.of("unlock", 0.0, 100, 8_000_000).megabytes_per_second == 0


def test_origins_of_a_byte_map() -> None:
    runs = (Run(0, 3, Origin.LOST), Run(3, 10, Origin.PLAIN), Run(10, 12, Origin.LOST))
    assert Origins.of(runs) == Origins(plain=7, lost=5)
