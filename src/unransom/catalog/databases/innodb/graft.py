"""A tablespace that the server imports, built from the leaf pages of a damaged one.

Rows keep their bytes. The levels above them are built anew from the first key of each page, and so are
the pages that keep the books; the pages that values off their rows lie on stay where they are. Damaged leaves
are built anew from the rows that are sure, where their order is: see ``graft_restored``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.engine import Graft
from unransom.catalog.databases.innodb import decode, graft_pages, lobs, pages
from unransom.catalog.databases.innodb.current import current
from unransom.catalog.databases.innodb.graft_order import Leaf, in_order
from unransom.catalog.databases.innodb.graft_pages import Node, Shape, index_page, node_record, seal
from unransom.catalog.databases.innodb.graft_restored import Restored, restored_leaves
from unransom.catalog.databases.innodb.graft_script import COMPACT, REDUNDANT, declared_format, statements
from unransom.catalog.databases.innodb.graft_space import LEAF, ROOT, TOP, Books, extent_pages
from unransom.catalog.databases.innodb.key_order import key_of
from unransom.catalog.databases.innodb.origin import Found
from unransom.catalog.databases.innodb.schema import layout_of
from unransom.catalog.databases.innodb.tablespace import SYSTEM
from unransom.catalog.databases.innodb.types import VARIABLE, Kind
from unransom.core.messages import Message, say

LEAST = 0.9  # how sure pages are of which a server gets rows
INFERRED = "inferred"  # source of a definition that was made by its rows
OFF_PAGE = (10, 22, 23, 24)  # types of pages with values that lie off their rows
FULL_CRC32_FLAG, POST_ANTELOPE, ATOMIC_BLOBS = 0x10, 1, 1 << 5
NOT_KEPT = 0xF << 1 | 1 << 13 | 1 << 14  # flags: of compression; of MySQL's encryption and its SDI pages


def graft(found: Found) -> Graft | Message:
    """Return the tablespace that ``found`` makes, or why it makes none."""
    space = found.space
    if space.space == SYSTEM:
        return say("a table in a shared tablespace is not grafted; its rows are in the other outputs")
    if space.zipped:
        return say("a compressed table is not grafted; its rows are in the other outputs")
    stored = [field.column for field in found.layout.fields]
    if len(found.plan.counts) > 1 or stored != [field.column for field in layout_of(found.definition).fields]:
        return say("a table with instant columns is not grafted; its rows are in the other outputs")
    if found.definition.source == INFERRED and any(
        field.type.length == VARIABLE for field in found.layout.fields[: found.layout.key]
    ):
        return say(
            "a table whose key is text by an order that is not known is not grafted; its rows are in the"
            " other outputs"
        )
    scion = _Scion(found)
    leaves = in_order(found, scion.leaves())
    if not leaves:
        return say("no sound page of rows to graft")
    return scion.graft(leaves)


class _Scion:
    """The sound parts of a damaged tablespace on their way into a new one."""

    def __init__(self, found: Found) -> None:
        self._found = found
        self._space = found.space
        table = found.space.table
        now = current(found)
        self._doubted = now.leaves[now.sure[now.leaves] < LEAST]
        mine = np.setdiff1d(now.leaves, self._doubted)
        first = found.space.page(int(mine[0])) if len(mine) else None
        sound = table[table["verdict"] == pages.VALID]
        rules = np.bincount(np.maximum(sound["rule"], 0), minlength=2)
        self.shape = Shape(
            size=found.space.logical,
            space=found.space.space,
            owner=found.owner,
            compact=bool(first and first[42] & 0x80),
            full_crc32=bool(rules[0] >= rules[1:].max()),
            lsn=int(sound["lsn"].max()) if len(sound) else 0,
        )
        self._numbers = mine
        self.dropped = 0
        self._changed: dict[int, list[tuple[bytes, bytes]]] = {}  # records of pages to be built anew
        self._restored: dict[int, NDArray[np.int64]] = {}  # damaged pages, and where their rows are on them

    def leaves(self) -> Iterator[Leaf]:
        """Yield the pages that have rows, sound ones first, and note the rows that have lost a value."""
        yield from self._sound()
        for each, kept in self._damaged():
            self.dropped += len(each.rows) - len(kept)
            self._restored[each.number] = each.located.origins[kept] % self.shape.size
            place = (each.number, each.previous, each.following)
            yield self._leaf_of(place, each.located, kept, len(kept))

    def _damaged(self) -> Iterator[tuple[Restored, NDArray[np.int64]]]:
        """Yield the damaged pages that are built anew, and their rows that have lost no value."""
        for each in restored_leaves(self._found):
            kept = each.rows[~self._lost(each.located)[each.rows]]
            if len(kept):
                yield each, kept

    def _sound(self) -> Iterator[Leaf]:
        found = self._found
        for numbers, data in self._space.groups(self._numbers):
            origins, owners, ended = decode.listed(data, self._space.logical)
            located = decode.locate(data, numbers, origins, owners, found.plan)
            lost = self._lost(located) | (located.begins < 0)
            for place, number in enumerate(numbers.tolist()):
                rows = np.flatnonzero(owners == place)
                kept = rows[~lost[rows]]
                if not ended[place] or not len(kept):
                    continue
                if len(kept) < len(rows):
                    self._changed[number] = self._records(located, kept)
                    self.dropped += len(rows) - len(kept)
                live = int((located.info()[kept] & 0x20 == 0).sum())
                row = self._space.table[number]
                yield self._leaf_of((number, int(row["previous"]), int(row["next"])), located, kept, live)

    def _leaf_of(
        self, place: tuple[int, int, int], located: decode.Located, kept: NDArray[np.int64], live: int
    ) -> Leaf:
        key = self._found.layout.key
        return Leaf(*place, key_of(located, int(kept[0]), key), key_of(located, int(kept[-1]), key), live)

    def _lost(self, located: decode.Located) -> NDArray[np.bool_]:
        """Return the records of which a value off the page is lost."""
        lost = np.zeros(len(located.origins), np.bool_)
        for field, row in np.argwhere(located.outside).tolist():
            if located.begins[row] < 0 or lost[row]:
                continue
            end = located.starts[field, row] + located.lengths[field, row]
            lost[row] = lobs.fetch(self._space, located.data[end - 20 : end].tobytes()) is None
        return lost

    def _records(self, located: decode.Located, kept: NDArray[np.int64]) -> list[tuple[bytes, bytes]]:
        """Return the records that a page is to be built anew from."""
        records, back = [], 5 if self.shape.compact else 6
        for row in kept.tolist():
            front = bytearray(located.data[located.begins[row] : located.origins[row]])
            front[-back] &= 0xF0
            records.append((bytes(front), located.data[located.origins[row] : located.ends[row]].tobytes()))
        return records

    def graft(self, leaves: Sequence[Leaf]) -> Graft:
        """Lay out the new tablespace."""
        extent = extent_pages(self.shape.size)
        old = len(self._space.table)
        end = (old + extent - 1) // extent * extent
        levels = list(self._levels(leaves))
        above = sum(len(level) for level in levels[:-1])
        room = -(-above // extent) + -(-len(leaves) // extent)
        books = Books(self.shape, end + room * extent)
        books.use(ROOT, TOP)
        for number in np.flatnonzero(np.isin(self._space.table["kind"], OFF_PAGE)).tolist():
            if self._space.is_valid(number):
                books.use(number, LEAF)
        fresh = iter(range(end, books.count))
        places = [self._place(leaf.number, books, fresh) for leaf in leaves]
        moved = max(places) if max(places) >= end else end - 1
        # An extent has one owner, so what is above the rows begins in the next.
        fresh = iter(range((moved // extent + 1) * extent, books.count))
        numbers = [[self._take(fresh, books) for _ in level] for level in levels[:-1]]
        create, afterwards = statements(
            self._found.definition, _largest(self._found, leaves), row_format=self._format()
        )
        return Graft(
            size=books.count * self.shape.size,
            page=self.shape.size,
            pages=self._pages(leaves, places, levels, numbers, books),
            rows=sum(leaf.rows for leaf in leaves),
            dropped=self.dropped,
            create=create,
            afterwards=afterwards,
            restored={
                leaf.number: self._restored[leaf.number] for leaf in leaves if leaf.number in self._restored
            },
            doubted=self._doubted.tolist(),
        )

    def _place(self, number: int, books: Books, fresh: Iterator[int]) -> int:
        """Return the number that a leaf gets: its own, unless the books are there or singles are used up."""
        if not books.is_used(number) and books.use(number, LEAF):
            return number
        return self._take(fresh, books, LEAF)

    def _take(self, fresh: Iterator[int], books: Books, segment: int = TOP) -> int:
        for number in fresh:
            if not books.is_shared(number) and books.use(number, segment):
                return number
        raise AssertionError("room was counted")

    def _levels(self, leaves: Sequence[Leaf]) -> Iterator[list[list[int]]]:
        """Yield for each level above the rows the members of each of its pages, up to one page."""
        if len(leaves) == 1:
            return
        keys = [leaf.first for leaf in leaves]
        while True:
            groups: list[list[int]] = []
            used = graft_pages.capacity(self.shape)
            for member, key in enumerate(keys):
                front, body = self._record(key, 0)
                if used + len(front) + len(body) > graft_pages.capacity(self.shape):
                    groups.append([])
                    used = 0
                groups[-1].append(member)
                used += len(front) + len(body) + 1  # a quarter of a slot
            yield groups
            if len(groups) == 1:
                return
            keys = [keys[group[0]] for group in groups]

    def _record(self, key: tuple[bytes, ...], page: int) -> tuple[bytes, bytes]:
        fields = self._found.layout.fields
        sizes = tuple(
            graft_pages.FIXED
            if field.type.length != VARIABLE
            else graft_pages.BIG
            if field.type.big
            else graft_pages.SMALL
            for field in fields[: self._found.layout.key]
        )
        nullable = sum(field.nullable for field in fields)
        return node_record(Node(key, sizes, page), self.shape, nullable)

    def _pages(
        self,
        leaves: Sequence[Leaf],
        places: list[int],
        levels: list[list[list[int]]],
        numbers: list[list[int]],
        books: Books,
    ) -> Iterator[tuple[int, bytes]]:
        if not levels:
            for _, page in self._leaves_again(leaves):
                yield ROOT, self._finish(page, ROOT, graft_pages.NIL, graft_pages.NIL, books)
            books.drop(places[0])
        else:
            for place, page in self._leaves_again(leaves):
                yield places[place], self._finish(page, places[place], *_around(places, place))
            yield from self._above(leaves, places, levels, numbers, books)
        for number in np.flatnonzero(np.isin(self._space.table["kind"], OFF_PAGE)).tolist():
            if self._space.is_valid(number):
                yield number, self._space.raw(number)
        yield from books.pages(self._flags())

    def _above(
        self,
        leaves: Sequence[Leaf],
        places: list[int],
        levels: list[list[list[int]]],
        numbers: list[list[int]],
        books: Books,
    ) -> Iterator[tuple[int, bytes]]:
        keys, children = [leaf.first for leaf in leaves], places
        for height, (level, own) in enumerate(zip(levels, [*numbers, [ROOT]], strict=True), 1):
            for place, group in enumerate(level):
                records = [self._record(keys[member], children[member]) for member in group]
                page = index_page(self.shape, own[place], height, records, leftmost=place == 0)
                before, after = _around(own, place)
                yield (
                    own[place],
                    self._finish(page, own[place], before, after, books if own == [ROOT] else None),
                )
            keys, children = [keys[group[0]] for group in level], own

    def _leaves_again(self, leaves: Sequence[Leaf]) -> Iterator[tuple[int, bytearray]]:
        """Yield the leaves' places among ``leaves`` and their bytes; damaged ones are searched once more.

        They are not kept from the first time: of a large table they do not fit into memory.
        """
        places = {leaf.number: place for place, leaf in enumerate(leaves)}
        for leaf in leaves:
            if leaf.number not in self._restored:
                yield places[leaf.number], self._leaf(leaf.number)
        for each, kept in self._damaged() if self._restored.keys() & places.keys() else ():
            if each.number in places:
                records = self._records(each.located, kept)
                yield places[each.number], index_page(self.shape, each.number, 0, records, leftmost=False)

    def _leaf(self, number: int) -> bytearray:
        if number in self._changed:
            return index_page(self.shape, number, 0, self._changed[number], leftmost=False)
        return bytearray(self._space.page(number) or b"")

    def _finish(
        self, page: bytearray, number: int, before: int, after: int, books: Books | None = None
    ) -> bytes:
        """Put a page into its place: number, neighbours, owner, checksum."""
        struct.pack_into(">III", page, 4, number, before, after)
        struct.pack_into(">H8xI", page, 24, graft_pages.INDEX, self.shape.space)
        page[26:34] = bytes(8)
        struct.pack_into(">Q", page, 66, self.shape.owner)
        page[74:94] = books.segment_headers() if books else bytes(20)
        return seal(page, self.shape)

    def _format(self) -> str:
        """Return the format of the rows where it is not the usual one, "" where it is."""
        if not self.shape.compact:
            return REDUNDANT
        known = self._space.flags
        if known is None or self.shape.full_crc32:
            return COMPACT if declared_format(self._found.definition) == COMPACT else ""
        return "" if known & ATOMIC_BLOBS else COMPACT

    def _flags(self) -> int:
        power = (self.shape.size // 512).bit_length() - 1
        if self.shape.full_crc32:
            return FULL_CRC32_FLAG | power
        known = self._space.flags
        if known is not None:
            return known & ~NOT_KEPT
        flags = 0 if self._format() else POST_ANTELOPE | ATOMIC_BLOBS
        return flags if self.shape.size == 16384 else flags | power << 6


def _around(numbers: list[int], place: int) -> tuple[int, int]:
    before = numbers[place - 1] if place else graft_pages.NIL
    return before, numbers[place + 1] if place + 1 < len(numbers) else graft_pages.NIL


def _largest(found: Found, leaves: Sequence[Leaf]) -> int:
    """Return the largest value of the integer that the key begins with, 0 where it begins with none."""
    first = found.layout.fields[0]
    kind = first.type
    if kind.kind not in {Kind.SIGNED, Kind.UNSIGNED} or first.column < 0:
        return 0
    stored = (leaves[0].first if first.descending else leaves[-1].last)[0]
    value = int.from_bytes(stored, "big")
    return max(value if kind.kind is Kind.UNSIGNED else value - (1 << 8 * kind.length - 1), 0)
