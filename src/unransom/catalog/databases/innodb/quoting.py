"""Names and text as statements of MySQL and MariaDB have them."""

from __future__ import annotations


def quoted(name: str) -> str:
    """Return ``name`` as MySQL and MariaDB take it."""
    return "`" + name.replace("`", "``") + "`"


def literal(text: str) -> str:
    """Return ``text`` as a string of a statement."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''").replace("\0", "\\0") + "'"
