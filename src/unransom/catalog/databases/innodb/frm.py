"""Definitions in .frm files (MySQL before 8, MariaDB)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from unransom.catalog.databases.innodb.charsets import BINARY, Charset, charset_of_collation
from unransom.catalog.databases.innodb.frm_statement import (
    NUMBERED,
    STORED,
    TABLE_CHECK,
    VIRTUAL,
    Expression,
    Named,
    statement,
)
from unransom.catalog.databases.innodb.quoting import literal
from unransom.catalog.databases.innodb.schema import MOST_COLUMNS, ColumnDef, KeyPart, TableDef
from unransom.catalog.databases.innodb.types import OLD_TYPES, Kind, column_type, packed_type

MOST = 1 << 20  # bytes of a .frm file
MAGIC = b"\xfe\x01"
FORM, FIELD, KEY, PART = 288, 17, 8, 9  # bytes of the form's head, of a field, a key and a part of one
SIGNED, MAYBE_NULL = 0x0001, 0x8000  # of a field's flags
GENERATED, COMPRESSED = 128, 24  # what a field's byte of specials says
EXPRESSIONS = 16  # MariaDB: bytes in front of them
SHOWN, TYPE_INFO = 129, 130  # MariaDB: which fields are shown; names of types that came later
INVISIBLE, OF_SYSTEM, UNSTORED = 3, 2, 3  # bits of that; of the server's; of hashes of long values
DESCENDING = 0x80  # flag of a part of a key
PERIOD = 4  # MariaDB: fields that say from and until when a row was the current one
INTEGERS = {1: "tinyint", 2: "smallint", 9: "mediumint", 3: "int", 8: "bigint"}
CLOCKS = {17: ("timestamp", 19), 18: ("datetime", 19), 19: ("time", 10)}  # name, characters without fraction
BLOBS = {249: "tiny", 250: "medium", 251: "long", 252: ""}
OLD = {7: OLD_TYPES[Kind.TIMESTAMP], 11: OLD_TYPES[Kind.TIME], 12: OLD_TYPES[Kind.DATETIME]}


class _Raw(NamedTuple):
    """A field as the file has it."""

    name: str
    length: int
    flags: int
    kind: int
    charset: Charset
    elements: tuple[str, ...]
    generated: bool
    later: str  # name of a type that has no number
    packed: bool  # MariaDB compresses each value
    invisible: int  # how far a field is out of sight
    numbered: bool  # AUTO_INCREMENT


def definitions(data: bytes, name: str) -> Iterator[TableDef]:
    """Yield the table ``name`` that a .frm file defines; twice where columns are generated.

    A generated column is stored or not, and which of them the rows tell: the first definition is without
    the generated columns, the second with them.
    """
    try:
        fields, key, (since, until), create = _parse(data, name.rpartition("/")[2])
    except (struct.error, IndexError, ValueError):
        return
    generated = any(field.generated for field in fields)
    for stored in (False, True) if generated else (True,):
        columns = [_column(field) for field in fields if stored or not field.generated]
        if columns and None not in columns:
            known = tuple(column for column in columns if column is not None)
            made = TableDef(name, known, _fitting(key, known), source=".frm", since=since, until=until)
            yield msgspec.structs.replace(made, create=create)


def _fitting(key: tuple[KeyPart, ...], columns: tuple[ColumnDef, ...]) -> tuple[KeyPart, ...]:
    """Return ``key`` with prefixes only where they are shorter than their columns."""
    types = {column.name: column.type for column in columns}
    return tuple(
        msgspec.structs.replace(part, prefix=part.prefix if part.prefix < types[part.column].most else 0)
        for part in key
        if part.column in types
    )


def _parse(data: bytes, name: str) -> tuple[list[_Raw], tuple[KeyPart, ...], tuple[str, str], str]:
    """Return the fields, the key of the clustered index, and what else the file tells of the table.

    That is which fields say when a row was current, or "", and the statement that makes the table, "" where
    some of what it takes is not told.

    Raises:
        ValueError, IndexError, struct.error: It is no whole .frm file.
    """
    if data[:2] != MAGIC:
        raise ValueError("no .frm file")
    extra, keys_at = struct.unpack_from("<HH", data, 4)
    form = struct.unpack_from("<I", data, 64 + extra)[0]
    count, screens = struct.unpack_from("<HH", data, form + 258)
    names_size, _, intervals = struct.unpack_from("<HHH", data, form + 268)
    if not 0 < count <= MOST_COLUMNS:
        raise ValueError("no columns")
    at = form + FORM + screens
    names_at = at + FIELD * count
    names = [name.decode() for name in _separated(data[names_at : names_at + names_size])]
    lists = _intervals(data[names_at + names_size :], intervals)
    extras = _extras(data[64 : 64 + extra])
    types, sight = _later_types(extras.get(TYPE_INFO, b"")), extras.get(SHOWN, b"").ljust(count, b"\0")
    behind = names_at + names_size + sum(struct.unpack_from("<H", data, form + at)[0] for at in (274, 284))
    expressions = _expressions(data[behind:], struct.unpack_from("<H", data, form + 286)[0])
    virtual = {each.field: each.kind for each in expressions if each.kind <= STORED}
    fields = [
        _raw(data[at + FIELD * n : at + FIELD * (n + 1)], names[n], lists, types.get(n), sight[n] & INVISIBLE)
        for n in range(count)
    ]
    stored = [
        field
        for number, field in enumerate(fields)
        if virtual.get(number) != VIRTUAL and field.invisible != UNSTORED
    ]
    period = struct.unpack("<HH", extras[PERIOD]) if len(extras.get(PERIOD, b"")) == 4 else ()
    since, until = (fields[number].name for number in period) if period else ("", "")
    kept = [field._replace(generated=field.generated and not virtual) for field in stored]
    entries = [data[at + FIELD * n : at + FIELD * (n + 1)] for n in range(count)]
    told = names_at + names_size + struct.unpack_from("<H", data, form + 274)[0]
    comments = _comments(data[told:], entries)
    whole = list(zip(entries, fields, comments, strict=True))
    create = _statement(data, name, whole, expressions, (since, until))
    if create and 0 < data[form + 46] < 255:
        said = data[form + 47 :][: data[form + 46]].decode("utf-8", "replace")
        create += f" COMMENT={literal(said)}"
    return kept, _key(data, keys_at, fields), (since, until), create


def _comments(data: bytes, entries: list[bytes]) -> list[str]:
    """Return what was said of each field; the texts stand one behind another."""
    at, comments = 0, []
    for entry in entries:
        size = struct.unpack_from("<H", entry, 15)[0]
        comments.append(data[at : at + size].decode("utf-8", "replace"))
        at += size
    return comments


def _statement(
    data: bytes,
    name: str,
    fields: list[tuple[bytes, _Raw, str]],
    expressions: list[Expression],
    versions: tuple[str, str],
) -> str:
    known = {each.field for each in expressions}
    if any(raw.generated and number not in known for number, (_, raw, _) in enumerate(fields)):
        return ""  # by how MySQL before 8 keeps expressions
    shown = []
    for entry, raw, comment in fields:
        column = _column(raw)
        if column is None:
            return ""
        own = raw.invisible < OF_SYSTEM
        packed, out = raw.packed, raw.invisible > 0
        declared = column.type.declared
        shown.append(Named(entry, raw.name, declared, raw.charset, raw.elements, own, out, packed, comment))
    try:
        return statement(data, name, shown, expressions, struct.unpack_from("<H", data, 6)[0], versions)
    except (struct.error, IndexError, ValueError):
        return ""


def _expressions(data: bytes, length: int) -> list[Expression]:
    """Return the expressions of MariaDB: of columns, of what new rows have, and of checks."""
    for start in (EXPRESSIONS, EXPRESSIONS + 1):
        at, found = start, []
        while at + 6 <= min(length + 1, len(data)):
            kind, number, size, name = struct.unpack_from("<BHHB", data, at)
            at += 6
            told = data[at : at + name].decode("utf-8", "replace")
            text = data[at + name : at + name + size].decode("utf-8", "replace")
            found.append(Expression(kind, number, text, told))
            at += size + name
        if found and at in {length, length + 1} and max(each.kind for each in found) <= TABLE_CHECK:
            return found
    return []


def _separated(data: bytes) -> list[bytes]:
    """Return the strings of a list that begins with its separator."""
    return data[1:].split(data[:1])[:-1] if data else []


def _intervals(data: bytes, count: int) -> list[list[bytes]]:
    """Return the lists of elements of ENUM and SET."""
    lists = []
    for _ in range(count):
        end = data.find(data[:1] + b"\0", 1)
        if end < 0:
            break
        lists.append(data[1:end].split(data[:1]))
        data = data[end + 2 :]
    return lists


def _extras(extra: bytes) -> dict[int, bytes]:
    """Return what MariaDB says besides, by its kind."""
    at, found = 0, {}
    while at + 2 <= len(extra):
        kind, length = extra[at], extra[at + 1]
        at += 2
        if length == 0:
            length = int.from_bytes(extra[at : at + 2], "little")
            at += 2
        found[kind] = extra[at : at + length]
        at += length
    return found


def _later_types(part: bytes) -> dict[int, str]:
    """Return the names of types that have no number, by field (MariaDB)."""
    place, found = 0, {}
    while place + 2 <= len(part):
        number, size = part[place], part[place + 1]
        found[number] = part[place + 2 : place + 2 + size].decode()
        place += 2 + size
    return found


def _raw(entry: bytes, name: str, lists: list[list[bytes]], later: str | None, invisible: int) -> _Raw:
    length, flags = struct.unpack_from("<H", entry, 3)[0], struct.unpack_from("<H", entry, 8)[0]
    kind, generated = entry[13], bool(entry[10] & GENERATED)
    charset = BINARY if kind == 255 else charset_of_collation(entry[11] << 8 | entry[14])
    elements: tuple[str, ...] = ()
    if kind in {247, 248} and 0 < entry[12] <= len(lists):
        codec = "latin-1" if charset.codec == "binary" else charset.codec
        # Elements are kept in the column's character set by old servers and in UTF-8 by none.
        elements = tuple(element.decode(codec, "replace") for element in lists[entry[12] - 1])
    packed = entry[10] & ~GENERATED == COMPRESSED
    numbered = entry[10] & ~GENERATED == NUMBERED
    length -= packed  # by the byte that says how a value is stored
    return _Raw(
        name, length, flags, kind, charset, elements, generated, later or "", packed, invisible, numbered
    )


def _column(raw: _Raw) -> ColumnDef | None:
    if raw.kind in OLD:
        return ColumnDef(raw.name, OLD[raw.kind], bool(raw.flags & MAYBE_NULL))
    declared = _declared(raw)
    kind = column_type(declared, raw.charset, raw.elements) if declared else None
    if kind is None:
        return None
    if raw.packed:
        kind = packed_type(kind)
    if raw.elements:
        quoted = ",".join("'" + element.replace("'", "''") + "'" for element in raw.elements)
        kind = msgspec.structs.replace(kind, declared=f"{declared}({quoted})")
    return ColumnDef(
        raw.name, kind, bool(raw.flags & MAYBE_NULL), automatic=raw.numbered, invisible=raw.invisible > 0
    )


def _declared(raw: _Raw) -> str:
    """Return the type as it was declared, "" where it is unknown."""
    if raw.later:
        return raw.later
    scale = raw.flags >> 8 & 31
    unsigned = "" if raw.flags & SIGNED else " unsigned"
    if raw.kind in INTEGERS:
        return INTEGERS[raw.kind] + unsigned
    if raw.kind in CLOCKS:
        name, plain = CLOCKS[raw.kind]
        return f"{name}({raw.length - plain - 1})" if raw.length > plain else name
    if raw.kind == 246:
        precision = raw.length - (scale > 0) - (not unsigned)
        return f"decimal({precision},{scale}){unsigned}"
    simple = {4: "float" + unsigned, 5: "double" + unsigned, 10: "date", 14: "date", 13: "year", 245: "json"}
    simple |= {16: f"bit({raw.length})", 247: "enum", 248: "set", 255: "geometry"}
    return simple.get(raw.kind) or _text(raw)


def _text(raw: _Raw) -> str:
    binary = raw.charset is BINARY
    if raw.kind in BLOBS:
        return BLOBS[raw.kind] + ("blob" if binary else "text")
    names = {15: "varchar", 253: "varchar", 254: "char"}
    if raw.kind not in names:
        return ""
    if binary:
        return f"{names[raw.kind].replace('char', 'binary')}({raw.length})"
    return f"{names[raw.kind]}({raw.length // raw.charset.most})"


def _key(data: bytes, at: int, fields: list[_Raw]) -> tuple[KeyPart, ...]:
    """Return the primary key, else the first unique one without NULLs."""
    count = data[at]
    if count & 0x80:
        count = data[at + 1] << 7 | count & 0x7F
    place, keys = at + 6, []
    for _ in range(count):
        flags, _, parts = struct.unpack_from("<HHB", data, place)
        place += KEY
        key, nullable = [], False
        for _ in range(parts):
            number, length = (
                struct.unpack_from("<H", data, place)[0] & 0x3FFF,
                struct.unpack_from("<H", data, place + 7)[0],
            )
            field = fields[number - 1]
            nullable |= bool(field.flags & MAYBE_NULL)
            prefixed = field.kind in {15, 253, 254} or field.kind in BLOBS
            key.append(KeyPart(field.name, length if prefixed else 0, bool(data[place + 4] & DESCENDING)))
            place += PART
        keys.append((tuple(key), not flags & 1 and not nullable))
    names = _separated(data[place : place + 65536].split(b"\xff\0")[0] + b"\xff")
    for name, (key_parts, _) in zip(names, keys, strict=False):
        if name.upper() == b"PRIMARY":
            return key_parts
    return next((key_parts for key_parts, unique in keys if unique), ())
