"""The step: a file that is locked and may be of one family, for a note tells of it; out with that family."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from unransom.catalog.families import family as family_named
from unransom.core.context import Context
from unransom.core.messages import say
from unransom.core.records import FileRef
from unransom.core.streams import Salvage


def run(ref: FileRef, context: Context) -> Iterator[FileRef]:
    """Yield ``ref`` as a file of its only candidate, if it has that family's mark, weak as it may be."""
    if len(ref.candidates) != 1:
        return
    family = family_named(ref.candidates[0], context.described)
    with context.open(ref) as reader:
        mark = family.read(Salvage(reader, ref.name))
    if mark:
        why = say(
            "a ransom note in its folder, or above, is called like those of {family}, and nothing in the file"
            " is against that",
            family=family.name,
        )
        yield msgspec.structs.replace(
            ref,
            family=family.name,
            variant=mark.variant,
            original=ref.original or family.original_name(ref.path) or b"",
            why=why,
        )
