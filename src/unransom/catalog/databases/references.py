"""Foreign keys in scripts and dumps, whatever server they are for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from unransom.catalog.databases.table import Reference

LONGEST = 64 << 20  # characters of a script that are read
MOST = 100_000  # foreign keys of a script
MOST_COLUMNS = 64  # of a foreign key
_TOKEN = re.compile(
    r"""--[^\n]*|\#[^\n]*|/\*.*?\*/|N?'(?:[^'\\]|''|\\.)*'"""
    r"""|(?P<name>`(?:[^`]|``)*`|"(?:[^"]|"")*"|\[(?:[^\]]|\]\])*\])|(?P<word>[\w$@]+)|(?P<mark>[(),.;])""",
    re.DOTALL,
)
_BEFORE_NAME = frozenset({"if", "not", "exists", "only"})


def references_in(text: str) -> Iterator[tuple[str, Reference]]:
    """Yield the foreign keys in the statements of ``text``, each with the name of its table."""
    reader = _Reader(text[:LONGEST])
    for _ in range(MOST):
        found = reader.following()
        if found is None:
            return
        yield found


class _Reader:
    """A script that is read from front to back."""

    def __init__(self, text: str) -> None:
        self._tokens = [
            (match["name"] or match["word"] or match["mark"], bool(match["name"]))
            for match in _TOKEN.finditer(text)
            if match.lastgroup
        ]
        self._at = 0
        self._table = ""
        self._column = ""  # that is being declared

    def following(self) -> tuple[str, Reference] | None:
        """Return the next foreign key, None behind the last one."""
        depth = 0
        while self._at < len(self._tokens):
            word = self._word()
            if word in {"create", "alter"} and self._word(0) == "table":
                self._at += 1
                self._table, depth = self._statement(), 0
            elif word in {"(", ","} and depth + (word == "(") == 1:
                self._column, depth = self._peeked(), 1
            elif word in {"(", ")"}:
                depth += 1 if word == "(" else -1
            elif word in {"foreign", "references"}:
                found = self._key(word)
                if found is not None:
                    return found
        return None

    def _key(self, word: str) -> tuple[str, Reference] | None:
        """Read a foreign key that begins with ``word``: of a list of columns, or of one by itself."""
        if word == "references":
            self._at -= 1
            return self._made((self._column,) if self._column else ())
        if self._word(0) != "key":
            return None
        self._at += 1
        return self._made(self._columns())

    def _word(self, step: int = 1) -> str:
        """Return the next word in lower case, "" of a quoted name and behind the end; move by ``step``."""
        if self._at >= len(self._tokens):
            return ""
        text, quoted = self._tokens[self._at]
        self._at += step
        return "" if quoted else text.lower()

    def _peeked(self) -> str:
        """Return the name that stands next."""
        if self._at >= len(self._tokens):
            return ""
        text, quoted = self._tokens[self._at]
        return text[1:-1].replace(2 * text[-1], text[-1]) if quoted else text

    def _name(self) -> str:
        """Read a name; return its last part."""
        name = self._peeked()
        self._at += 1
        while self._word(0) == ".":
            self._at += 1
            name = self._peeked()
            self._at += 1
        return name

    def _statement(self) -> str:
        while self._word(0) in _BEFORE_NAME:
            self._at += 1
        return self._name()

    def _columns(self) -> tuple[str, ...]:
        """Read a list in brackets, before which a key may be named."""
        while self._at < len(self._tokens) and self._word(0) not in {"(", "references", ";"}:
            self._at += 1
        if self._word(0) != "(":
            return ()
        self._at += 1
        found: list[str] = []
        while self._at < len(self._tokens) and len(found) < MOST_COLUMNS:
            if self._word(0) == ")":
                self._at += 1
                break
            if self._word(0) != ",":
                found.append(self._peeked())
            self._at += 1
        return tuple(found)

    def _made(self, columns: tuple[str, ...]) -> tuple[str, Reference] | None:
        """Read what a foreign key of ``columns`` refers to."""
        named = self._word() == "references"
        if not named or not columns or not self._table:
            return None
        table = self._name()
        keys = self._columns() if self._word(0) == "(" else ()
        if keys and len(keys) != len(columns):
            return None
        return self._table, Reference(columns, table, keys)
