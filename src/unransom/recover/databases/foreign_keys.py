"""Rows that must have been there, because rows of other tables name their keys."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import pyarrow
import pyarrow.compute as pc

from unransom.catalog.databases.references import references_in
from unransom.catalog.databases.table import Reference, Table

MOST_KEYS = 20_000_000  # that are kept of one table; of more, nothing is said
TOGETHER = 1_000_000  # keys that are collected before those that are the same are put together
SEPARATOR = "\x1f"
NUMBERS, BYTES, TEXTS = "numbers", "bytes", "texts"


class Link(NamedTuple):
    """A foreign key between two tables that are written.

    Attributes:
        child, parent: Their names in the output.
        columns, keys: Numbers of the columns of each.
        kind: How values are compared.
    """

    child: str
    parent: str
    columns: tuple[int, ...]
    keys: tuple[int, ...]
    kind: str


class Missing(NamedTuple):
    """Rows that are named and not there.

    Attributes:
        rows: How many.
        named_by: Tables that name them, with how many each names.
    """

    rows: int
    named_by: dict[str, int]


class ForeignKeys:
    """Watches the rows of one database as they are written."""

    def __init__(self, tables: Mapping[str, Table], scripts: Iterable[str]) -> None:
        """Take the tables by their names in the output, and the scripts that may declare foreign keys."""
        self._links = tuple(dict.fromkeys(_links(tables, scripts)))
        self._seen: dict[tuple[str, tuple[int, ...], str], _Keys] = {}
        for link in self._links:
            self._seen.setdefault((link.child, link.columns, link.kind), _Keys())
            self._seen.setdefault((link.parent, link.keys, link.kind), _Keys())

    def pass_by(self, name: str, batch: pyarrow.RecordBatch) -> None:
        """Note the keys in rows of the table ``name``."""
        for (table, columns, kind), keys in self._seen.items():
            if table == name:
                keys.add(_values([batch.column(number) for number in columns], kind))

    def missing(self) -> dict[str, Missing]:
        """Return the rows that are missing, by table."""
        lost: dict[tuple[str, tuple[int, ...], str], list[tuple[str, pyarrow.Array]]] = defaultdict(list)
        for link in self._links:
            named = self._seen[link.child, link.columns, link.kind].all()
            there = self._seen[link.parent, link.keys, link.kind].all()
            if named is not None and there is not None and len(named):
                # Of a table that has lost every row there are no keys of any type.
                gone = named.filter(pc.invert(pc.is_in(named, value_set=there.cast(named.type))))
                lost[link.parent, link.keys, link.kind].append((link.child, gone))
        found: dict[str, Missing] = {}
        for (parent, _, _), each in lost.items():
            rows = len(pc.unique(pyarrow.chunked_array([gone for _, gone in each])))
            named_by = {child: len(gone) for child, gone in each if len(gone)}
            if rows and (parent not in found or found[parent].rows < rows):
                found[parent] = Missing(rows, named_by)
        return found


class _Keys:
    """Different keys, as many as memory should hold."""

    def __init__(self) -> None:
        self._parts: list[pyarrow.Array] = []
        self._waiting = 0
        self._full = False

    def add(self, values: pyarrow.Array) -> None:
        if not self._full:
            self._parts.append(pc.unique(values.drop_null()))
            self._waiting += len(self._parts[-1])
            if self._waiting >= TOGETHER:
                self._unite()

    def _unite(self) -> None:
        self._parts = [pc.unique(pyarrow.chunked_array(self._parts))]
        self._waiting = 0
        self._full = len(self._parts[0]) > MOST_KEYS
        if self._full:
            self._parts = []

    def all(self) -> pyarrow.Array | None:
        """Return the keys; None where there were too many."""
        if self._full:
            return None
        if len(self._parts) > 1:
            self._unite()
        return self._parts[0] if self._parts else pyarrow.array([])


def _links(tables: Mapping[str, Table], scripts: Iterable[str]) -> Iterator[Link]:
    """Yield the foreign keys whose tables are both there and whose columns can be compared."""
    short: dict[str, list[str]] = defaultdict(list)
    for name in tables:
        short[_short(name)].append(name)
    declared = [(name, reference) for name, table in tables.items() for reference in table.references]
    for script in scripts:
        for name, reference in references_in(script):
            declared += [(child, reference) for child in short.get(name.lower(), ())]
    for child, reference in declared:
        parents = short.get(_short(reference.table), [])
        if len(parents) == 1:
            link = _link(child, parents[0], tables, reference)
            if link is not None:
                yield link


def _link(child: str, parent: str, tables: Mapping[str, Table], reference: Reference) -> Link | None:
    keys = reference.keys or tables[parent].key
    mine, theirs = _numbers(tables[child], reference.columns), _numbers(tables[parent], keys)
    if not mine or len(mine) != len(theirs):
        return None
    pairs = zip(mine, theirs, strict=True)
    kinds = {_kind(tables[child].columns[one].arrow, tables[parent].columns[two].arrow) for one, two in pairs}
    if len(mine) > 1:
        kinds = {TEXTS} if kinds <= {NUMBERS, TEXTS} else {""}
    kind = kinds.pop()
    return Link(child, parent, mine, theirs, kind) if kind else None


def _short(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _numbers(table: Table, names: Sequence[str]) -> tuple[int, ...]:
    """Return the places of columns by their names; () where one is not there."""
    known = {column.name.lower(): number for number, column in enumerate(table.columns)}
    found = [known[name.lower()] for name in names if name.lower() in known]
    return tuple(found) if len(found) == len(names) else ()


def _kind(one: pyarrow.DataType, other: pyarrow.DataType) -> str:
    """Return how values of two types are compared, "" where they cannot be."""
    types = pyarrow.types
    if types.is_integer(one) and types.is_integer(other):
        return TEXTS if types.is_uint64(one) or types.is_uint64(other) else NUMBERS
    if one != other:
        return TEXTS if _is_text(one) and _is_text(other) else ""
    if types.is_binary(one) or types.is_large_binary(one) or types.is_fixed_size_binary(one):
        return BYTES
    return TEXTS if _is_text(one) or types.is_decimal(one) or types.is_temporal(one) else ""


def _is_text(kind: pyarrow.DataType) -> bool:
    return bool(pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind))


def _values(columns: Sequence[pyarrow.Array], kind: str) -> pyarrow.Array:
    """Return one value a row that is equal where keys are: most servers compare texts without case."""
    if kind == NUMBERS:
        return pc.cast(columns[0], pyarrow.int64())
    if kind == BYTES:
        return pc.cast(columns[0], pyarrow.large_binary())
    texts = [
        pc.utf8_rtrim_whitespace(pc.utf8_lower(pc.cast(each, pyarrow.large_string()))) for each in columns
    ]
    return pc.binary_join_element_wise(*texts, SEPARATOR) if len(texts) > 1 else texts[0]
