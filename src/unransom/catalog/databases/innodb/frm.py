"""Definitions in .frm files (MySQL before 8, MariaDB)."""

from __future__ import annotations

from unransom.catalog.databases.innodb.schema import TableDef

MOST = 1 << 20  # bytes of a .frm file


def definition(data: bytes, name: str) -> TableDef | None:
    """Return the table that a .frm file defines."""
    return TableDef(name, ()) if not data else None
