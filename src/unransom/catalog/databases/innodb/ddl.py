"""Definitions in CREATE TABLE statements: dumps, scripts, what an application keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from unransom.catalog.databases.innodb.charsets import UTF8, Charset, charset_named
from unransom.catalog.databases.innodb.schema import (
    MOST_COLUMNS,
    ROW_END,
    ROW_START,
    ColumnDef,
    KeyPart,
    TableDef,
)
from unransom.catalog.databases.innodb.types import Kind, column_type, packed_type

MOST_TABLES = 20_000
_CREATE = re.compile(r"create\s+(?:temporary\s+)?table\s+(?:if\s+not\s+exists\s+)?", re.I)
_USE = re.compile(r"^\s*use\s+(?:`(?P<quoted>[^`\n]+)`|(?P<plain>[\w$]+))\s*;", re.I | re.M)
_TOKEN = re.compile(
    r"""\s+|--[^\n]*|\#[^\n]*|/\*M?!\d*|\*/|/\*(?!M?!).*?\*/|(?P<quoted>`(?:[^`]|``)*`|"(?:[^"]|"")*")"""
    r"""|(?P<text>'(?:[^'\\]|''|\\.)*')|(?P<word>[\w$.]+)|(?P<mark>.)""",
    re.S,
)
_TABLE_KEYS = frozenset(
    {"primary", "unique", "key", "index", "constraint", "foreign", "fulltext", "spatial", "check"}
)
_TYPE_TAIL = frozenset(
    [
        "unsigned",
        "signed",
        "zerofill",
        "precision",
        "varying",
        "character",
        "charset",
        "set",
        "binary",
        "ascii",
        "unicode",
    ]
)


class Token(msgspec.Struct, frozen=True):
    """A word, a mark, a quoted name or a string; ``plain`` is without quotes, in lower case."""

    text: str
    plain: str
    name: str = ""


def definitions(text: str, charset: Charset = UTF8) -> Iterator[TableDef]:
    """Yield the tables that the statements in ``text`` create; what makes no sense is passed over.

    ``charset`` is of text that states none; the server had a setting for it.
    """
    uses = [(use.start(), use["quoted"] or use["plain"]) for use in _USE.finditer(text)]
    database = ""
    for count, found in enumerate(_CREATE.finditer(text)):
        if count >= MOST_TABLES:
            return
        while uses and uses[0][0] < found.start():
            database = uses.pop(0)[1]
        table = _statement(text, found.start(), found.end(), charset)
        if table is not None:
            name = table.name if "/" in table.name or not database else f"{database}/{table.name}"
            yield msgspec.structs.replace(table, name=name)


def _tokens(text: str, at: int) -> Iterator[tuple[Token, int]]:
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            return
        at = found.end()
        if found["quoted"]:
            quote = found["quoted"][0]
            name = found["quoted"][1:-1].replace(2 * quote, quote)
            yield Token(found[0], name.lower(), name), at
        elif found["text"]:
            yield Token(found[0], found[0]), at
        elif found["word"] or found["mark"]:
            yield Token(found[0], found[0].lower(), found[0]), at


def _statement(text: str, start: int, at: int, charset: Charset) -> TableDef | None:
    """Return the table of the statement at ``start``, whose name begins at ``at``."""
    names: list[Token] = []
    options: list[str] = []
    items: list[list[Token]] = []
    depth, closed = 0, False  # behind what is listed, partitions have lists of their own
    for token, end in _tokens(text, at):
        at = end
        depth += (token.text == "(") - (token.text == ")")
        closed |= bool(items) and depth <= 0
        if (depth <= 0 or closed) and token.text != ")":
            if token.text == ";" and depth <= 0:
                break
            if items:
                options.append(token.name)
            else:
                names.append(token)
        elif depth == 1 and (token.text == "," or (token.text == "(" and not items)):
            items.append([])
        elif items and depth > 0:
            items[-1].append(token)
    name = "/".join(_parts_of_name(names)[-2:])
    return _table(TableDef(name, (), source="CREATE TABLE", create=text[start:at]), items, options, charset)


def _table(
    table: TableDef, items: list[list[Token]], options: list[str], charset: Charset
) -> TableDef | None:
    """Return ``table`` with the columns and keys that are listed, None where they make no sense."""
    lowered = [option.lower() for option in options]
    parts = _Parts(_default_charset(lowered, charset))
    if not all(parts.add(item) for item in items if item) or not 0 < len(parts.columns) <= MOST_COLUMNS:
        return None
    until = parts.until or _versioned(parts, lowered)
    columns, key = _keyed(parts.columns, parts.primary, parts.unique)
    key += (KeyPart(until),) * bool(until and key and until not in {part.column for part in key})
    return msgspec.structs.replace(table, columns=columns, key=key, until=until)


