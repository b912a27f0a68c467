"""The CREATE TABLE statement that serialized dictionary information of MySQL 8 tells."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

from unransom.catalog.databases.innodb.charsets import charset_of_collation
from unransom.catalog.databases.innodb.collations import collation_name
from unransom.catalog.databases.innodb.quoting import literal, quoted
from unransom.catalog.databases.innodb.schema import MOST_COLUMNS

VISIBLE, BY_EXPRESSION, INVISIBLE = 1, 3, 4  # how a column is hidden: not, as a part of a key, by its owner
PRIMARY, UNIQUE, MULTIPLE, FULLTEXT, SPATIAL = range(1, 6)  # types of an index
KEYS = {PRIMARY: "PRIMARY KEY", UNIQUE: "UNIQUE KEY", FULLTEXT: "FULLTEXT KEY", SPATIAL: "SPATIAL KEY"}
DESCENDING, NOT_ENFORCED, BYTES = 3, 1, 63  # order of a part; state of a check; collation of bytes
FORMATS = {3: "COMPRESSED", 4: "REDUNDANT", 5: "COMPACT"}
RULES = {2: "RESTRICT", 3: "CASCADE", 4: "SET NULL", 5: "SET DEFAULT"}  # of a foreign key
TEXT = re.compile(r"(var)?char\b|(tiny|medium|long)?text\b|enum\b|set\b", re.IGNORECASE)
PREFIXABLE = re.compile(r"(var)?(char|binary)\b|(tiny|medium|long)?(text|blob)\b", re.IGNORECASE)


def statement(table: dict[str, Any]) -> str:
    """Return the statement that makes ``table``, the object of an SDI document, without its partitions.

    Raises:
        LookupError, TypeError, ValueError, AttributeError: The document is not as servers write it.
    """
    columns = table["columns"][:MOST_COLUMNS]
    common = table["collation_id"]
    lines = [_column(column, common) for column in columns if column.get("hidden") in {VISIBLE, INVISIBLE}]
    lines += [
        _index(index, columns) for index in table.get("indexes", ())[:MOST_COLUMNS] if not index["hidden"]
    ]
    lines += [_reference(key, columns) for key in table.get("foreign_keys", ())[:MOST_COLUMNS]]
    for check in table.get("check_constraints", ())[:MOST_COLUMNS]:
        clause = base64.b64decode(check["check_clause"]).decode()
        enforced = " NOT ENFORCED" if check["state"] == NOT_ENFORCED else ""
        lines.append(f"CONSTRAINT {quoted(check['name'])} CHECK ({clause}){enforced}")
    name = collation_name(common)
    options = "ENGINE=InnoDB" + (f" DEFAULT CHARSET={name.partition('_')[0]} COLLATE={name}" if name else "")
    if table.get("row_format") in FORMATS:
        options += f" ROW_FORMAT={FORMATS[table['row_format']]}"
    if table.get("comment"):
        options += f" COMMENT={literal(table['comment'])}"
    return f"CREATE TABLE {quoted(table['name'])} (\n  " + ",\n  ".join(lines) + f"\n) {options}"


def _column(column: dict[str, Any], common: int) -> str:
    declared = column["column_type_utf8"]
    line = f"{quoted(column['name'])} {declared}"
    name = collation_name(column["collation_id"])
    own = column["collation_id"] != common or column.get("is_explicit_collation")
    if name and own and TEXT.match(declared):
        line += f" CHARACTER SET {name.partition('_')[0]} COLLATE {name}"
    expression = column.get("generation_expression")
    if expression:
        stored = "VIRTUAL" if column.get("is_virtual") else "STORED"
        line += f" GENERATED ALWAYS AS ({expression}) {stored}"
    line += " NULL" if column.get("is_nullable") else " NOT NULL"
    if not column.get("srs_id_null", True):
        line += f" SRID {int(column['srs_id'])}"
    if not expression:
        line += _default(column)
    if column.get("update_option"):
        line += f" ON UPDATE {column['update_option']}"
    line += " AUTO_INCREMENT" * bool(column.get("is_auto_increment"))
    line += " INVISIBLE" * (column.get("hidden") == INVISIBLE)
    return line + (f" COMMENT {literal(column['comment'])}" if column.get("comment") else "")


def _default(column: dict[str, Any]) -> str:
    option = column.get("default_option")
    if option:
        return f" DEFAULT {option}" if option.startswith("CURRENT_TIMESTAMP") else f" DEFAULT ({option})"
    if column.get("default_value_utf8_null", True) or column.get("has_no_default"):
        return ""
    text, declared = column["default_value_utf8"], column["column_type_utf8"].lower()
    if column["collation_id"] == BYTES and declared.startswith(("binary", "varbinary")):
        value = base64.b64decode(column["default_value"])
        if declared.startswith("varbinary"):  # its length stands in front
            wide = 1 if column["char_length"] < 256 else 2
            value = value[wide : wide + int.from_bytes(value[:wide], "little")]
        return f" DEFAULT 0x{value.hex()}" if value else " DEFAULT ''"
    return f" DEFAULT {text}" if declared.startswith("bit") else f" DEFAULT {literal(text)}"


def _index(index: dict[str, Any], columns: list[dict[str, Any]]) -> str:
    kind = index["type"]
    parts = [_part(each, columns, kind) for each in index["elements"] if not each["hidden"]]
    name = "" if kind == PRIMARY else " " + quoted(index["name"])
    line = f"{KEYS.get(kind, 'KEY')}{name} ({', '.join(parts)})"
    parser = re.search(r"parser_name=([^;]+);", index.get("options", ""))
    line += f" WITH PARSER {quoted(parser[1])}" if parser else ""
    line += f" COMMENT {literal(index['comment'])}" if index.get("comment") else ""
    return line + " INVISIBLE" * (not index.get("is_visible", True))


def _part(element: dict[str, Any], columns: list[dict[str, Any]], kind: int) -> str:
    column = columns[element["column_opx"]]
    if column.get("hidden") == BY_EXPRESSION:
        part = f"({column['generation_expression']})"
    else:
        part = quoted(column["name"])
        if kind in {PRIMARY, UNIQUE, MULTIPLE} and PREFIXABLE.match(column["column_type_utf8"]):
            part += _prefix(element["length"], column)
    return part + " DESC" * (element.get("order") == DESCENDING)


def _prefix(length: int, column: dict[str, Any]) -> str:
    """Return how much of a column is in a key, in characters, "" where all of it is."""
    lob = column["column_type_utf8"].lower().endswith(("text", "blob"))
    if not lob and length >= column["char_length"]:
        return ""
    return f"({length // charset_of_collation(column['collation_id']).most})"


def _reference(key: dict[str, Any], columns: list[dict[str, Any]]) -> str:
    elements = key["elements"]
    own = ", ".join(quoted(columns[each["column_opx"]]["name"]) for each in elements)
    others = ", ".join(quoted(each["referenced_column_name"]) for each in elements)
    line = f"CONSTRAINT {quoted(key['name'])} FOREIGN KEY ({own}) REFERENCES "
    line += f"{quoted(key['referenced_table_name'])} ({others})"
    return line + "".join(_rules(key))


def _rules(key: dict[str, Any]) -> Iterator[str]:
    for word in ("delete", "update"):
        if key.get(f"{word}_rule") in RULES:
            yield f" ON {word.upper()} {RULES[key[f'{word}_rule']]}"
