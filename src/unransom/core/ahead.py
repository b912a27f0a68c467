"""Work in threads or processes whose results come in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from typing import TypeVar

CONNECTIONS = 16  # threads for work that is mostly waiting for a network
Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    each: int = 1,
    *,
    workers: int = 0,
    processes: bool = False,
) -> Generator[Result]:
    """Yield what ``work`` returns for each item, in the items' order.

    Args:
        work: Called in threads; what it raises is raised where its result would have come.
        items: Taken one by one, by the caller's thread.
        each: How many results may wait for the caller, for each thread.
        workers: How many threads, one a core by default.
        processes: Call ``work`` in processes instead, which start with the first item: for what does not
            leave Python's lock, as reading and hashing do.

    Raises:
        ChildProcessError: A process was killed.
    """
    workers = workers or os.cpu_count() or 1
    waiting: deque[Future[Result]] = deque()
    with _processes(workers) if processes else ThreadPoolExecutor(workers, "ahead") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > each * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenExecutor as error:
            raise ChildProcessError(str(error)) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _processes(workers: int) -> Executor:
    """Return processes that leave Ctrl-C to their parent, and have none of its locks."""
    import multiprocessing  # noqa: PLC0415 threads need none of these
    import signal  # noqa: PLC0415
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415

    return ProcessPoolExecutor(
        workers, multiprocessing.get_context("forkserver"), signal.signal, (signal.SIGINT, signal.SIG_IGN)
    )
