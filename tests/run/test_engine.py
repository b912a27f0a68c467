"""Workers that die, hang, or ask for too much: the item is blamed, and the run goes on."""

import contextlib
import multiprocessing
import time

import msgspec
import pytest

from tests.run.poison import Deadly
from unransom.case import files
from unransom.case.case import Case
from unransom.core.records import FileRef
from unransom.run import engine, flow, queue
from unransom.run.engine import Engine
from unransom.run.executor import Fate
from unransom.run.local import LocalExecutor
from unransom.run.recover import add_sources
from unransom.run.work import Done, Surroundings, Task

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


def test_a_task_that_is_lost_with_its_worker_is_a_death_and_no_wait(tmp_path):
    deadly = Deadly(tmp_path / "killed", Surroundings(case=str(tmp_path), sources=()))
    results = performed(deadly, [task(b"%d" % number) for number in range(6)])
    assert results.count(Fate.DIED) == 1
    assert sum(isinstance(each, Done) for each in results) == 5


def test_a_worker_that_dies_does_not_stop_the_others(tmp_path):
    deadly = Deadly(tmp_path / "killed", task(b"1").items)
    tasks = [task(b"slow", seconds=3.0), msgspec.structs.replace(task(b"1"), items=deadly)]
    results = performed(
        Surroundings(case=str(tmp_path), sources=()), [*tasks, *map(task, [b"2", b"3", b"4"])]
    )
    assert [each for each in results if isinstance(each, Fate)] == [Fate.DIED, Fate.TIMEOUT]
    assert len(results) == 5


def test_a_worker_that_dies_with_half_of_its_result_written_has_died(tmp_path):
    def tasks():
        yield task(bytes(1 << 22))
        (worker,) = multiprocessing.active_children()
        time.sleep(1)  # the pipe is full long before
        worker.kill()
        yield task(b"2")

    results = performed(Surroundings(case=str(tmp_path), sources=()), tasks())
    assert [type(each) for each in results] == [Fate, Done]


def test_a_run_that_is_given_up_leaves_no_worker_behind(tmp_path):
    surroundings = Surroundings(case=str(tmp_path), sources=())
    with contextlib.closing(LocalExecutor(2)) as executor:
        given_up = executor.run(surroundings, [task(b"slow"), task(b"slow")])
        assert next(given_up) is None
        given_up.close()
        assert not multiprocessing.active_children()
        outcomes = list(executor.run(surroundings, [task(b"1")]))
    assert [isinstance(each.result, Done) for each in outcomes if each] == [True]
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("step", ["tests.run.poison:nowhere", "tests.run.nowhere:run"])
def test_a_step_that_is_not_there_is_the_fault_of_the_run(tmp_path, step):
    wrong = msgspec.structs.replace(task(b"1"), perform=step)
    with contextlib.closing(LocalExecutor(2)) as executor, pytest.raises((AttributeError, ImportError)):
        list(executor.run(Surroundings(case=str(tmp_path), sources=()), [wrong]))


def task(path, seconds=60.0):
    ref = FileRef(source="in", path=path, size=0)
    return Task("triage", POISONED.perform, (0,), (ref,), seconds)


def performed(surroundings, tasks):
    with contextlib.closing(LocalExecutor(2)) as executor:
        return [each.result for each in executor.run(surroundings, tasks) if each is not None]


def test_a_file_that_takes_too_long_is_passed_over(tmp_path, poisoned):
    found, blamed = run_on(tmp_path, ["a", "slow", "b"], item_seconds=1.0)
    assert found == {"a": "intact", "b": "intact", "slow": "failed"}
    assert blamed == {"in:slow": "limit"}


def test_a_search_that_goes_on_when_its_time_is_over_is_left_for_the_next_run(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "FLOW", ())
    (tmp_path / "in").mkdir()
    for name in ("a", "slow"):
        (tmp_path / "in" / name).touch()
    with Case(tmp_path / "case", create=True) as case, contextlib.closing(LocalExecutor(2)) as executor:
        add_sources(case, [str(tmp_path / "in")])
        searcher = Engine(case, executor)
        searcher.run()  # lists
        searcher.perform(POISONED._replace(items=lambda database: flow.Parts(Overdue(database))))
        assert sorted(states(case).items()) == [("a", "intact"), ("slow", "found")]
        assert not problems(case)
        assert case.database.execute("SELECT sum(deaths) FROM journal").fetchone() == (0,)


class Overdue:
    """A search in files whose time is over once all of them but one have been searched."""

    def __init__(self, database):
        self._database = database
        self._files = files.select(database, "1")
        self.total = 2

    @property
    def over(self):
        (waiting,) = self._database.execute("SELECT count(*) FROM files WHERE state = 'found'").fetchone()
        return waiting == 1

    def __next__(self):
        ref = next(self._files)
        return ref.id, ref


def test_what_goes_wrong_with_one_file_costs_that_file(tmp_path, poisoned):
    found, blamed = run_on(tmp_path, ["a", "greedy", "b", "fault"])
    assert found == {"a": "intact", "b": "intact", "greedy": "failed", "fault": "failed"}
    assert blamed == {"in:greedy": "limit", "in:fault": "bug"}


def test_every_item_is_handled_once_whatever_the_batch(tmp_path, poisoned, monkeypatch):
    monkeypatch.setattr(queue, "TASK_ITEMS", 7)
    found, blamed = run_on(tmp_path, [f"file-{number}" for number in range(100)])
    assert len(found) == 100
    assert set(found.values()) == {"intact"}
    assert not blamed
