"""ZIP archives: every whole member under its name, and what is left of the others."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.formats import _zip_records as records
from unransom.catalog.formats._reading import find
from unransom.catalog.formats.repair._members import Member, inflated, members
from unransom.catalog.formats.repair._zip_writer import New, archive
from unransom.catalog.formats.repair.repair import LISTED, Count, Damaged, Repair, Repaired
from unransom.core.messages import say
from unransom.core.streams import Reader

PARTIAL = b"partial/"  # folder of what is left of damaged members


def finds(reader: Reader) -> bool:
    """Return whether a member's header or an entry of a directory is anywhere in the file."""
    return any(find(reader, magic, 0) >= 0 for magic in (records.LOCAL, records.CENTRAL))


def repair(damaged: Damaged) -> Repaired | None:
    """Write a new archive of what is left."""
    found = members(damaged)
    whole = [member for member in found if member.whole]
    broken = [member for member in found if not member.whole and not member.name.endswith(b"/")]
    if not any(member.entry.size for member in whole) and not any(
        inflated(damaged, member).head for member in broken
    ):
        return None
    return Repaired(
        archive(damaged, _contents(damaged, found)),
        say("the archive's directory was written anew"),
        (Count("members", len(whole), len(found)),),
        tuple(
            say(
                "of member {name} {left} of {total} bytes are left",
                name=member.entry.title,
                left=len(inflated(damaged, member).head),
                total=member.entry.size or "?",
            )
            for member in broken[:LISTED]
        ),
        tuple(member.entry.title for member in broken[:LISTED]),
    )


def _contents(damaged: Damaged, found: list[Member]) -> Iterator[Member | New]:
    names: set[bytes] = set()
    for member in found:
        if member.entry.name in names:
            continue
        if member.whole:
            names.add(member.entry.name)
            yield member
        elif head := inflated(damaged, member).head:
            yield New(PARTIAL + member.name, head)


REPAIR = Repair(("zip",), ("zip", "jar", "whl", "epub", "odt", "ods", "odp", "apk"), repair, finds)
