"""What one worker does: opens the evidence and performs a step on a few items."""

from __future__ import annotations

import contextlib
import errno
import functools
import importlib
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from unransom.case.case import outputs_of
from unransom.core.context import Context
from unransom.core.errors import EvidenceChangedError, UnreadableError
from unransom.core.extras import remedy
from unransom.core.keys import Key
from unransom.core.messages import say
from unransom.core.records import Delivery, FileRef, LockedGroup, Problem, Record, Source
from unransom.core.searches import LockedFile, Shard, Target
from unransom.core.streams import Reader
from unransom.core.text import shown
from unransom.evidence import open_store
from unransom.evidence.store import Store
from unransom.recover.carve.records import Acquainted, Batch, Leads, Puzzle, Region
from unransom.recover.databases.records import DatabaseFile
from unransom.recover.repair.records import Broken

PartOfCarving = Region | Puzzle | Leads | Batch | Acquainted
Item = FileRef | LockedGroup | Delivery | LockedFile | Target | Shard | DatabaseFile | Broken
Perform = Callable[[Item, Context], Iterator[Record]]
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


class Surroundings(msgspec.Struct, frozen=True):
    """What a worker needs besides its items; sent to every worker.

    Attributes:
        case: The case folder; on a cluster, storage that all workers see.
        sources: Where the evidence is.
        keys: Keys that were given; they stay in memory.
        proven: Per family, fingerprints of proven keys.
        described: Families that were described for the case, as JSON.
    """

    case: str
    sources: tuple[Source, ...]
    keys: tuple[Key, ...] = ()
    proven: dict[str, frozenset[str]] = {}
    described: tuple[bytes, ...] = ()


class Task(msgspec.Struct, frozen=True):
    """A few items for one step.

    Attributes:
        step: Name of the step.
        perform: ``module:function`` of the step.
        numbers: What the journal calls the items.
        items: The items.
        seconds: How long the task may take.
    """

    step: str
    perform: str
    numbers: tuple[int, ...]
    items: tuple[Item, ...]
    seconds: float


class Done(msgspec.Struct, frozen=True):
    """What came of a task.

    Attributes:
        records: Per item, in the order of the task; shorter where the worker had to stop.
        full: The disk is full; the rest of the task was not begun.
        seconds: Per item, how long it took.
    """

    records: tuple[tuple[Record, ...], ...]
    full: str = ""
    seconds: tuple[float, ...] = ()


def perform(surroundings: Surroundings, task: Task) -> Done:
    """Perform ``task``; a failure of one item becomes its ``Problem``."""
    step = _function(task.perform)
    outputs = outputs_of(Path(surroundings.case))
    with Stores(surroundings.sources) as stores:
        context = Context(
            open=stores.open,
            keys=surroundings.keys,
            proven=surroundings.proven,
            outputs=outputs,
            described=surroundings.described,
        )
        finished: list[tuple[Record, ...]] = []
        seconds: list[float] = []
        for item in task.items:
            began = time.monotonic()
            try:
                finished.append(_guarded(step, item, context))
            except OSError as error:
                if error.errno not in NO_SPACE:
                    raise
                return Done(tuple(finished), full=str(error))
            seconds.append(time.monotonic() - began)
    return Done(tuple(finished), seconds=tuple(seconds))


class Stores:
    """The stores of a case, each opened when it is first needed."""

    def __init__(self, sources: tuple[Source, ...]) -> None:
        self._sources = {source.id: source for source in sources}
        self._open: dict[str, Store] = {}

    def __enter__(self) -> Stores:
        return self

    def __exit__(self, *_: object) -> None:
        for store in self._open.values():
            store.close()

    def open(self, ref: FileRef) -> AbstractContextManager[Reader]:
        """Open the content of ``ref``, read-only."""
        if ref.source not in self._open:
            self._open[ref.source] = open_store(self._sources[ref.source])
        return self._open[ref.source].open(ref)


def name_of(item: Item | PartOfCarving) -> str:
    """Return what people call ``item``."""
    match item:
        case FileRef():
            return f"{item.source}:{shown(item.path)}"
        case Delivery() | LockedFile() | Broken():
            return name_of(item.ref)
        case DatabaseFile():
            return name_of(item.file.ref)
        case LockedGroup() | Target():
            return item.family
        case Shard():
            return f"{item.plan.attack} {item.plan.family}"
        case Acquainted():
            return name_of(item.files[0])
        case Region() | Puzzle() | Leads() | Batch():
            return name_of(item.target.ref)


@functools.cache
def _function(name: str) -> Perform:
    module, _, function = name.partition(":")
    found: Perform = getattr(importlib.import_module(module), function)
    return found


def _guarded(step: Perform, item: Item, context: Context) -> tuple[Record, ...]:
    """Return what ``step`` yields for ``item``, or the ``Problem`` that it ran into."""
    records: list[Record] = []
    try:
        records.extend(step(item, context))
    except (EvidenceChangedError, UnreadableError, OSError, MemoryError) as error:
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            raise
        records.append(_problem(item, error))
    except ModuleNotFoundError as error:
        records.append(_lacking(item, error))
    except Exception as error:  # noqa: BLE001 a bug must cost its item and not the run
        records.append(_fault(item, error))
    return tuple(records)


def _fault(item: Item, error: Exception) -> Problem:
    where = traceback.extract_tb(error.__traceback__)[-1]
    return Problem(
        item=name_of(item),
        code="bug",
        what=say(
            "a fault in unransom: {error} at {place}",
            error=repr(error)[:200],
            place=f"{Path(where.filename).name}:{where.lineno}",
        ),
        resolution=say("please report it; the run goes on with the other files"),
    )


def _lacking(item: Item, error: ModuleNotFoundError) -> Problem:
    """Return the problem of an item that needs a part which only some users need."""
    install = remedy(error)
    if install is None:
        return _fault(item, error)
    what = say("this needs a part of unransom that is not installed")
    return Problem(item=name_of(item), code="lacking", what=what, resolution=install)


def _problem(item: Item, error: Exception) -> Problem:
    name = name_of(item)
    match error:
        case EvidenceChangedError():
            return Problem(
                item=name,
                code="changed",
                what=say("the file has changed since it was listed"),
                resolution=say("work on an image, or begin a new case"),
            )
        case MemoryError():
            return Problem(
                item=name,
                code="limit",
                what=say("the file needs more memory than a worker may take"),
                resolution=say("run again with a larger --memory-limit"),
            )
        case _:
            return Problem(
                item=name,
                code="read",
                what=say("the file cannot be read: {error}", error=str(error)[:200]),
                resolution=say("the rest of the evidence is not affected"),
            )


def serve(pipe: Connection, memory_limit: int) -> None:
    """Perform tasks that come through ``pipe`` until its other end closes: the life of a worker process.

    Args:
        pipe: Brings pairs of surroundings and task, and takes a ``Done`` or an exception for each.
        memory_limit: Bytes that the process may take; 0 for as many as it likes.
    """
    import resource  # noqa: PLC0415 not on every platform, and only workers of the local pool need it
    import signal  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    if memory_limit:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (memory_limit, memory_limit))
    with contextlib.suppress(EOFError, ConnectionError):  # the parent is gone
        while True:
            pipe.send(_answer(*pipe.recv()))


def _answer(surroundings: Surroundings, task: Task) -> Done | Exception:
    try:
        return perform(surroundings, task)
    except Exception as error:  # noqa: BLE001 the parent raises it
        return error
