"""SQLite databases: every row on every page that is left, in a new database."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats import sqlite
from unransom.catalog.formats.repair._sqlite_overlay import overlay
from unransom.catalog.formats.repair._sqlite_records import (
    ENCODINGS,
    INDEX_INNER,
    INDEX_LEAF,
    TABLE_INNER,
    TABLE_LEAF,
    Layout,
    Pages,
    Row,
)
from unransom.catalog.formats.repair.repair import LISTED, Count, Damaged, Repair, Repaired, Table, Tables
from unransom.core.messages import Message, say
from unransom.core.spans import merge
from unransom.core.streams import CHUNK, Reader

TREE = 3  # what the check of pages calls a sound page of a tree
DEEP = 64  # levels of a tree
SAMPLE = 64  # rows that tell which table a page belongs to
VIRTUAL = re.compile(r"\bCREATE\s+VIRTUAL\b", re.IGNORECASE)
WITHOUT = re.compile(r"\)\s*(?:STRICT\s*,\s*)?WITHOUT\s+ROWID", re.IGNORECASE)
SCAN = 256  # pages looked at in one place for their size
PLACES = 32
SURE = 1  # leaf pages that may be sound by chance
LOOKED = 16  # of them looked at closely
KEYED = "lost_and_found_keys"  # of indices, or of tables without row numbers: what they are is lost
DELETED = "deleted_rows"  # tables of rows on pages that the database had given up
ROOTS = frozenset({"table", "index", "view", "trigger"})


def finds(reader: Reader) -> bool:
    """Return whether there is the header, or enough sound pages of one size."""
    return _header(reader) is not None


def _header(reader: Reader) -> sqlite.Header | None:
    """Return the header, or what the pages tell where that is lost."""
    known = sqlite.read_header(reader.read_at(0, 100))
    if known is not None:
        return known
    filled = {size: _filled(reader, Layout(size, size, reader.size // size, "")) for size in sqlite.SIZES}
    size = max(filled, key=filled.__getitem__)
    return sqlite.Header(size, size, reader.size // size) if filled[size] > SURE else None


def _filled(reader: Reader, layout: Layout) -> int:
    """Return of how many pages looked at a cell ends with the page: of those of another size none does."""
    pages = Pages(reader, layout)
    found = 0
    for first in _places(layout):
        leaves = np.flatnonzero(_kinds(reader, layout, first, first + SCAN) == TABLE_LEAF)
        found += sum(pages.is_filled(first + int(each) + 1) for each in leaves[:LOOKED])
    return found


def _encoding(reader: Reader, layout: Layout) -> str:
    """Return how texts are written where the head is lost: letters of two bytes have zeros in one of them."""
    pages = Pages(reader, layout._replace(encoding="latin-1"))
    zeros = [0, 0, 0]  # in the first byte of two, in the second, and letters in all
    for first in _places(layout):
        for each in np.flatnonzero(_kinds(reader, layout, first, first + SCAN) == TABLE_LEAF)[:LOOKED]:
            texts = (value for _, row in pages.rows(first + int(each) + 1) for value in row)
            for text in islice((each for each in texts if isinstance(each, str)), SAMPLE):
                zeros = [
                    zeros[0] + text[::2].count("\0"),
                    zeros[1] + text[1::2].count("\0"),
                    zeros[2] + len(text),
                ]
    high = max(zeros[0], zeros[1])
    if high * 10 < zeros[2]:
        return "utf-8"
    return "utf-16-le" if high == zeros[1] else "utf-16-be"


def _places(layout: Layout) -> list[int]:
    """Return the pages from which on the size of pages is looked for: some, all over the file."""
    last = max(layout.pages - SCAN, 0)
    return sorted({last * part // PLACES for part in range(PLACES + 1)})


class _Schema:
    """What ``sqlite_master`` says, as far as it is left."""

    def __init__(self) -> None:
        self.tables: dict[int, tuple[str, str]] = {}  # by root page: name and statement
        self.indices: dict[int, str] = {}
        self.after: list[str] = []

    def take(self, row: tuple[object, ...]) -> None:
        """Take in a row of ``sqlite_master``, or one that looks like it."""
        kind, name, _, root, statement = row
        text = statement if isinstance(statement, str) else ""
        if kind == "table" and isinstance(root, int) and not str(name).startswith("sqlite_"):
            if root and not VIRTUAL.search(text):
                self.tables.setdefault(root, (str(name), text))
        elif kind in {"index", "table"} and isinstance(root, int):
            self.indices.setdefault(root, str(name))  # SQLite's own tables too: it fills them itself
        if kind != "table" and text and text not in self.after:
            self.after.append(text)


def _is_schema(row: tuple[object, ...]) -> bool:
    return (
        len(row) == 5
        and row[0] in ROOTS
        and isinstance(row[1], str)
        and isinstance(row[2], str)
        and isinstance(row[3], int | None)
        and isinstance(row[4], str | None)
        and (row[4] is None or row[4][:6].upper() == "CREATE")
    )


class _Database:
    """The pages of a database, sorted by the tables that they belong to."""

    def __init__(self, damaged: Damaged, header: sqlite.Header) -> None:
        reader = damaged.reader
        pages = max(reader.size // header.size, 1)
        number = int.from_bytes(reader.read_at(56, 4)) if sqlite.recognise(reader.read_at(0, 4096)) else 0
        layout = Layout(header.size, header.usable, pages, ENCODINGS.get(number, ""))
        layout = layout if layout.encoding else layout._replace(encoding=_encoding(reader, layout))
        self.pages = Pages(reader, layout, merge(damaged.lost))
        self.stated = max(header.pages, pages)
        self.kinds = _kinds(reader, layout, 0, pages, self.stated)
        self.partial = self.pages.partial_leaves()
        for page in self.partial:
            self.kinds[page - 1] = TABLE_LEAF
        self.free = sqlite.free_pages(reader, header)
        self.free = self.free[(self.free >= 1) & (self.free <= pages)]
        self.deleted = self.free[self.kinds[self.free - 1] == TABLE_LEAF].tolist()
        self.kinds[self.free - 1] = 0
        self.broken: list[int] = []  # pages of rows whose end is lost
        self.schema = _Schema()
        self.owner: dict[int, int] = {}  # root page by leaf page
        self._read_schema()
        self._own()

    def leaves(self, kind: int) -> list[int]:
        """Return the numbers of all pages of a kind."""
        return (np.flatnonzero(self.kinds == kind) + 1).tolist()

    def _read_schema(self) -> None:
        """Read the schema from its own tree, and from any other page that looks like it."""
        for number in self.leaves(TABLE_LEAF):
            for _, row in self.pages.rows(number):
                if not _is_schema(row):
                    break
                self.schema.take(row)
                self.owner[number] = 1

    def _own(self) -> None:
        """Follow the trees from their roots, then let pages that no tree reaches go by what is in them."""
        for root in (*self.schema.tables, *self.schema.indices):
            self._follow(root)
        widths: dict[int, set[tuple[str, ...]]] = defaultdict(set)
        for number, root in self.owner.items():
            if root in self.schema.tables and len(widths[root]) < SAMPLE:
                widths[root] |= {_shape(row) for _, row in self._sample(number)}
        for parent in self.leaves(TABLE_INNER):
            self._adopt(parent)
        for number in self.leaves(TABLE_LEAF):
            if number not in self.owner:
                self.owner[number] = self._likely(number, widths)

    def _follow(self, root: int) -> None:
        level = [root]
        for _ in range(DEEP):
            below: list[int] = []
            for number in level:
                if number in self.owner or not 1 <= number <= len(self.kinds):
                    continue
                self.owner[number] = root
                if self.kinds[number - 1] in {TABLE_INNER, INDEX_INNER}:
                    below += self.pages.children(number)
            if not below:
                return
            level = below

    def _adopt(self, parent: int) -> None:
        """Give the children of an inner page outside of all trees to the table that one belongs to."""
        children = [each for each in self.pages.children(parent) if 1 <= each <= len(self.kinds)]
        owners = {self.owner[each] for each in children if each in self.owner}
        if parent in self.owner or len(owners) != 1:
            return
        root = owners.pop()
        for number in (parent, *children):
            self.owner.setdefault(number, root)

    def _sample(self, number: int) -> list[Row]:
        if self.kinds[number - 1] in {INDEX_LEAF, INDEX_INNER}:
            return [(0, row) for row in islice(self.pages.entries(number), SAMPLE)]
        return list(islice(self.pages.rows(number), SAMPLE))

    def _likely(self, number: int, shapes: dict[int, set[tuple[str, ...]]]) -> int:
        """Return the table that a page belongs to by the kinds of its values; 0 where not just one fits."""
        here = {_shape(row) for _, row in self._sample(number)}
        if not here:
            return 0
        fitting = [root for root, known in shapes.items() if here <= known]
        if len(fitting) == 1:
            return fitting[0]
        width = max(map(len, here))
        named = [root for root, (_, text) in self.schema.tables.items() if columns_of(text) == width]
        return named[0] if not fitting and len(named) == 1 else 0

    def tables(self) -> list[Table]:
        """Return all tables, those without a name last."""
        by_root: dict[int, list[int]] = defaultdict(list)
        for number, root in sorted(self.owner.items()):
            if self.kinds[number - 1] == TABLE_LEAF:
                by_root[root].append(number)
        found = []
        for root, (name, text) in self.schema.tables.items():
            if WITHOUT.search(text):
                pages = [
                    number
                    for number, owner in sorted(self.owner.items())
                    if owner == root and self.kinds[number - 1] in {INDEX_LEAF, INDEX_INNER}
                ]
                found.append(self._keyed(name, text, pages))
            else:
                found.append(self._table(name, text, by_root.get(root, [])))
        found += self._nameless("lost_and_found", by_root.get(0, []))
        found += [
            self._keyed(f"{KEYED}_{width}", "", pages, width) for width, pages in self._by_width(self.keyed())
        ]
        return found + self._nameless(DELETED, self.deleted)

    def keyed(self) -> list[int]:
        """Return the pages of indices or tables without row numbers that no tree of the schema reaches."""
        kinds = (INDEX_LEAF, INDEX_INNER)
        return [each for kind in kinds for each in self.leaves(kind) if each not in self.owner]

    def _nameless(self, name: str, numbers: list[int]) -> list[Table]:
        """Return tables of rows whose own is not known, one for each number of columns."""
        return [self._table(f"{name}_{width}", "", pages) for width, pages in self._by_width(numbers)]

    def _by_width(self, numbers: list[int]) -> list[tuple[int, list[int]]]:
        """Return pages by the number of columns of their rows."""
        widths: dict[int, list[int]] = defaultdict(list)
        for number in numbers:
            rows = self._sample(number)
            if rows:
                widths[max(len(row) for _, row in rows)].append(number)
        return sorted(widths.items())

    def _table(self, name: str, text: str, pages: list[int]) -> Table:
        width = max((len(row) for number in pages[:1] for _, row in self._sample(number)), default=0)

        def rows() -> Iterator[Row]:
            for number in pages:
                yield from self.pages.rows(number, self.broken)

        return Table(name, text, width, rows)

    def _keyed(self, name: str, text: str, pages: list[int], width: int = 0) -> Table:
        def rows() -> Iterator[Row]:
            for number in pages:
                for row in self.pages.entries(number):
                    yield 0, row

        return Table(name, text, width or columns_of(text), rows)


def _kinds(reader: Reader, layout: Layout, first: int, end: int, stated: int = 0) -> NDArray[np.uint8]:
    """Return the types of the pages behind the first ``first``, 0 for what is no sound page of a tree.

    ``stated`` is how many pages there once were: sound ones lead to those that are cut off, too.
    """
    from unransom.catalog.formats._sqlite_pages import Frame, sort_pages  # noqa: PLC0415  numba is slow to import

    end = min(end, layout.pages)
    found = np.zeros(max(end - first, 0), np.uint8)
    step = max(CHUNK // layout.size, 1)
    for start in range(first, end, step):
        data = reader.read_at(start * layout.size, min(step, end - start) * layout.size)
        frame = Frame(start + 1, layout.size, layout.usable, max(stated, layout.pages), 0)
        kinds, _ = sort_pages(data, frame)
        values = np.frombuffer(data, np.uint8)[: len(kinds) * layout.size].reshape(-1, layout.size)
        types = values[:, 0].copy()
        if start == 0 and len(types):
            types[0] = data[100]
        found[start - first : start - first + len(types)] = np.where(kinds == TREE, types, 0)
    return found


def _shape(row: tuple[object, ...]) -> tuple[str, ...]:
    """Return the kinds of the values of a row; null and numbers are alike."""
    return tuple("t" if isinstance(value, str) else "b" if isinstance(value, bytes) else "n" for value in row)


def columns_of(statement: str) -> int:
    """Return how many columns a CREATE TABLE statement defines, by the commas outside of brackets."""
    start, end = statement.find("("), statement.rfind(")")
    depth, count, item = 0, 0, ""
    for letter in statement[start + 1 : end] + "," if 0 <= start < end else "":
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth <= 0:
            words = item.split()
            count += bool(words) and words[0].upper() not in {
                "PRIMARY",
                "UNIQUE",
                "CHECK",
                "FOREIGN",
                "CONSTRAINT",
            }
            item = ""
        else:
            item += letter
    return count


def repair(damaged: Damaged) -> Repaired | None:
    """Read all rows; None where there is no page of a table."""
    laid = overlay(damaged)
    damaged, reader = laid.damaged, laid.damaged.reader
    header = _header(reader)
    if laid.page and (header is None or header.size != laid.page):
        header = sqlite.Header(laid.page, laid.page, reader.size // laid.page)
    if header is None:
        return None
    database = _Database(damaged, header)
    tables = database.tables()
    if not database.leaves(TABLE_LEAF) and not database.leaves(INDEX_LEAF):
        return None
    lost = _lost(reader, database)
    return Repaired(
        (),
        say("the rows were read page by page and put into a new database"),
        (Count("pages", database.stated - len(lost), database.stated), *laid.counts),
        laid.missing + _missing(database),
        tuple(str(number) for number in lost[:LISTED]),
        tables=Tables(tuple(tables), tuple(database.schema.after)),
        extension="" if damaged.name else ".sqlite",
    )


def _lost(reader: Reader, database: _Database) -> list[int]:
    """Return the numbers of the pages that are none: neither of a tree, nor free, nor the end of a record."""
    odd = np.setdiff1d(np.flatnonzero(database.kinds == 0) + 1, database.free)
    pages = database.pages
    lost = []
    for number in odd.tolist():
        page = pages.page(number)
        if number == 1 or not page or int.from_bytes(page[:4]) > pages.layout.pages:
            lost.append(number)
    lost += database.partial
    return lost + list(range(pages.layout.pages + 1, database.stated + 1))[:LISTED]


def _missing(database: _Database) -> tuple[Message, ...]:
    found = []
    if not database.schema.tables:
        found.append(say("the definitions of the tables are lost: their columns have no names"))
    nameless = sum(root == 0 for root in database.owner.values())
    if nameless and database.schema.tables:
        found.append(
            say(
                "{count} pages belong to tables that are not known: their rows are in tables lost_and_found",
                count=nameless,
            )
        )
    if keyed := len(database.keyed()):
        found.append(
            say(
                "{count} pages are of indices or tables without row numbers: see tables lost_and_found_keys",
                count=keyed,
            )
        )
    if database.deleted:
        found.append(
            say(
                "{count} pages had been given up: their rows, deleted or moved, are in tables deleted_rows",
                count=len(database.deleted),
            )
        )
    return tuple(found)


REPAIR = Repair(("sqlite",), sqlite.FORMAT.extensions, repair, finds)
