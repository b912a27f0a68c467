"""Rows that a tablespace has lost, out of logs: pages of redo logs, the newest images of binary ones."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.engine import Source
from unransom.catalog.databases.innodb import binlog, decode, pages
from unransom.catalog.databases.innodb.accounted import Accounted, key_hashes, key_numbers, live
from unransom.catalog.databases.innodb.origin import Found
from unransom.catalog.databases.innodb.redo import Log, Replayed
from unransom.catalog.databases.innodb.row_images import Taker, image, takers
from unransom.catalog.databases.innodb.salvage import (
    Remembered,
    unseen,
)
from unransom.core.streams import Reader

TOGETHER = 4096  # images that are made into rows together
SURE, OLD = 0.9, 0.6  # confidence: a log may end before the table did; a part of it is lost
Change = tuple[bool, list[bytes | None]]  # whether the row is there afterwards, and its values


class Logs:
    """Binary logs, in the order in which they were written.

    Attributes:
        maps: The tables that they are about.
        encrypted: Some events cannot be read, because they are encrypted.
    """

    def __init__(self, sources: Iterable[Source]) -> None:
        ordered = sorted(sources, key=lambda source: (_begun(source.reader), source.name))
        self._readers = [source.reader for source in ordered]
        self.maps: list[binlog.TableMap] = []
        self.encrypted = False
        # By event with rows: number of the log, offset, bytes, type, table, and where within what is packed.
        self._places = array("q")
        self._unpacked: tuple[tuple[int, int], bytes] = ((-1, -1), b"")  # the one that was read last
        for number, reader in enumerate(self._readers):
            self._index(number, reader)

    def _index(self, number: int, reader: Reader) -> None:
        tables: dict[int, int] = {}
        known = {each: place for place, each in enumerate(self.maps)}
        for event, outer in _all_events(reader):
            if event.kind == binlog.TABLE_MAP:
                found = binlog.table_map(event.body)
                if found is not None:
                    place = known.setdefault(found[1], len(self.maps))
                    if place == len(self.maps):
                        self.maps.append(found[1])
                    tables[found[0]] = place
            elif event.kind in binlog.ROWS:
                table = tables.get(int.from_bytes(event.body[:6], "little"), -1)
                if table >= 0:
                    at, inside = (event.offset + binlog.HEADER, -1) if outer < 0 else (outer, event.offset)
                    self._places.extend((number, at, len(event.body), event.kind, table, inside))
            self.encrypted |= event.kind == binlog.ENCRYPTED

    def of(self, found: Found) -> dict[int, list[Taker]]:
        """Return, by the numbers of the tables in ``maps`` that are ``found``, what takes their values.

        Where tables of several databases have the name, and nothing says which it is, there is none.
        """
        schema, _, name = found.table.name.rpartition("/")
        mine = [
            (place, each)
            for place, each in enumerate(self.maps)
            if each.name.lower() == name.lower() and schema.lower() in {"", each.schema.lower()}
        ]
        if len({each.schema for _, each in mine}) > 1:
            return {}
        columns = [column.type for column in found.definition.columns if not column.hidden]
        fitting = {place: takers(each, columns) for place, each in mine}
        return {place: known for place, known in fitting.items() if known is not None}

    def changes(self, wanted: dict[int, list[Taker]], keys: int) -> Iterator[Change]:
        """Yield the changes to some tables, the newest first.

        Args:
            wanted: By number of the table what takes its values.
            keys: Bits of the columns of the key.
        """
        places = np.frombuffer(self._places, np.int64).reshape(-1, 6) if len(self._places) else _NONE
        for number, at, size, kind, table, inside in places[::-1].tolist():
            if table in wanted:
                event = binlog.row_event(kind, self._body(number, at, size, inside))
                if event is not None and event.columns == len(wanted[table]):
                    yield from reversed(_changes(event, wanted[table], keys))

    def _body(self, number: int, at: int, size: int, inside: int) -> bytes:
        """Return the bytes of an event, behind its header."""
        if inside < 0:
            return self._readers[number].read_at(at, size)
        if self._unpacked[0] != (number, at):
            event = next(binlog.events(self._readers[number], at))
            self._unpacked = ((number, at), binlog.payload(event.body))
        start = inside + binlog.HEADER
        return self._unpacked[1][start : start + size]


_NONE = np.zeros((0, 6), np.int64)


def _all_events(reader: Reader) -> Iterator[tuple[binlog.Event, int]]:
    """Yield events, and where the one is that they are packed in, -1 where they are in none."""
    for event in binlog.events(reader):
        yield event, -1
        if event.kind == binlog.PAYLOAD:
            for inner in binlog.events_within(binlog.payload(event.body)):
                yield inner, event.offset


def _begun(reader: Reader) -> int:
    """Return when a log was begun."""
    return next((event.time for event in binlog.events(reader)), 0)


def _changes(event: binlog.RowEvent, known: Sequence[Taker], keys: int) -> list[Change]:
    """Return the changes of an event in their order; images that are cut off are left out.

    Of a row of which not every column is told, it is only told that it is not as it was.
    """
    changes: list[Change] = []
    whole = (1 << len(known)) - 1
    at = turn = 0
    while at < len(event.rows):
        before = event.does == binlog.UPDATE and turn % 2 == 0
        mask = event.masks[turn % len(event.masks)]
        try:
            if event.partial and not before:
                options, at = binlog.packed_number(event.rows, at)
                if options:
                    break  # of how a text of JSON changed it is not told how long it is
            values, at = image(event.rows, at, known, mask)
        except IndexError:
            break
        turn += 1
        if mask & keys == keys:
            there = event.does != binlog.DELETE and not before and mask == whole
            changes.append((there, values))
    return changes


class Filled(NamedTuple):
    """Rows out of logs, and their confidence."""

    located: decode.Located
    sure: NDArray[np.float32]


def remade(found: Found, redo: Log, accounted: Accounted, seen: Remembered) -> Iterator[Filled]:
    """Yield the rows of lost pages that a redo log makes anew, but none of sound pages or in ``seen``."""
    table = found.space.table
    lost = np.flatnonzero(table["verdict"] != pages.VALID).astype(np.int64)
    for each in redo.pages(found.space.space, lost, found.space.logical):
        for numbers, data, old in _leaves(each, found.owner):
            located = live(found, numbers, data)
            good = ~accounted.covers(key_numbers(found, located), key_hashes(found, located))
            good &= unseen(found, located, good, seen)
            if good.any():
                sure = np.where(old[located.owners], OLD, SURE).astype(np.float32)
                yield Filled(located.only(good), sure[good])


def _leaves(
    remade_pages: Replayed, owner: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.bool_]]]:
    """Yield numbers, bytes and age of the leaf pages of an index, current ones first."""
    heads = remade_pages.pages[:, :80].tobytes()
    mine = np.array(
        [
            heads[at + 24 : at + 26] in LEAF_TYPES
            and heads[at + 64 : at + 66] == b"\0\0"
            and int.from_bytes(heads[at + 66 : at + 74], "big") == owner
            for at in range(0, len(heads), 80)
        ],
        np.bool_,
    )
    for some in (mine & ~remade_pages.old, mine & remade_pages.old):
        if some.any():
            yield remade_pages.numbers[some], remade_pages.pages[some].reshape(-1), remade_pages.old[some]


LEAF_TYPES = frozenset(kind.to_bytes(2, "big") for kind in (pages.INDEX, pages.INSTANT))


def fill(found: Found, logs: Logs, accounted: Accounted, seen: Remembered) -> Iterator[Filled]:
    """Yield the rows that neither sound pages account for nor ``seen`` holds, each as it was last."""
    wanted = logs.of(found)
    batch: list[Change] = []
    for change in logs.changes(wanted, _keys(found)) if wanted else ():
        batch.append(change)
        if len(batch) == TOGETHER:
            yield from _filled(found, batch, accounted, seen)
            batch = []
    if batch:
        yield from _filled(found, batch, accounted, seen)


def _keys(found: Found) -> int:
    """Return the bits of the columns of the key among those that are shown."""
    shown = [number for number, column in enumerate(found.definition.columns) if not column.hidden]
    places = [
        shown.index(field.column)
        for field in found.layout.fields[: found.layout.key]
        if field.column in shown
    ]
    return sum(1 << place for place in set(places))


def _filled(found: Found, batch: list[Change], accounted: Accounted, seen: Remembered) -> Iterator[Filled]:
    located = _located(found, batch)
    there = np.array([change[0] for change in batch], np.bool_)
    hashes = key_hashes(found, located)
    values, firsts = np.unique(hashes, return_index=True)
    fresh = ~seen.knows(values)
    seen.add(values[fresh])
    good = np.zeros(len(batch), np.bool_)
    good[firsts[fresh]] = True
    good &= there & ~accounted.covers(key_numbers(found, located), hashes)
    if good.any():
        yield Filled(located.only(good), np.full(int(good.sum()), SURE, np.float32))


def _located(found: Found, batch: Sequence[Change]) -> decode.Located:
    """Return the images as records would be found: their values in one buffer, and where they are in it."""
    shown = [number for number, column in enumerate(found.definition.columns) if not column.hidden]
    order = {column: place for place, column in enumerate(shown)}
    rows: list[list[bytes | None]] = []
    for _, values in batch:
        row: list[bytes | None] = []
        for field in found.layout.fields:
            value = values[order[field.column]] if field.column in order else None
            row.append(value if value is None or field.whole else value[: field.type.most])
        rows.append(row)
    return decode.assembled(rows, len(found.layout.fields))
