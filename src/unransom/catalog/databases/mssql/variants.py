"""Values that hold more than a plain type: sql_variant, xml, hierarchyid, geometry; written as text."""

from __future__ import annotations

from unransom.catalog.databases.mssql.layout import Field


def variant_text(field: Field, raw: bytes) -> str | None:
    """Return a sql_variant as text."""
    return raw.hex()


def xml_text(field: Field, raw: bytes) -> str | None:
    """Return XML as text."""
    return raw.hex()


def clr_text(field: Field, raw: bytes) -> str | None:
    """Return a CLR value as text."""
    return raw.hex()
