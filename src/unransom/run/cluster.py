"""Executes tasks on a dask.distributed cluster, through the same interface as one machine.

Evidence, keys' results and the case folder must be on storage that every worker sees at the same path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from unransom.core.errors import UnransomError, UsageError
from unransom.core.messages import say
from unransom.run.executor import Fate, Outcome
from unransom.run.work import Done, Surroundings, Task, perform

HEARTBEAT = 0.5  # seconds
AHEAD = 3  # tasks per thread that are on their way
CONNECT = 20  # seconds


class ClusterExecutor:
    """A cluster whose scheduler is at an address such as ``tcp://10.0.0.5:8786``."""

    def __init__(self, address: str) -> None:
        """Connect to the scheduler at ``address``.

        Raises:
            UsageError: dask.distributed is not installed.
            UnransomError: There is no scheduler, or no worker.
        """
        try:
            from distributed import Client  # noqa: PLC0415 an extra, and slow to import
        except ImportError as error:
            raise UsageError(
                say("a cluster needs dask.distributed"), hint=say("pip install 'unransom[cluster]'")
            ) from error
        try:
            self._client = Client(address, timeout=CONNECT)
        except (OSError, ValueError) as error:
            raise UnransomError(
                say("no scheduler answers at {address}", address=address), detail=str(error)
            ) from error
        try:
            self._client.wait_for_workers(1, timeout=CONNECT)  # a cluster may just be starting
        except TimeoutError as error:
            self._client.close()
            raise UnransomError(say("the cluster at {address} has no workers", address=address)) from error
        self.workers = sum(self._client.nthreads().values())

    def run(self, surroundings: Surroundings, tasks: Iterable[Task]) -> Iterator[Outcome | None]:
        """Perform ``tasks``; see ``Executor.run``. Keys travel encrypted only if the cluster's traffic is."""
        from distributed import wait  # noqa: PLC0415

        pending: dict[Any, Task] = {}
        source = iter(tasks)
        while True:
            while len(pending) < self.workers * AHEAD and (task := next(source, None)):
                future = self._client.submit(perform, surroundings, task, pure=False)
                pending[future] = task
            if not pending:
                return
            try:
                done = wait(list(pending), timeout=HEARTBEAT, return_when="FIRST_COMPLETED").done
            except TimeoutError:
                yield None
                continue
            for future in done:
                yield Outcome(pending.pop(future), _result(future))

    def close(self) -> None:
        """Let go of the cluster; tasks that are not done are cancelled."""
        self._client.close()


def _result(future: Any) -> Done | Fate:
    from distributed.scheduler import KilledWorker  # noqa: PLC0415

    try:
        result: Done = future.result()
    except KilledWorker:
        return Fate.DIED
    return result
