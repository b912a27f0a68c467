"""Work in threads or processes whose results come in order."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from unransom.core.errors import UnransomError
from unransom.core.messages import say

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

CONNECTIONS = 16  # threads for work that is mostly waiting for a network
Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(
    work: Callable[[Item], Result], items: Iterable[Item], each: int = 1, *, workers: int = 0
) -> Generator[Result]:
    """Yield what ``work`` returns for each item, in the items' order.

    Args:
        work: Called in threads, for it leaves Python's lock, as reading and hashing do; what it raises is
            raised where its result would have come.
        items: Taken one by one, by the caller's thread.
        each: How many results may wait for the caller, for each thread.
        workers: How many threads, one a core by default.
    """
    workers = workers or os.cpu_count() or 1
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers, "ahead") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > each * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def ahead_in_processes(work: Callable[[Item], Result], items: Iterable[Item]) -> Generator[Result]:
    """Yield what ``work`` returns for each item, in the items' order, with a process for each core.

    Every process has a pipe of its own and one item at a time: of processes that share a pipe one that is
    killed while it writes stops all, and with more items both ends could wait for each other.

    Args:
        work: Can be pickled, as can items and results; what it raises is raised where its result would have
            come.
        items: Taken one by one, by the caller's thread.

    Raises:
        UnransomError: A process was killed.
    """
    import multiprocessing  # noqa: PLC0415 threads need none of it

    context = multiprocessing.get_context("forkserver")  # of the locks of this process they have none
    source, helpers = iter(items), []
    busy: deque[Connection] = deque()
    try:
        for item in islice(source, os.cpu_count() or 1):
            with _alive():
                pipe, theirs = context.Pipe()
                helper = context.Process(target=_serve, args=(theirs, work), daemon=True)
                helper.start()
                theirs.close()
                helpers.append((helper, pipe))
                pipe.send(item)
            busy.append(pipe)
        while busy:
            pipe = busy.popleft()
            with _alive():
                result, error = pipe.recv()
            if error is not None:
                raise error
            for item in islice(source, 1):
                with _alive():
                    pipe.send(item)
                busy.append(pipe)
            yield result
    finally:
        for helper, pipe in helpers:
            pipe.close()
            helper.kill()
            helper.join()


@contextlib.contextmanager
def _alive() -> Generator[None]:
    """Tell that a process is dead by what its pipe does."""
    try:
        yield
    except (EOFError, OSError) as error:  # the latter in the middle of a result
        raise UnransomError(
            say("a process that helped was killed"),
            causes=(say("the machine is short of memory"),),
            hint=say("run the same command again"),
        ) from error


def _serve(pipe: Connection, work: Callable[[Item], Result]) -> None:
    """Work until nobody asks any more; Ctrl-C is the business of who asks."""
    import signal  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError):
        while True:
            item = pipe.recv()
            try:
                answer = work(item), None
            except Exception as error:  # noqa: BLE001 raised again by who asked
                answer = None, error  # type: ignore[assignment]
            pipe.send(answer)
