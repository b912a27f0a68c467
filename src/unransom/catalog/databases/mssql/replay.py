"""Rows as the log has them: what was inserted, modified and deleted, in the order of the log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from unransom.catalog.databases.mssql.decode import Records
from unransom.catalog.databases.mssql.log import (
    ABORT,
    BEGIN,
    COMMIT,
    DELETE,
    INSERT,
    MODIFY,
    SEVERAL,
    Change,
    Lsn,
    blocks,
    changes,
)
from unransom.core.streams import Reader

MOST_BYTES = 192 << 20  # of rows that are kept
PADDING = 16  # bytes behind each row, so that a short one cannot be read past its end
PRIMARY = 0


class Image(msgspec.Struct, frozen=True):
    """A row as it was after a change, or before it was deleted.

    Attributes:
        lsn: Of the change.
        file: Of its page.
        page: Number of its page.
        slot: In the page.
        row: The record.
        deleted: The change deleted it.
    """

    lsn: Lsn
    file: int
    page: int
    slot: int
    row: bytes
    deleted: bool


class History(msgspec.Struct, frozen=True):
    """All rows that logs tell of.

    Attributes:
        images: By rowset, in the order of the log.
        full: There was more than is kept.
    """

    images: dict[int, list[Image]]
    full: bool = False


def history_of(readers: Iterable[Reader]) -> History:
    """Return the rows that transactions changed which were not rolled back."""
    found: list[Change] = []
    begun: set[int] = set()
    ended: set[int] = set()
    aborted: set[int] = set()
    size = 0
    for reader in readers:
        for block in blocks(reader):
            for change in changes(block):
                if change.operation in (BEGIN, COMMIT, ABORT):
                    {BEGIN: begun, COMMIT: ended, ABORT: aborted}[change.operation].add(change.transaction)
                elif size < MOST_BYTES:
                    found += _single(change)
                    size += 200 + sum(map(len, change.elements))
    lost = aborted | (begun - ended)
    kept = sorted((c for c in found if c.transaction not in lost), key=lambda change: change.lsn)
    return History(_images(kept), size >= MOST_BYTES)


def _single(change: Change) -> list[Change]:
    """Return a change of one row; an insertion of many as many."""
    if change.operation != INSERT or len(change.elements) < SEVERAL:
        return [change]
    return [
        change._replace(slot=change.slot + number, elements=(row,))
        for number, row in enumerate(change.elements)
    ]


def _images(kept: Sequence[Change]) -> dict[int, list[Image]]:
    images: dict[int, list[Image]] = defaultdict(list)
    current: dict[tuple[int, int, int, int], bytes] = {}
    for change in kept:
        place = (change.rowset, change.file, change.page, change.slot)
        row = _row(change, current.get(place))
        if row is None:
            current.pop(place, None)
            continue
        deleted = change.operation == DELETE
        if deleted:
            current.pop(place, None)
        else:
            current[place] = row
        images[change.rowset].append(Image(change.lsn, *place[1:], row, deleted))
    return dict(images)


def _row(change: Change, before: bytes | None) -> bytes | None:
    """Return the whole row that a change is about, None where the log does not have it."""
    if change.operation in (INSERT, DELETE):
        row = change.elements[0] if change.elements else b""
        return row if len(row) >= 4 and row[0] & 1 == 0 and row[0] >> 1 & 7 == PRIMARY else _squeezed(row)
    if change.operation != MODIFY or before is None or len(change.elements) < 2:
        return None
    old, new = change.elements[:2]
    end = change.offset + len(old)
    return before[: change.offset] + new + before[end:] if before[change.offset : end] == old else None


def _squeezed(row: bytes) -> bytes | None:
    """Return a compressed record as it is, None where ``row`` is not one of a table."""
    return row if len(row) >= 4 and row[0] & 1 and row[0] >> 2 & 7 == PRIMARY else None


def records_of_images(images: Sequence[Image]) -> list[Records]:
    """Return images as records, plain and compressed ones; slots are their places in ``images``."""
    found = []
    for compressed in (False, True):
        mine = [number for number, image in enumerate(images) if bool(image.row[0] & 1) == compressed]
        if not mine:
            continue
        sizes = np.array([len(images[number].row) for number in mine], np.int64)
        starts = np.concatenate(([0], np.cumsum(sizes + PADDING)[:-1]))
        found.append(
            Records(
                np.frombuffer(b"".join(images[number].row + bytes(PADDING) for number in mine), np.uint8),
                starts,
                starts + sizes,
                np.array([images[number].page for number in mine], np.int64),
                np.array(mine, np.int32),
                np.array([images[number].deleted for number in mine], bool),
                compressed,
            )
        )
    return found
