"""The CREATE TABLE statement that a .frm file of MariaDB tells."""

from __future__ import annotations

import ipaddress
import re
import struct
from collections.abc import Sequence
from typing import NamedTuple

from unransom.catalog.databases.innodb.charsets import BINARY, Charset
from unransom.catalog.databases.innodb.collations import collation_name
from unransom.catalog.databases.innodb.quoting import literal, quoted

MAYBE_NULL, NO_DEFAULT, ZEROFILL, UNSIGNED_NOT = 0x8000, 0x4000, 4, 1  # of a field's flags
NUMBERED, NOW = 15, {21: (True, False), 22: (False, True), 23: (True, True)}  # specials of a field
PACKED_RECORD = 1  # option of a table: no bit in front of those of NULL
VIRTUAL, STORED, DEFAULT, FIELD_CHECK, TABLE_CHECK = range(5)  # kinds of expressions
UNIQUE_NOT, FULLTEXT, SPATIAL = 1, 0x80, 0x400  # flags of a key
REVERSED, LONG_HASH = 0x80, 5  # flag of a part of a key; kind of a key over long values
TEXT = re.compile(r"(var)?char\b|(tiny|medium|long)?text\b|enum\b|set\b")
ADDRESSES = {"inet4": 4, "inet6": 16}  # bytes of a value
FORMATS = {4: "REDUNDANT", 5: "COMPACT"}
GEOMETRIES = {
    1: "point", 2: "linestring", 3: "polygon", 4: "multipoint", 5: "multilinestring", 6: "multipolygon",
}  # fmt: skip
BITS, GEOMETRY, BLOBS = 16, 255, frozenset([249, 250, 251, 252, 255])  # numbers of types
INTEGERS = {1: 1, 2: 2, 9: 3, 3: 4, 8: 8, 13: 1, 247: 0, 248: 0}  # and their bytes


class Named(NamedTuple):
    """A field for the statement.

    Attributes:
        entry: Its 17 bytes.
        name, declared, charset, elements: As declared; ``charset`` is of text, ``elements`` of ENUM, SET.
        shown: It is the user's; where not, only its place counts.
        invisible, packed, comment: As declared.
    """

    entry: bytes
    name: str
    declared: str
    charset: Charset
    elements: tuple[str, ...]
    shown: bool
    invisible: bool
    packed: bool
    comment: str

    @property
    def flags(self) -> int:
        """The bits of what it is."""
        return int.from_bytes(self.entry[8:10], "little")

    @property
    def kind(self) -> int:
        """Number of its type."""
        return self.entry[13]

    @property
    def special(self) -> int:
        """What is special of it: see ``NUMBERED`` and ``NOW``."""
        return self.entry[10] & 0x7F

    @property
    def collation(self) -> str:
        """Name of the collation of its text, "" of what is none."""
        number = self.entry[11] << 8 | self.entry[14]
        text = TEXT.match(self.declared) and self.charset is not BINARY
        return collation_name(number, mariadb=True) if text else ""


class Expression(NamedTuple):
    """An expression: what it is for, of which field (65535 for none), its text, and its name."""

    kind: int
    field: int
    text: str
    name: str


