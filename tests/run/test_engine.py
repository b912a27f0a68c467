"""Workers that die, hang, or ask for too much: the item is blamed, and the run goes on."""

import contextlib

import pytest

from unransom.case.case import Case
from unransom.run import engine, flow
from unransom.run.engine import Engine
from unransom.run.local import LocalExecutor
from unransom.run.recover import add_sources

POISONED = flow.FLOW[0]._replace(perform="tests.run.poison:run")


@pytest.fixture
def poisoned(monkeypatch):
    monkeypatch.setattr(engine, "FLOW", (POISONED,))


def states(case):
    return dict(case.database.execute("SELECT CAST(path AS TEXT), state FROM files"))


def problems(case):
    return dict(
        case.database.execute(
            "SELECT json_extract(body, '$.item'), json_extract(body, '$.code') FROM records"
            " WHERE type = 'Problem'"
        )
    )


def run_on(tmp_path, names, item_seconds=60.0):
    """Run the poisoned step on empty files of these names; return states and problems."""
    (tmp_path / "in").mkdir(exist_ok=True)
    for name in names:
        (tmp_path / "in" / name).touch()
    with Case(tmp_path / "case", create=True) as case, contextlib.closing(LocalExecutor(2)) as executor:
        add_sources(case, [str(tmp_path / "in")])
        Engine(case, executor, item_seconds=item_seconds).run("triage")
        return states(case), problems(case)


def test_three_deaths_blame_the_item_and_no_other(tmp_path, poisoned):
    names = [f"file-{number}" for number in range(20)] + ["poison"]
    found, blamed = run_on(tmp_path, names)
    assert found.pop("poison") == "failed"
    assert set(found.values()) == {"intact"}
    assert blamed == {"in:poison": "blamed"}


def test_a_file_that_takes_too_long_is_passed_over(tmp_path, poisoned):
    found, blamed = run_on(tmp_path, ["a", "slow", "b"], item_seconds=1.0)
    assert found == {"a": "intact", "b": "intact", "slow": "failed"}
    assert blamed == {"in:slow": "limit"}


def test_what_goes_wrong_with_one_file_costs_that_file(tmp_path, poisoned):
    found, blamed = run_on(tmp_path, ["a", "greedy", "b", "fault"])
    assert found == {"a": "intact", "b": "intact", "greedy": "failed", "fault": "failed"}
    assert blamed == {"in:greedy": "limit", "in:fault": "bug"}


def test_every_item_is_handled_once_whatever_the_batch(tmp_path, poisoned, monkeypatch):
    monkeypatch.setattr(engine, "TASK_ITEMS", 7)
    found, blamed = run_on(tmp_path, [f"file-{number}" for number in range(100)])
    assert len(found) == 100
    assert set(found.values()) == {"intact"}
    assert not blamed
