"""Tables from T-SQL text: CREATE TABLE with types and keys, as scripts of the server's tools write it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from unransom.catalog.databases.mssql import layout as types
from unransom.catalog.databases.mssql.layout import Field, Layout, arranged, not_unique
from unransom.catalog.databases.table import Numbering

_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?\*/|N?'(?:[^']|'')*'|\[(?:[^\]]|\]\])*\]|"(?:[^"]|"")*"|[\w@#$]+|[^\s]""", re.DOTALL
)
_CONSTRAINTS = ("constraint", "primary", "unique", "check", "foreign", "index", "period")
_IDENTITY = re.compile(r"(?<![^ ])identity \( ([+-]? ?\d{1,38}) , ([+-]? ?\d{1,38}) \)", re.IGNORECASE)
MOST_WORDS = 64  # of a column in which IDENTITY is looked for
LONGEST = 64 << 20  # characters of a script that are read

_KINDS = {name: number for number, name in types.NAMES.items() if number != types.CLR} | {
    "timestamp": types.ROWVERSION, "integer": types.INT, "dec": types.DECIMAL, "sysname": types.NVARCHAR,
    "character": types.CHAR, "hierarchyid": types.CLR, "geometry": types.CLR, "geography": types.CLR,
}  # fmt: skip
_USER_TYPES = {name: number for number, name in types.CLR_NAMES.items()}
_COLLATIONS = (
    ("chinese_prc", 0x24), ("chinese_simplified", 0x24), ("chinese_taiwan", 0x03), ("chinese", 0x03),
    ("japanese", 0x10), ("korean", 0x11), ("cyrillic", 0x15), ("ukrainian", 0x15), ("greek", 0x07),
    ("turkish", 0x1A), ("hebrew", 0x0C), ("arabic", 0x01), ("thai", 0x19), ("vietnamese", 0x20),
    ("polish", 0x13), ("czech", 0x13), ("hungarian", 0x13), ("lithuanian", 0x1F), ("latvian", 0x1F),
    ("estonian", 0x1F),
)  # fmt: skip


class Declared(msgspec.Struct, frozen=True):
    """A table as a script declares it.

    Attributes:
        name: With its schema.
        fields: Stored columns, in order; without places.
        key: Columns of its primary key.
        clustered: Columns of its clustered index, () for a heap.
        unique: The clustered index is unique.
    """

    name: str
    fields: tuple[Field, ...]
    key: tuple[str, ...] = ()
    clustered: tuple[str, ...] = ()
    unique: bool = True

    def layouts(self) -> list[Layout]:
        """Return how the server may have laid out its rows, the likeliest first."""
        fields = list(self.fields)
        found = [arranged(fields, self.clustered), arranged(fields)]
        found += [arranged(fields, self.key), *not_unique(fields)]
        return list(dict.fromkeys(found))


def tables_of(text: str) -> list[Declared]:
    """Return the tables that a script declares; what is no T-SQL is passed over."""
    return _Script(text[:LONGEST]).read()


def _name(word: str) -> str:
    """Return an identifier without its quotes."""
    if word[:1] == "[" and word[-1:] == "]":
        return word[1:-1].replace("]]", "]")
    if word[:1] == '"' and word[-1:] == '"':
        return word[1:-1].replace('""', '"')
    return word


def _text(word: str) -> str:
    """Return the content of a string literal."""
    return word[word.find("'") + 1 : -1].replace("''", "'") if word.endswith("'") else _name(word)


