"""Serialized dictionary information of MySQL 8: the table's definition, in the tablespace itself.

The pages of the SDI index say of themselves what they are, so that neither page 0 nor the root is needed.
"""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from unransom.catalog.databases.innodb.charsets import Charset, charset_of_collation
from unransom.catalog.databases.innodb.schema import (
    DOC_ID,
    DOC_ID_TYPE,
    MOST_COLUMNS,
    ColumnDef,
    KeyPart,
    Registered,
    TableDef,
)
from unransom.catalog.databases.innodb.sdi_statement import statement
from unransom.catalog.databases.innodb.types import column_type
from unransom.catalog.databases.table import Reference

MOST_TEXT = 64 << 20  # bytes of a definition
MOST_PARTITIONS = 8192  # of a table
RECORD = struct.Struct(">I8s6s7sII")  # type, id, transaction, roll pointer, lengths
ENGINE_HIDDEN = {"DB_ROW_ID", "DB_TRX_ID", "DB_ROLL_PTR"}
HIDDEN_VISIBLE, HIDDEN_USER = 1, 4
PRIMARY, UNIQUE = 1, 2
DESCENDING = 3  # order of a part of a key
# By the number of a type how it is declared; digits come from what is left, the column's length and scale.
DECLARED = {
    2: "tinyint", 3: "smallint", 4: "int", 5: "float", 6: "double", 9: "bigint", 10: "mediumint", 11: "date",
    14: "year", 15: "date", 16: "varchar({characters})", 17: "bit({length})",
    18: "timestamp({of_moment})", 19: "datetime({of_moment})", 20: "time({of_time})",
    21: "decimal({digits},{scale})", 22: "enum", 23: "set", 24: "tinyblob", 25: "mediumblob", 26: "longblob",
    27: "blob", 28: "varchar({characters})", 29: "char({characters})", 30: "geometry", 31: "json",
    32: "longblob",
}  # fmt: skip
MOMENT, TIME = 20, 11  # characters of a date with time, and of a time, in front of the fraction
PREFIXABLE = {16, 24, 25, 26, 27, 28, 29, 30, 31}  # numbers of the types of text and bytes


def texts(page: bytes, origins: list[int], fetch: Callable[[bytes], bytes]) -> Iterator[str]:
    """Yield the definitions in the records at ``origins`` of an SDI leaf page.

    Args:
        page: The page.
        origins: Where its records begin.
        fetch: Returns the bytes behind an off-page reference of 20 bytes.
    """
    for origin in origins:
        if origin + RECORD.size > len(page):
            continue
        _kind, _id, _trx, _roll, plain, packed = RECORD.unpack_from(page, origin)
        # The length of the data stands right before the header of five bytes, backwards.
        length = page[origin - 6]
        outside = False
        if length & 0x80:
            outside = bool(length & 0x40)
            length = (length & 0x3F) << 8 | page[origin - 7]
        data = page[origin + RECORD.size : origin + RECORD.size + length]
        if outside:
            data = data[:-20] + fetch(data[-20:])
        if len(data) < packed or plain > MOST_TEXT:
            continue
        try:
            text = zlib.decompressobj().decompress(data[:packed], plain)
            yield text.decode()
        except (zlib.error, UnicodeDecodeError):
            continue


def definition(text: str) -> tuple[TableDef, list[Registered]] | None:
    """Return the table that an SDI document describes, and its partitions; None where it describes none."""
    try:
        document = json.loads(text)
        if document.get("dd_object_type") != "Table":
            return None
        made = _table(document["dd_object"])
        return (made, list(_partitions(document["dd_object"], made))) if made is not None else None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _partitions(table: dict[str, Any], whole: TableDef) -> Iterator[Registered]:
    """Yield the partitions of a table; where these have partitions, only those hold rows."""
    for part in table.get("partitions", ())[:MOST_PARTITIONS]:
        for each in part.get("subpartitions") or [part]:
            index = _pairs(each["indexes"][0].get("se_private_data", ""))
            clustered, space = _number(index, "id", 0), _number(index, "space_id", 0)
            known = msgspec.structs.replace(whole, clustered=clustered)
            yield Registered(known, space, each["name"], vague=False, table=int(each["se_private_id"]))


