"""Work in threads whose results come in order: for what leaves Python's lock, as reading and hashing do."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(work: Callable[[Item], Result], items: Iterable[Item], each: int = 1) -> Generator[Result]:
    """Yield what ``work`` returns for each item, in the items' order, on all cores.

    Args:
        work: Called in threads; what it raises is raised where its result would have come.
        items: Taken one by one, by the caller's thread.
        each: How many results may wait for the caller, for each thread.
    """
    workers = os.cpu_count() or 1
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