def statement(
    data: bytes,
    name: str,
    fields: Sequence[Named],
    expressions: Sequence[Expression],
    keys_at: int,
    versions: tuple[str, str],
) -> str:
    """Return the statement that makes the table of a .frm file.

    Args:
        data: The file.
        name: Of the table.
        fields: All of them.
        expressions: Of columns and checks.
        keys_at: Where the keys begin.
        versions: Names of the columns that say from and until when a row was current, or "".

    Raises:
        struct.error, IndexError, ValueError: It is no whole .frm file.
    """
    defaults = _Defaults(data, fields)
    generated = {each.field: each for each in expressions if each.kind in {VIRTUAL, STORED}}
    by_field: dict[int, list[Expression]] = {}
    for each in expressions:
        by_field.setdefault(each.field, []).append(each)
    lines = []
    for number, field in enumerate(fields):
        told = defaults.next(field)
        if not field.shown:
            continue
        mine = by_field.get(number, [])
        declared = GEOMETRIES.get(field.entry[14], "") if field.kind == GEOMETRY else ""
        line = f"{quoted(field.name)} {declared or field.declared}" + " COMPRESSED" * field.packed
        line += " ZEROFILL" * bool(field.flags & ZEROFILL and field.kind in {1, 2, 3, 4, 5, 8, 9, 246})
        if field.collation:
            line += f" CHARACTER SET {field.collation.partition('_')[0]} COLLATE {field.collation}"
        if number in generated:
            stored = "STORED" if generated[number].kind == STORED else "VIRTUAL"
            line += f" GENERATED ALWAYS AS ({generated[number].text}) {stored}"
        elif field.name in versions:
            line += " GENERATED ALWAYS AS ROW " + ("START" if field.name == versions[0] else "END")
        else:
            line += _rest(field, told, next((each.text for each in mine if each.kind == DEFAULT), ""))
        line += " INVISIBLE" * field.invisible
        line += "".join(f" CHECK ({each.text})" for each in mine if each.kind == FIELD_CHECK)
        lines.append(line + f" COMMENT {literal(field.comment)}" * bool(field.comment))
    lines += _keys(data, keys_at, fields)
    if any(field.shown and field.name == versions[1] for field in fields):
        lines.append(f"PERIOD FOR SYSTEM_TIME ({quoted(versions[0])}, {quoted(versions[1])})")
    lines += [
        f"CONSTRAINT {quoted(each.name)} CHECK ({each.text})" if each.name else f"CHECK ({each.text})"
        for each in expressions
        if each.kind == TABLE_CHECK
    ]
    return (
        f"CREATE TABLE {quoted(name)} (\n  "
        + ",\n  ".join(lines)
        + f"\n) {_options(data, bool(versions[1]))}"
    )


def _options(data: bytes, versioned: bool) -> str:
    common = collation_name(data[41] << 8 | data[38], mariadb=True)
    options = "ENGINE=InnoDB"
    if common:
        options += f" DEFAULT CHARSET={common.partition('_')[0]} COLLATE={common}"
    options += f" ROW_FORMAT={FORMATS[data[40]]}" if data[40] in FORMATS else ""
    return options + " WITH SYSTEM VERSIONING" * versioned


def _rest(field: Named, told: str, expression: str) -> str:
    """Return what follows the type of a column that is not generated."""
    nullable = bool(field.flags & MAYBE_NULL)
    rest = " NULL" if nullable else " NOT NULL"
    start, update = NOW.get(field.special, (False, False))
    digits = field.declared.partition("(")[2]
    now = f"current_timestamp({digits[0]})" if digits else "current_timestamp()"
    if expression:
        rest += f" DEFAULT {expression}" if "(" not in expression else f" DEFAULT ({expression})"
    elif start:
        rest += f" DEFAULT {now}"
    elif told:
        rest += f" DEFAULT {told}"
    elif nullable and field.kind not in BLOBS:
        rest += " DEFAULT NULL"
    rest += f" ON UPDATE {now}" * update
    return rest + " AUTO_INCREMENT" * (field.special == NUMBERED)


