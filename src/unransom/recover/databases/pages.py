"""Writes files of databases page by page: those in between are holes."""

from __future__ import annotations

from unransom.catalog.databases.engine import Graft, Repair
from unransom.core.drafts import DraftFile


def write_pages(made: Graft | Repair, draft: DraftFile) -> None:
    """Write the pages of ``made`` to their places in ``draft``, whose size becomes that of ``made``."""
    with draft.path.open("wb") as file:
        file.truncate(made.size)
        for number, page in made.pages:
            file.seek(number * made.page)
            file.write(page)
