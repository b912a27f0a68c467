"""Sound pages of tablespaces that the server had changed but not written yet, as its redo log tells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import pages
from unransom.catalog.databases.innodb.redo_logical import Changes, LogicalRedo
from unransom.catalog.databases.innodb.tablespace import ENCRYPTED, Tablespace
from unransom.catalog.databases.innodb.unpack import is_packed
from unransom.catalog.formats._innodb_checksums import RULES
from unransom.core.messages import Message, say
from unransom.core.streams import BytesReader

MOST_KEPT = 192 << 20  # bytes of pages, of all tablespaces
RULE = next(number for number, (name, _) in enumerate(RULES) if name == "crc32")


def bring_forward(spaces: Sequence[Tablespace], logs: Sequence[LogicalRedo]) -> tuple[Message, ...]:
    """Put pages as the logs leave them in the place of older ones; returns what could not be done.

    Args:
        spaces: Tablespaces.
        logs: Redo logs of MySQL, or of MariaDB up to 10.4.
    """
    left, budget = 0, MOST_KEPT
    for log in logs:
        for space in (each for each in spaces if each.space in log.spaces):
            here, used = _of_space(space, log, budget)
            left, budget = left + here, budget - used
    problems = [
        say(
            "the redo log is not readable at LSN {lsn}; a page that may have changed there is not taken",
            lsn=lsn,
        )
        for log in logs
        for lsn in log.stopped[:1]
    ]
    if left:
        problems.append(
            say(
                "pages older than the redo log: {count}; their rows may be as they were before later changes",
                count=left,
            )
        )
    return tuple(problems)


def _of_space(space: Tablespace, log: LogicalRedo, budget: int) -> tuple[int, int]:
    """Bring the pages of one tablespace forward; returns how many stay old, and the bytes that are kept."""
    table = space.table
    valid = table["verdict"] == pages.VALID
    if space.zipped or space.size != space.logical or not (valid & (table["rule"] == RULE)).any():
        return 0, 0
    kinds = [int(kind) for kind in np.unique(table["kind"][valid])]
    other = [kind for kind in kinds if kind in ENCRYPTED or is_packed(kind)]
    lsns = np.where(valid & ~np.isin(table["kind"], other), table["lsn"].astype(np.int64), -1)
    changes = log.changes(space.space, lsns)
    ready: list[tuple[int, NDArray[np.uint8]]] = []
    freed: list[int] = []
    stay: list[int] = []
    for some in log.forward(space.space, lsns, space.size, space.raw, changes):
        freed += some.freed.tolist()
        stay += some.left.tolist()
        for number, page in zip(some.numbers.tolist(), some.pages, strict=True):
            if (len(ready) + 1) * space.size > budget:
                stay.append(number)
            else:
                ready.append((number, page.copy()))
    space.stale += stay
    moved = {int(table["index"][number]) for number, _ in ready}
    if {int(table["index"][number]) for number in stay} - moved:
        space.stale += [*freed, *(number for number, _ in ready)]
        return len(stay), 0  # an index all of which stays as it was goes together only with what was then
    _give_up(table, changes)
    table["verdict"][freed] = pages.BLANK
    # Rows may have moved from those that stay to those that do not: they are doubted, and shown once.
    table["verdict"][stay] = pages.TORN
    for number, page in ready:
        _put(space, number, page)
    used = len(ready) * space.size
    return len(stay), used + _put_lost(space, log, budget - used)


def _put_lost(space: Tablespace, log: LogicalRedo, budget: int) -> int:
    """Put lost pages back that begin in the log, but none with rows, which ``replay`` shows as the log's.

    Returns the bytes that are kept.
    """
    used = 0
    lost = np.flatnonzero(space.table["verdict"] != pages.VALID).astype(np.int64)
    for each in log.pages(space.space, lost, space.size):
        for number, page, old in zip(each.numbers.tolist(), each.pages, each.old, strict=True):
            kind = int(page[24]) << 8 | int(page[25])
            if not old and kind not in pages.INDEXES and used + space.size <= budget:
                used += space.size
                _put(space, number, page)
    return used


def _give_up(table: NDArray[np.void], changes: Changes) -> None:
    """Count damaged pages as empty that were changed later: their rows are not what they were at the end."""
    torn = table["verdict"] == pages.TORN
    lsns = table["lsn"].astype(np.int64)
    told = torn & (lsns >= 0) & (lsns <= changes.last.max(initial=0))
    known = np.maximum(np.where(told, lsns, 0), changes.written)
    damaged = torn | (table["verdict"] == pages.LOST)
    table["verdict"][damaged & (changes.last >= known)] = pages.BLANK


def _put(space: Tablespace, number: int, page: NDArray[np.uint8]) -> None:
    """Put a page in the place of the one with its number."""
    table = space.table
    space.patched[number] = page.tobytes()
    row = pages.scan(BytesReader(space.patched[number]), space.size)[0]
    row["offset"], row["source"] = table[number]["offset"], table[number]["source"]
    row["verdict"] = pages.VALID
    table[number] = row