class _Defaults:
    """The record of the values that new rows have, field by field."""

    def __init__(self, data: bytes, fields: Sequence[Named]) -> None:
        near = struct.unpack_from("<H", data, 14)[0]
        at = struct.unpack_from("<H", data, 6)[0]
        at += struct.unpack_from("<I", data, 47)[0] if near == 0xFFFF else near
        length = struct.unpack_from("<H", data, 16)[0]
        self._record = data[at : at + length]
        self._bit = 0 if struct.unpack_from("<H", data, 30)[0] & PACKED_RECORD else 1

    def next(self, field: Named) -> str:
        """Return the default of the next field as a statement has it, "" where that is no value."""
        isnull = False
        if field.flags & MAYBE_NULL:
            isnull = bool(self._record[self._bit >> 3] >> (self._bit & 7) & 1)
            self._bit += 1
        if isnull or field.flags & NO_DEFAULT or field.special == NUMBERED or field.kind in BLOBS:
            return ""
        if field.declared == "uuid":
            return ""
        return _value(field, self._record[int.from_bytes(field.entry[5:8], "little") - 1 :])


def _value(field: Named, data: bytes) -> str:
    """Return the value that a record of the server begins with, "" where its type is not read here."""
    length = struct.unpack_from("<H", field.entry, 3)[0]
    if field.kind in INTEGERS:
        many = 8 if field.kind == 248 else 256
        width = INTEGERS[field.kind] or _width(len(field.elements), many)
        signed = field.flags & UNSIGNED_NOT and field.kind not in {13, 247, 248}
        number = int.from_bytes(data[:width], "little", signed=bool(signed))
        return _integer(field, number)
    if field.kind in {4, 5}:
        return repr(struct.unpack_from("<f" if field.kind == 4 else "<d", data)[0])
    if field.kind == BITS:
        return f"b'{int.from_bytes(data[: (length + 7) // 8], 'big'):b}'"
    if field.kind == 14:
        number = int.from_bytes(data[:3], "little")
        return f"'{number >> 9:04d}-{number >> 5 & 15:02d}-{number & 31:02d}'"
    if field.kind == 15:
        wide = 1 if length < 256 else 2
        size = int.from_bytes(data[:wide], "little")
        return _text(field, data[wide : wide + size])
    if field.declared in ADDRESSES:
        return literal(str(ipaddress.ip_address(data[: ADDRESSES[field.declared]])))
    if field.kind == 254:
        value = data[:length]
        return _text(field, value if field.charset is BINARY else value.rstrip(b" "))
    return _packed(field, data)


def _width(elements: int, many: int) -> int:
    """Return the bytes of a value of ENUM (many = 256) or SET (8)."""
    if many == 256:
        return 1 if elements < 256 else 2
    size = (elements + 7) // 8
    return size if size <= 4 else 8


def _integer(field: Named, number: int) -> str:
    if field.kind == 13:
        return f"'{number + 1900 if number else 0:04d}'"
    if field.kind == 247:
        return literal(field.elements[number - 1]) if 0 < number <= len(field.elements) else ""
    if field.kind == 248:
        return literal(",".join(each for place, each in enumerate(field.elements) if number >> place & 1))
    return str(number)


def _text(field: Named, value: bytes) -> str:
    if field.charset is BINARY:
        return f"0x{value.hex()}" if value else "''"
    return literal(value.decode(field.charset.codec))


def _packed(field: Named, data: bytes) -> str:
    """Return a decimal or a point in time, which servers keep in records as InnoDB does."""
    scale = field.flags >> 8 & 31
    if field.kind == 246:
        precision = struct.unpack_from("<H", field.entry, 3)[0] - (scale > 0) - (field.flags & UNSIGNED_NOT)
        return _decimal(data, precision, scale)
    digits = int((field.declared.partition("(")[2] or "0")[0])
    more = (digits + 1) // 2
    if field.kind == 18:
        number = int.from_bytes(data[:5], "big") - (1 << 39)
        day, clock = number >> 17, number & 0x1FFFF
        text = f"{(day >> 5) // 13:04d}-{(day >> 5) % 13:02d}-{day & 31:02d} "
        text += f"{clock >> 12:02d}:{clock >> 6 & 63:02d}:{clock & 63:02d}"
        return _fraction(text, int.from_bytes(data[5 : 5 + more], "big"), more, digits)
    if field.kind == 17:
        return "'0000-00-00 00:00:00'" if not any(data[:4]) else ""  # others are by the server's clock
    if field.kind == 19:
        number = int.from_bytes(data[: 3 + more], "big") - (1 << 23 + 8 * more)
        sign, number = ("-", -number) if number < 0 else ("", number)
        clock = number >> 8 * more
        text = f"{sign}{clock >> 12 & 0x3FF:02d}:{clock >> 6 & 63:02d}:{clock & 63:02d}"
        return _fraction(text, number & (1 << 8 * more) - 1, more, digits)
    return ""


