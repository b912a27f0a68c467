"""The process that workers are forked from: it imports what they need while its parent does the like.

Workers must not inherit the parent's locks and database. From here one is made in 10 ms.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext

# Buffers that are freed stay with the process: to hand each back to the system and fault it in again takes
# an eighth of the time of unlocking. And a worker is one thread of numpy's, since there is one for each core.
TUNING = {
    "MALLOC_MMAP_THRESHOLD_": str(16 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
    "OPENBLAS_NUM_THREADS": "1",
}
TASKS = "unransom.run.work"  # what every worker needs


def begin(preload: Sequence[str]) -> ForkServerContext:
    """Start the process, where it does not run yet, and return what makes workers from it.

    Args:
        preload: Modules that it imports.
    """
    for name, value in TUNING.items():  # read when it starts
        os.environ.setdefault(name, value)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([TASKS, *preload])
    with _deaf_to_interrupts():
        forkserver.ensure_running()
    return context


@contextlib.contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Have what is started ignore Ctrl-C from its first moment on: it is this process' business.

    The process does so itself once it has imported all; until then it would die with a traceback.
    """
    if threading.current_thread() is not threading.main_thread():  # only there may handlers be set
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