def _versioned(parts: _Parts, options: list[str]) -> str:
    """Add the columns that a table ``WITH SYSTEM VERSIONING`` does not declare; return the last's name."""
    told = any(options[at : at + 2] == ["system", "versioning"] for at in range(len(options)))
    moment = column_type("timestamp(6)", UTF8) if told else None
    if moment is None:
        return ""
    parts.columns += [ColumnDef(name, moment, nullable=False) for name in (ROW_START, ROW_END)]
    return ROW_END


def _parts_of_name(tokens: list[Token]) -> list[str]:
    """Return the database, where it is given, and the table; in quotes names may have dots."""
    parts: list[str] = []
    for token in tokens:
        parts += [token.name] if token.text[0] in '`"' else [part for part in token.name.split(".") if part]
    return parts


def items_of(create: str) -> tuple[list[tuple[str, list[str], str]], str]:
    """Return what a CREATE TABLE statement lists, and its options.

    Each item is ``primary``, ``unique``, another word for another key or "" for a column, the columns of
    a primary or unique key in lower case, and its text.
    """
    found = _CREATE.search(create)
    items: list[tuple[int, int, list[Token]]] = []
    depth = start = closed = 0
    tokens: list[Token] = []
    for token, end in _tokens(create, found.end() if found else 0):
        depth += (token.text == "(") - (token.text == ")")
        begins = depth == 1 and token.text in {",", "("} and not (token.text == "(" and start)
        if begins or (depth == 0 and token.text == ")"):
            if tokens:
                items.append((start, end - 1, tokens))
            start, closed, tokens = end, end, []
            if not begins:
                break
        elif start:
            tokens.append(token)
    listed = []
    for first, last, item in items:
        kind, columns = "", []
        if _is_key(item):
            kind, parts = _key(item)
            columns = [part.column.lower() for part in parts]
        listed.append((kind, columns, create[first:last].strip()))
    return listed, create[closed:].strip().rstrip(";").rstrip()


def _first(text: str) -> list[Token]:
    return [token for (token, _), _ in zip(_tokens(text, 0), range(2), strict=False)]


def is_column(text: str) -> bool:
    """Return whether what a statement lists is a column."""
    item = _first(text)
    return bool(item) and not _is_key(item) and not _is_period(item)


def name_of(text: str) -> str:
    """Return the name of a column that a statement lists."""
    return next((token.name for token in _first(text)), "")


def without(text: str, word: str) -> str:
    """Return what a statement lists without ``word``, given in lower case, where it stands by itself."""
    at = 0
    for token, end in _tokens(text, 0):
        if token.text.lower() == word:
            return (text[: end - len(word)].rstrip() + text[end:]).strip()
        at = end
    return text[:at]


class _Parts:
    """The columns and keys of a table whose statement is being read."""

    def __init__(self, charset: Charset) -> None:
        self._charset = charset
        self.columns: list[ColumnDef] = []
        self.primary: tuple[KeyPart, ...] = ()
        self.unique: list[tuple[KeyPart, ...]] = []
        self.until = ""

    def add(self, item: list[Token]) -> bool:
        """Take in a column or a key; returns whether it makes sense."""
        if _is_period(item):
            return True
        if _is_key(item):
            self._key(*_key(item))
            return True
        made = _column(item, self._charset)
        if made is None:
            return False
        column, kind, stored = made
        words = [token.plain for token in item]
        if any(words[at : at + 3] == ["as", "row", "end"] for at in range(len(words))):
            self.until = column.name
        if stored:
            self.columns.append(column)
            self._key(kind, (KeyPart(column.name),))
        return True

    def _key(self, kind: str, parts: tuple[KeyPart, ...]) -> None:
        if kind == "primary":
            self.primary = parts
        elif kind == "unique":
            self.unique.append(parts)


def _keyed(
    columns: list[ColumnDef], primary: tuple[KeyPart, ...], unique: list[tuple[KeyPart, ...]]
) -> tuple[tuple[ColumnDef, ...], tuple[KeyPart, ...]]:
    """Return the columns and the key of the clustered index: the primary or the first unique one not null."""
    known = {column.name.lower(): column for column in columns}
    if primary:
        members = {part.column.lower() for part in primary}
        columns = [
            msgspec.structs.replace(column, nullable=False) if column.name.lower() in members else column
            for column in columns
        ]
    key = primary
    for parts in unique:
        whole = all(part.column.lower() in known and not part.prefix for part in parts)
        if not key and whole and not any(known[part.column.lower()].nullable for part in parts):
            key = parts
    proper = []
    for part in key:
        if part.column.lower() in known:
            column = known[part.column.lower()]
            width = column.type.charset.most if column.type.kind is Kind.TEXT else 1
            proper.append(KeyPart(column.name, _prefix(part.prefix * width, column), part.descending))
    return tuple(columns), tuple(proper)


