"""Work in threads: results in the items' order, errors where they belong, nothing taken too early."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from unransom.core.ahead import ahead, ahead_in_processes
from unransom.core.errors import UnransomError


def test_results_come_in_the_items_order() -> None:
    """The first one may well be done last: it is held up until the second has begun, where there is one."""
    second = threading.Event()

    def work(number: int) -> int:
        if number == 1:
            second.set()
        if number == 0 and (os.cpu_count() or 1) > 1:
            second.wait()
        return number * number

    assert list(ahead(work, range(100))) == [number * number for number in range(100)]


def test_an_error_is_raised_in_its_place() -> None:
    """What came before it is given first."""

    def work(number: int) -> int:
        if number == 3:
            raise LookupError(number)
        return number

    results = ahead(work, range(10))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(LookupError):
        next(results)


def test_few_are_taken_before_they_are_wanted() -> None:
    """However many there are, only some wait in memory."""
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(10_000):
            taken.append(number)
            yield number

    results = ahead(str, items(), each=2)
    assert next(results) == "0"
    assert len(taken) == 2 * (os.cpu_count() or 1) + 1
    results.close()


def _seen(number: int) -> tuple[int, int, bool]:
    return number, os.getpid(), signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def _dying(number: int) -> bytes:
    if number == 1:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGKILL)).start()
    return bytes(8 << 20)  # more than a pipe holds


def _slowly(_: bytes) -> None:
    time.sleep(0.5)


def _failing(number: int) -> int:
    if number == 3:
        raise LookupError(number)
    return number


def _killed(number: int) -> int:
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_processes_give_results_in_order_and_leave_interrupts_to_their_parent() -> None:
    """None of them is this one."""
    found = list(ahead_in_processes(_seen, range(40)))
    assert [number for number, _, _ in found] == list(range(40))
    assert all(process != os.getpid() and deaf for _, process, deaf in found)


def test_a_process_that_is_killed_is_an_error_that_a_person_is_shown() -> None:
    """It says so, and what to do; whoever writes an output keeps what there is."""
    with pytest.raises(UnransomError, match="a process that helped was killed"):
        list(ahead_in_processes(_killed, range(1000)))


def test_a_process_that_is_killed_with_half_of_a_result_written_stops_nobody() -> None:
    """The other ones are no better off: there may be just one."""
    results = ahead_in_processes(_dying, range(20))
    with pytest.raises(UnransomError, match="a process that helped was killed"):
        list(map(_slowly, results))


def test_what_is_raised_in_a_process_is_raised_in_its_place() -> None:
    """What came before it is given first."""
    results = ahead_in_processes(_failing, range(10))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(LookupError):
        next(results)