class _Script:
    """A script read from front to back."""

    def __init__(self, text: str) -> None:
        self._tokens = [t for t in _TOKEN.findall(text) if not t.startswith(("--", "/*"))]
        self._at = 0
        self._types: dict[str, Field] = {}
        self._tables: dict[str, Declared] = {}

    def read(self) -> list[Declared]:
        while self._at < len(self._tokens):
            word = self._next().lower()
            if word == "create":
                self._create()
            elif word == "alter" and self._is("table"):
                self._at += 1
                self._alter()
            elif word == "sp_addtype":
                self._old_type()
        return list(self._tables.values())

    def _next(self) -> str:
        word = self._tokens[self._at] if self._at < len(self._tokens) else ""
        self._at += 1
        return word

    def _is(self, *words: str) -> bool:
        following = self._tokens[self._at : self._at + len(words)]
        return [word.lower() for word in following] == list(words)

    def _skip(self, *words: str) -> bool:
        if self._is(*words):
            self._at += len(words)
            return True
        return False

    def _create(self) -> None:
        if self._skip("table"):
            self._table()
        elif self._skip("type"):
            name = self._qualified().rsplit(".", 1)[-1]
            if self._skip("from"):
                self._types[name.lower()] = self._type(name)
        else:
            unique = self._skip("unique")
            if self._skip("clustered", "index"):
                self._index(unique)

    def _qualified(self) -> str:
        """Read a name with its schema; the schema is dbo where there is none."""
        parts = [_name(self._next())]
        while self._skip("."):
            parts.append(_name(self._next()))
        return ".".join(parts[-2:]) if len(parts) > 1 and parts[-2] else f"dbo.{parts[-1]}"

    def _old_type(self) -> None:
        """Read ``sp_addtype name, 'base type', ...``."""
        name = _text(self._next())
        if self._skip(","):
            rest = _Script(_text(self._next()))
            self._types[name.lower()] = rest._type(name)

    def _index(self, unique: bool) -> None:
        self._qualified()
        if not self._skip("on"):
            return
        table = self._tables.get(self._qualified().lower())
        columns = self._columns()
        if table is not None and columns:
            changed = msgspec.structs.replace(table, clustered=columns, unique=unique)
            self._tables[table.name.lower()] = changed

    def _columns(self) -> tuple[str, ...]:
        """Read a list of columns in brackets."""
        if not self._skip("("):
            return ()
        found: list[str] = []
        for word in iter(self._next, ""):
            if word == ")":
                break
            if word != "," and word.lower() not in ("asc", "desc"):
                found.append(_name(word))
        return tuple(found)

    def _alter(self) -> None:
        table = self._tables.get(self._qualified().lower())
        while table is not None and self._at < len(self._tokens):
            if self._is("go") or self._is("create") or self._is("alter") or self._is(";"):
                return
            if self._skip("primary", "key"):
                key = _Key()
                self._key(key, None)
                self._tables[table.name.lower()] = key.put(table)
                return
            self._at += 1

    def _table(self) -> None:
        name = self._qualified()
        if not self._skip("("):
            return
        fields: list[Field] = []
        key = _Key()
        while self._at < len(self._tokens):
            if any(self._is(word) for word in _CONSTRAINTS):
                self._rest(key, None)
            else:
                self._column(fields, key)
            if not self._skip(","):
                break
        table = Declared(name, tuple(fields))
        if fields:
            self._tables[name.lower()] = key.put(table)

    def _column(self, fields: list[Field], key: _Key) -> None:
        name = _name(self._next())
        if self._is("as"):  # computed: not stored
            self._rest(key, name)
            return
        field = self._type(name)
        start = self._at
        words = self._rest(key, name)
        pairs = list(zip(words, [*words[1:], ""], strict=False))
        not_null = ("not", "null") in pairs or "primary" in words or "identity" in words
        collation = next((after for word, after in pairs if word == "collate"), "")
        place = 0 if "sparse" in words else field.place
        fields.append(
            msgspec.structs.replace(
                field,
                nullable=not not_null,
                automatic="identity" in words,
                numbering=_numbering(self._tokens[start : self._at]),
                collation=_collation(collation),
                number=len(fields) + 1,
                place=place,
            )
        )

    def _type(self, name: str) -> Field:
        word = _name(self._next()).lower()
        if self._skip("."):
            word = _name(self._next()).lower()
        if word == "national":
            word = "n" + self._next().lower()
        if word == "double":
            self._skip("precision")
            return Field(name, types.FLOAT)
        self._skip("varying")
        if word in self._types:
            return msgspec.structs.replace(self._types[word], name=name)
        numbers = self._arguments()
        return _field(name, word, numbers)

    def _arguments(self) -> list[int]:
        numbers: list[int] = []
        if self._skip("("):
            for word in iter(self._next, ""):
                if word == ")":
                    break
                if word.isdecimal():
                    numbers.append(min(int(word), 1 << 16))
                elif word.lower() == "max":
                    numbers.append(types.MAX)
        return numbers

    def _rest(self, key: _Key, column: str | None) -> list[str]:
        """Read to the end of a column or constraint; returns its words in small letters."""
        words: list[str] = []
        depth = 0
        while self._at < len(self._tokens):
            if depth == 0 and (self._is(",") or self._is(")")):
                break
            if depth == 0 and self._skip("primary", "key"):
                words += ["primary", "key"]
                self._key(key, column)
                continue
            word = self._next()
            depth += {"(": 1, ")": -1}.get(word, 0)
            if depth == 0:
                words.append(word.lower())
        return words

    def _key(self, key: _Key, column: str | None) -> None:
        clustered = not self._skip("nonclustered")
        self._skip("clustered")
        columns = self._columns() or ((column,) if column else ())
        key.columns, key.clustered = columns, clustered