def _fraction(text: str, fraction: int, more: int, digits: int) -> str:
    micros = fraction * 100 ** (3 - more)
    return f"'{text}" + (f".{micros:06d}"[: digits + 1] if digits else "") + "'"


def _decimal(data: bytes, precision: int, scale: int) -> str:
    sizes = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)
    whole = precision - scale
    groups = [whole % 9] * (whole % 9 > 0) + [9] * (whole // 9)
    point = len(groups)
    groups += [9] * (scale // 9) + [scale % 9] * (scale % 9 > 0)
    value = bytearray(data[: sum(sizes[each] for each in groups)])
    negative = not value[0] & 0x80
    value[0] ^= 0x80
    if negative:
        value = bytearray(each ^ 0xFF for each in value)
    at, parts = 0, []
    for each in groups:
        parts.append(f"{int.from_bytes(value[at : at + sizes[each]], 'big'):0{each}d}")
        at += sizes[each]
    text = "".join(parts[:point]).lstrip("0") or "0"
    return "-" * negative + text + ("." + "".join(parts[point:]) if scale else "")


def _keys(data: bytes, at: int, fields: Sequence[Named]) -> list[str]:
    """Return the keys as they are declared."""
    count = data[at]
    if count & 0x80:
        count = data[at + 1] << 7 | count & 0x7F
    place, keys = at + 6, []
    for _ in range(count):
        flags, _, parts, algorithm = struct.unpack_from("<HHBxxB", data, place)
        place += 8
        members = []
        for _ in range(parts):
            number = (struct.unpack_from("<H", data, place)[0] & 0x3FFF) - 1
            length = struct.unpack_from("<H", data, place + 7)[0]
            members.append((number, length, bool(data[place + 4] & REVERSED)))
            place += 9
        keys.append((flags, algorithm, members))
    end = data.index(b"\xff\0", place) if keys else place
    names = [each.decode() for each in data[place:end].split(b"\xff")[1:]]
    return [_key(name, *key, fields) for name, key in zip(names, keys, strict=True)]


def _key(
    name: str, flags: int, algorithm: int, members: list[tuple[int, int, bool]], fields: Sequence[Named]
) -> str:
    kind = "KEY" if flags & UNIQUE_NOT else "UNIQUE KEY"
    if name.upper() == "PRIMARY":
        head = "PRIMARY KEY"
    elif flags & FULLTEXT:
        head = f"FULLTEXT KEY {quoted(name)}"
    elif flags & SPATIAL:
        head = f"SPATIAL KEY {quoted(name)}"
    else:
        head = f"{kind} {quoted(name)}"
    whole = bool(flags & (FULLTEXT | SPATIAL)) or algorithm == LONG_HASH
    parts = [
        quoted(fields[number].name) + ("" if whole else _prefix(fields[number], length)) + " DESC" * reverse
        for number, length, reverse in members
        if fields[number].shown  # the server's own are there by themselves
    ]
    return f"{head} ({', '.join(parts)})"


def _prefix(field: Named, length: int) -> str:
    own = struct.unpack_from("<H", field.entry, 3)[0]
    if field.kind not in {15, 253, 254, *BLOBS} or (field.kind not in BLOBS and length >= own):
        return ""
    characters = length // max(field.charset.most, 1)
    return f"({characters})" if characters else ""  # of a key over long values
