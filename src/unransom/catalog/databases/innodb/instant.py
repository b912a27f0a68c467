"""Columns that MariaDB added, dropped or moved instantly: the hidden first record of a table says which.

It stands at the left end of the leaves. Where columns were only added it holds their defaults; where some
were dropped or moved, it also refers to a map of the fields. Where it is lost, the map may still be there,
and how many fields the oldest records have is tried on them; defaults are then not known.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec
import numpy as np

from unransom.catalog.databases.innodb import decode, lobs, pages
from unransom.catalog.databases.innodb.charsets import BINARY
from unransom.catalog.databases.innodb.liveness import leaves
from unransom.catalog.databases.innodb.row_versions import marks, versioned
from unransom.catalog.databases.innodb.schema import MOST_COLUMNS, Field, Layout, TableDef, layout_of
from unransom.catalog.databases.innodb.tablespace import Tablespace
from unransom.catalog.databases.innodb.types import VARIABLE, ColumnType, Kind

MINIMUM, DELETED, STATUS, REFERENCE, EXTRA, SYSTEM = 0x10, 0x20, 4, 20, 5, 13
MOST_ADDED, MOST_MAPS = 16, 64  # columns that are tried as added; pages that may hold the map
DROPPED, NOT_NULL, PLACE = 0x8000, 0x4000, 0x3FFF


def arrangements(space: Tablespace, owner: int, definition: TableDef) -> Iterator[tuple[Layout, int]]:
    """Yield how the records of an index may be laid out, and how many fields they had before instant changes.

    The number is 0 where there were none. Where the hidden record is there, it is one way, or none where the
    map is lost; where nothing ``is_told``, or MySQL's records have versions that nothing explains, there are
    several, the likeliest first.
    """
    layout = layout_of(definition)
    found = _metadata(space, owner)
    if found is not None:
        yield from _as_told(space, definition, layout, *found)
        return
    if any(field.added or field.dropped or field.late for field in layout.fields):
        yield layout, 0  # as the SDI tells
        return
    version = marks(space, owner).version
    if version:
        yield from ((each, 0) for each in versioned(layout, version))
        return
    yield layout, 0
    if is_told(space, owner):
        return
    for fields in (*_maps(space, layout), layout.fields):
        for core in range(len(fields) - 1, max(layout.key + 2, len(fields) - MOST_ADDED), -1):
            late = tuple(
                msgspec.structs.replace(field, late=place >= core, untold=place >= core)
                for place, field in enumerate(fields)
            )
            yield Layout(late, layout.key), core


def _as_told(
    space: Tablespace, definition: TableDef, layout: Layout, page: bytes, origin: int
) -> Iterator[tuple[Layout, int]]:
    """Yield the layout that the hidden record at ``origin`` tells, if it does."""
    more, taken = page[origin - EXTRA - 1], 1
    if more & 0x80:
        more, taken = (more & 0x7F) | page[origin - EXTRA - 2] << 7, 2
    fields = layout.fields
    mapped = bool(page[origin - EXTRA] & DELETED)
    at = origin + sum(max(field.type.length, 0) for field in fields[: layout.key]) + SYSTEM
    if mapped:
        body = lobs.fetch(space, page[at : at + REFERENCE])
        known = _mapped(layout, body) if body is not None else next(_maps(space, layout), None)
        if known is None:
            return
        fields = known
        at += REFERENCE
    core = len(fields) - more - (0 if mapped else 1)
    if not layout.key + 2 <= core <= len(fields):
        yield layout, 0
        return
    fields = _with_defaults(page, origin - EXTRA - taken - 1, at, fields, core)
    yield Layout(fields, layout.key), core


def is_told(space: Tablespace, owner: int) -> bool:
    """Return whether a page is left that says of an index whether columns were changed instantly.

    The first leaf has the hidden record, and the root says that there is one. Where both are lost, a layout
    counts only where it proves itself.
    """
    if any(marks(space, owner)):
        return False
    table, numbers = space.table, leaves(space.table, owner)
    if not len(numbers) and not len(leaves(table, owner, pages.TORN)):
        return True
    first = bool((table["previous"][numbers] == pages.NIL).any())
    return first or _kind_of_root(space, owner) == pages.INDEX or _metadata(space, owner) is not None


def is_changed(space: Tablespace, owner: int) -> bool:
    """Return whether the root or the hidden record says that columns were changed instantly."""
    known = _kind_of_root(space, owner) == pages.INSTANT or _metadata(space, owner) is not None
    return known or any(marks(space, owner))


def _kind_of_root(space: Tablespace, owner: int) -> int:
    """Return the type of the root page of an index that has several levels, 0 where it is lost."""
    table = space.table
    mine = (table["verdict"] == pages.VALID) & (table["index"] == owner) & (table["level"] > 0)
    mine &= (table["previous"] == pages.NIL) & (table["next"] == pages.NIL)
    rows = table[mine & np.isin(table["kind"], pages.INDEXES)]
    return int(rows["kind"][rows["level"].argmax()]) if len(rows) else 0


def _maps(space: Tablespace, layout: Layout) -> Iterator[tuple[Field, ...]]:
    """Yield the fields by each page off the rows, sound or not, that is but a map of all of them."""
    kinds = np.isin(space.table["verdict"], (pages.VALID, pages.TORN)) & (space.table["kind"] == lobs.BLOB)
    some = np.flatnonzero(kinds)
    some = some[np.argsort(space.table["verdict"][some], kind="stable")]  # sound ones first
    for number in some[:MOST_MAPS].tolist():
        page = space.page(number) or b""
        body = page[lobs.HEADER + 8 :][: int.from_bytes(page[lobs.HEADER : lobs.HEADER + 4], "big")]
        fields = _mapped(layout, body)
        if fields is not None and len(body) == 4 + 2 * int.from_bytes(body[:4], "big"):
            yield fields


def _metadata(space: Tablespace, owner: int) -> tuple[bytes, int] | None:
    """Return the page and the origin of the hidden record, None where there is none."""
    table = space.table
    for number in [*leaves(table, owner).tolist(), *leaves(table, owner, pages.TORN).tolist()]:
        if table[number]["previous"] != pages.NIL:
            continue
        page = space.page(number)
        if page is None or not page[42] & 0x80:
            continue
        origins, _, _ = decode.listed(np.frombuffer(page, np.uint8), space.logical)
        for origin in origins[:1].tolist():
            if page[origin - EXTRA] & MINIMUM and page[origin - 3] & 7 == STATUS:
                return page, origin
    return None


def _mapped(layout: Layout, body: bytes) -> tuple[Field, ...] | None:
    """Return the fields in the order that the map tells; None where it makes no sense."""
    if len(body) < 4:
        return None
    count = struct.unpack_from(">I", body)[0]
    if count > MOST_COLUMNS or 4 + 2 * count > len(body):
        return None
    known = {field.column: field for field in layout.fields if field.whole and field.column >= 0}
    head = layout.fields[: layout.key + 2]
    out = list(head)
    for place in range(count):
        code = struct.unpack_from(">H", body, 4 + 2 * place)[0]
        if code & DROPPED:
            out.append(_dropped(code, place))
        elif (code & PLACE) in known:
            out.append(known[code & PLACE])
        else:
            return None
    kept = sorted(field.column for field in out if field.column >= 0)
    return (
        tuple(out) if kept == sorted(field.column for field in layout.fields if field.column >= 0) else None
    )


def _dropped(code: int, place: int) -> Field:
    """Return the field that a dropped column has left in old records."""
    length = code & PLACE
    width = length - 1 if length > 1 else VARIABLE
    kind = ColumnType("dropped", Kind.BINARY, width, 1 << 14, big=length == 1, charset=BINARY)
    return Field(f"dropped_{place}", kind, nullable=not code & NOT_NULL)


def _with_defaults(
    page: bytes, nulls: int, at: int, fields: tuple[Field, ...], core: int
) -> tuple[Field, ...]:
    """Return the fields with what they are in records that end before them."""
    nullable = sum(field.nullable for field in fields)
    sizes, bit, out = nulls - (nullable + 7) // 8, 0, []
    key_and_system = next(n for n, field in enumerate(fields) if field.name == "DB_ROLL_PTR") + 1
    for place, field in enumerate(fields):
        isnull = False
        if field.nullable:
            isnull = bool(page[nulls - (bit >> 3)] >> (bit & 7) & 1)
            bit += 1
        length = 0 if isnull else field.type.length
        if length == VARIABLE:
            length, sizes = _variable(page, sizes, field)
        if place < key_and_system:
            out.append(field)
            continue
        value = None if isnull else page[at : at + length]
        at += length
        late = place >= core
        out.append(msgspec.structs.replace(field, late=late, default=value if late else None))
    return tuple(out)


def _variable(page: bytes, sizes: int, field: Field) -> tuple[int, int]:
    length = page[sizes]
    if field.type.big and length & 0x80:
        return (length & 0x3F) << 8 | page[sizes - 1], sizes - 2
    return length, sizes - 1
