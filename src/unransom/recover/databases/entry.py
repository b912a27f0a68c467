"""The step of a case, imported without what reads databases: most cases have none that is damaged."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.core.context import Context
from unransom.core.records import Record
from unransom.recover.databases.records import DatabaseFile


def run(item: DatabaseFile, context: Context) -> Iterator[Record]:
    """Yield the rows that are left in ``item``; see ``salvaging.salvage``."""
    from unransom.recover.databases.salvaging import salvage  # noqa: PLC0415 takes a second

    yield from salvage(item, context)
