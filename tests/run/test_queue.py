"""Tasks grow to what a worker does in about a second, and shrink again."""

import itertools

import pytest

from unransom.core.records import FileRef
from unransom.run import flow
from unransom.run.queue import TASK_BYTES, TASK_ITEMS, Queue

STEP = flow.FLOW[0]


def queue_of(sizes):
    refs = (FileRef(source="in", path=b"%d" % number, size=size) for number, size in enumerate(sizes))
    return Queue(STEP, (flow.Numbered(number, ref) for number, ref in enumerate(refs)), 60.0)


def lengths(queue, tasks, seconds):
    """Return how many items the next tasks have, when the first of each opens something before."""
    opening, each = seconds
    found = []
    for _ in range(tasks):
        found.append(len(next(queue).items))
        queue.learn((opening + each, *[each] * (found[-1] - 1)))
    return found


@pytest.mark.parametrize(
    ("opening", "each", "last"),
    [(0.0, 0.0, TASK_ITEMS), (0.0, 0.1, 10), (0.0, 30.0, 2), (5.0, 0.1, 102), (0.0, 0.6, 2)],
    ids=["quick", "a tenth", "slow", "slow to open", "more than half"],
)
def test_tasks_grow_to_a_second(opening, each, last):
    found = lengths(queue_of([10] * 3000), 12, (opening, each))
    assert found[0] == 1
    assert all(after <= 2 * before for before, after in itertools.pairwise(found))
    assert abs(found[-1] - last) <= 1


def test_tasks_shrink_where_items_become_slow():
    queue = queue_of([10] * 3000)
    assert lengths(queue, 9, (0.0, 0.0))[-1] == TASK_ITEMS
    assert lengths(queue, 3, (0.0, 0.5))[1:] == [2, 2]


def test_every_item_is_in_one_task_and_large_ones_are_alone():
    queue = queue_of([10, TASK_BYTES, 10, 20, 30])
    queue.learn((0.0,) * 8)
    assert [[ref.path for ref in task.items] for task in queue] == [[b"0"], [b"1"], [b"2", b"3", b"4"]]


def test_a_task_that_did_nothing_teaches_nothing():
    queue = queue_of([10] * 5)
    queue.learn(())
    assert len(next(queue).items) == 1
