"""The step: one locked file in, the wrapped key that a key holder would have to open out."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.families import family as family_named
from unransom.core.context import Context
from unransom.core.records import FileRef, Record, Wanted
from unransom.core.streams import Salvage


def run(ref: FileRef, context: Context) -> Iterator[Record]:
    """Yield what ``ref`` waits for; nothing where no family is sure of it."""
    if not ref.family:
        return
    with context.open(ref) as reader:
        mark = family_named(ref.family, context.described).read(Salvage(reader, ref.name))
    if mark:
        yield Wanted(family=ref.family, campaign=mark.campaign, wrapped=mark.wrapped, size=ref.size)