def _prefix(length: int, column: ColumnDef) -> int:
    return length if length and length < column.type.most else 0


def _default_charset(options: list[str], charset: Charset) -> Charset:
    for place, option in enumerate(options):
        if option in {"charset", "collate"} or (option == "set" and options[place - 1] == "character"):
            rest = [each for each in options[place + 1 : place + 3] if each != "="]
            if rest:
                return charset_named(rest[0])
    return charset


def _is_key(item: list[Token]) -> bool:
    return item[0].plain in _TABLE_KEYS and not item[0].text.startswith(("`", '"'))


def _is_period(item: list[Token]) -> bool:
    """Return whether an item is no column but says which columns tell from and until when a row stood."""
    return [token.text.lower() for token in item[:2]] == ["period", "for"]


def _key(item: list[Token]) -> tuple[str, tuple[KeyPart, ...]]:
    """Return the kind of a key and its columns."""
    words = [token.plain for token in item]
    place = next(
        (at for at, word in enumerate(words) if word in {"primary", "unique", "foreign", "check"}), -1
    )
    kind = words[place] if place >= 0 and place < 4 else "key"
    parts: list[KeyPart] = []
    if "(" not in words or kind not in {"primary", "unique"}:
        return kind, ()
    depth, at = 1, words.index("(") + 1
    while at < len(item) and depth:
        if words[at] == "(":
            depth += 1
            if parts and item[at + 1 : at + 2] and words[at + 1].isdecimal():
                parts[-1] = KeyPart(parts[-1].column, int(words[at + 1]))
        elif words[at] == ")":
            depth -= 1
        elif depth == 1 and parts and item[at].text.lower() == "desc":
            parts[-1] = msgspec.structs.replace(parts[-1], descending=True)
        elif depth == 1 and item[at].name and item[at].text.lower() not in {",", "asc"}:
            parts.append(KeyPart(item[at].name))
        at += 1
    return kind, tuple(parts)


def _column(item: list[Token], charset: Charset) -> tuple[ColumnDef, str, bool] | None:
    """Return a column, the kind of key that it is by itself, and whether it is stored."""
    declared, at = _declared(item)
    words = [token.plain for token in item]
    kind = column_type(declared, _own_charset(words, charset)) if declared else None
    if kind is None:
        return None
    rest = words[at:]
    kind = packed_type(kind) if "compressed" in rest and "column_format" not in rest else kind
    generated = "as" in rest and ("generated" in rest or "(" in rest)
    generated = generated and rest[rest.index("as") + 1 :][:1] != ["row"]  # of system versioning
    stored = not generated or "stored" in rest or "persistent" in rest
    key = "primary" if "primary" in rest else "unique" if "unique" in rest else ""
    nullable = "not" not in rest or rest[rest.index("not") + 1 :][:1] != ["null"]
    nullable = nullable and ("as" not in rest or rest[rest.index("as") + 1 :][:1] != ["row"])
    if words[1:2] == ["serial"]:
        nullable, key = False, "unique"
    automatic = "auto_increment" in rest
    return ColumnDef(item[0].name, kind, nullable and key != "primary", automatic=automatic), key, stored


def _own_charset(words: list[str], charset: Charset) -> Charset:
    """Return the character set that a column states, else ``charset``."""
    for place, word in enumerate(words[1:-1], 1):
        if word in {"collate", "charset"} or (word == "set" and words[place - 1] == "character"):
            charset = charset_named(words[place + 1])
    return charset


def _declared(item: list[Token]) -> tuple[str, int]:
    """Return the type as it is written, with one space between words, and where it ends."""
    at, depth, words = 1, 0, []  # type: tuple[int, int, list[str]]
    while at < len(item):
        token = item[at]
        if token.text == "(":
            depth += 1
        elif token.text == ")":
            depth -= 1
        elif depth == 0 and at > 1 and token.plain not in _TYPE_TAIL and not _follows_set(item, at):
            break
        words.append(token.text)
        at += 1
    text = " ".join(words).replace(" ( ", "(").replace(" )", ")").replace(" , ", ",")
    return text.replace("( ", "(").replace(" (", "("), at


def _follows_set(item: list[Token], at: int) -> bool:
    """Return whether the word at ``at`` is the name of a character set."""
    before = item[at - 1].plain
    return before == "charset" or (before == "set" and at > 2 and item[at - 2].plain in {"character", "char"})
