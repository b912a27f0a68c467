"""What the free space of a carved disk may hold, for the result documents of the tests."""

from unransom.report.document import SpaceFacts
from unransom.report.tallies import Holdings


def space(source: str) -> SpaceFacts:
    """A volume that was mostly trimmed, with something of nearly every class."""
    holds = Holdings(
        zero=181_000_000_000,
        known=2_010_000_384,
        locked=9_000_001_536,
        header=946_176,
        database=1_000_000_000,
        text=999_998_464,
        dense=10_000_000_000,
    )
    return SpaceFacts(source=source, searched=sum(holds.by_class().values()), holds=holds)
