"""What a key holder would need: each wrapped key once, with what it would open."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from unransom.case.case import Case
from unransom.catalog.families import family as family_named
from unransom.core.messages import Message
from unransom.run.described import described_in


class WantedKey(msgspec.Struct, frozen=True):
    """A wrapped key, and the files that it would open.

    Attributes:
        family: Name of the family.
        campaign: Identifier of the victim, attacker or run, "" where there is none.
        wrapped: The wrapped key, or the public key that one is agreed with, in base64.
        files, size: How many files it opens, and their bytes.
        wanted: What opens it.
    """

    family: str
    campaign: str
    wrapped: str
    files: int
    size: int
    wanted: Message


def wanted_keys(case: Case) -> Iterator[WantedKey]:
    """Yield the wrapped keys of files that are still locked, the one that opens most files first."""
    rows = case.database.execute(
        "SELECT json_extract(records.body, '$.family'), json_extract(records.body, '$.campaign'),"
        " json_extract(records.body, '$.wrapped'), count(*), sum(files.size)"
        " FROM records JOIN files ON files.id = records.item"
        " WHERE records.type = 'Wanted'"
        " AND (files.state IN ('locked', 'failed') OR files.method = 'databases')"
        " GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3"
    )
    described = described_in(case)
    for family, campaign, wrapped, files, size in rows:
        wanted = family_named(family, described).wanted
        yield WantedKey(family, campaign, wrapped, files, size, wanted)