def _table(table: dict[str, Any]) -> TableDef | None:
    everything = table["columns"][:MOST_COLUMNS]
    columns: list[ColumnDef] = []
    for column in everything:
        if column["name"] in ENGINE_HIDDEN or column.get("is_virtual"):
            continue
        made = _column(column)
        if made is None:
            return None
        columns.append(made)
    clustered, key = _clustered(table, everything)
    return TableDef(
        name="/".join(part for part in (table.get("schema_ref", ""), table["name"]) if part),
        columns=tuple(columns),
        key=key,
        source="SDI",
        clustered=clustered,
        create=_statement(table),
        references=tuple(
            _reference(each, everything) for each in table.get("foreign_keys", ())[:MOST_COLUMNS]
        ),
    )


def _statement(table: dict[str, Any]) -> str:
    """Return the statement that makes a table, "" where some of what it takes is not told."""
    try:
        return statement(table)
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""


def _reference(key: dict[str, Any], columns: list[dict[str, Any]]) -> Reference:
    elements = key["elements"]
    return Reference(
        tuple(columns[each["column_opx"]]["name"] for each in elements),
        key["referenced_table_name"],
        tuple(each["referenced_column_name"] for each in elements),
    )


def _column(column: dict[str, Any]) -> ColumnDef | None:
    private = _pairs(column.get("se_private_data", ""))
    charset = charset_of_collation(int(column["collation_id"]))
    elements = tuple(_element(each["name"], charset.codec) for each in column.get("elements", ()))
    declared = DOC_ID_TYPE if column["name"] == DOC_ID else column["column_type_utf8"]
    declared = declared or _dropped_type(column, charset)
    kind = column_type(declared, charset, elements)
    if kind is None:
        return None
    return ColumnDef(
        name=column["name"],
        type=kind,
        nullable=bool(column["is_nullable"]),
        hidden=column.get("hidden") not in {HIDDEN_VISIBLE, HIDDEN_USER},
        position=_number(private, "physical_pos", -1),
        added=_number(private, "version_added", 0),
        dropped=_number(private, "version_dropped", 0),
        default=_default(private),
        late=("default" in private or "default_null" in private) and "version_added" not in private,
        automatic=bool(column.get("is_auto_increment")),
    )


def _dropped_type(column: dict[str, Any], charset: Charset) -> str:
    """Return how a column was declared that was dropped instantly, of which only numbers are left."""
    length, scale = int(column["char_length"]), int(column["numeric_scale"])
    return DECLARED.get(column["type"], "").format(
        length=length,
        characters=length // charset.most,
        of_moment=max(length - MOMENT, 0),
        of_time=max(length - TIME, 0),
        digits=length - (scale > 0) - (not column["is_unsigned"]),
        scale=scale,
    )


def _element(name: str, codec: str) -> str:
    try:
        return base64.b64decode(name).decode("latin-1" if codec == "binary" else codec, "replace")
    except ValueError:
        return name


def _default(private: dict[str, str]) -> bytes | None:
    try:
        return bytes.fromhex(private["default"]) if "default" in private else None
    except ValueError:
        return None


def _pairs(text: str) -> dict[str, str]:
    return dict(re.findall(r"([a-z_]+)=([^;]*);", text))


def _number(pairs: dict[str, str], name: str, default: int) -> int:
    text = pairs.get(name, "")
    return int(text) if text.isdecimal() else default


def _clustered(table: dict[str, Any], columns: list[dict[str, Any]]) -> tuple[int, tuple[KeyPart, ...]]:
    """Return the id of the clustered index, which stands first, and its key."""
    for index in table.get("indexes", ()):
        number = _number(_pairs(index.get("se_private_data", "")), "id", 0)
        parts: list[KeyPart] = []
        for element in index["elements"]:
            if element.get("hidden") and index.get("type") != PRIMARY:
                continue
            column = columns[element["column_opx"]]
            if column["name"] in ENGINE_HIDDEN:
                continue
            if element.get("hidden"):  # of a primary key: the other columns that the records hold
                continue
            whole = column["type"] not in PREFIXABLE or element["length"] >= column["char_length"]
            falling = element.get("order") == DESCENDING
            parts.append(KeyPart(column["name"], 0 if whole else element["length"], falling))
        if index.get("type") not in {PRIMARY, UNIQUE}:
            parts = []
        return number, tuple(parts)
    return 0, ()