def _numbering(tokens: Sequence[str]) -> Numbering | None:
    """Return what stands behind IDENTITY in brackets: the first number and the step."""
    found = _IDENTITY.search(" ".join(tokens[:MOST_WORDS]))
    if found is None or not int(found[2].replace(" ", "")):
        return None
    first, step = (int(number.replace(" ", "")) for number in found.groups())
    return Numbering(first, step)


class _Key:
    """The primary key of a table that is being read."""

    def __init__(self) -> None:
        self.columns: tuple[str, ...] = ()
        self.clustered = False

    def put(self, table: Declared) -> Declared:
        """Return ``table`` with this key; names as the columns spell them."""
        spelled = {field.name.lower(): field.name for field in table.fields}
        columns = tuple(spelled.get(name.lower(), name) for name in self.columns)
        if not columns:
            return table
        return msgspec.structs.replace(table, key=columns, clustered=columns if self.clustered else ())


def _field(name: str, word: str, numbers: Iterable[int]) -> Field:
    sizes = list(numbers)
    kind = _KINDS.get(word, types.VARBINARY)
    first = sizes[0] if sizes else 1
    if kind in (types.DECIMAL, types.NUMERIC):
        precision = sizes[0] if sizes else 18
        return Field(name, kind, precision=min(precision, 38), scale=sizes[1] if len(sizes) > 1 else 0)
    if kind in (types.TIME, types.DATETIME2, types.DATETIMEOFFSET):
        return Field(name, kind, scale=min(sizes[0], 7) if sizes else 7)
    if kind == types.FLOAT and sizes and first <= 24:
        return Field(name, types.REAL)
    if word == "sysname":
        return Field(name, kind, 256)
    if word in _USER_TYPES:
        return Field(name, kind, types.MAX, user_type=_USER_TYPES[word])
    if kind in (types.NVARCHAR, types.NCHAR):
        return Field(name, kind, first if first == types.MAX else 2 * first)
    if kind in (types.VARCHAR, types.CHAR, types.VARBINARY, types.BINARY):
        return Field(name, kind, first)
    return Field(name, kind)


def _collation(name: str) -> int:
    """Return a collation's number as far as it tells the code page."""
    small = name.lower()
    if small.endswith("_utf8"):
        return types.UTF8
    if page := re.search(r"_cp(\d+)_", small):
        pages = {
            "1250": 0x13,
            "1251": 0x15,
            "1253": 0x07,
            "1254": 0x1A,
            "1255": 0x0C,
            "1256": 0x01,
            "1257": 0x1F,
        }
        return pages.get(page[1], 0x08)
    return next((number for start, number in _COLLATIONS if small.startswith(start)), 0)
