"""ZIP archives: every whole member under its name, and what is left of the others."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.formats import _zip_records as records
from unransom.catalog.formats._reading import find
from unransom.catalog.formats.repair._holes import marked
from unransom.catalog.formats.repair._members import Member, inflated, members
from unransom.catalog.formats.repair._zip_writer import New, archive
from unransom.catalog.formats.repair.repair import LISTED, Count, Damaged, Repair, Repaired
from unransom.core.messages import say
from unransom.core.streams import Reader

PARTIAL = b"partial/"  # folder of what is left of damaged members
BEHIND = b"behind/"  # and of texts behind their holes, with marks for lost bytes


def finds(reader: Reader) -> bool:
    """Return whether a member's header or an entry of a directory is anywhere in the file."""
    return any(find(reader, magic, 0) >= 0 for magic in (records.LOCAL, records.CENTRAL))


def repair(damaged: Damaged) -> Repaired | None:
    """Write a new archive of what is left."""
    found = members(damaged)
    whole = [member for member in found if member.whole]
    broken = [member for member in found if not member.whole and not member.name.endswith(b"/")]
    if not any(member.entry.size for member in whole) and not any(
        (rest := inflated(damaged, member)).head or rest.stretches for member in broken
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
            continue
        rest = inflated(damaged, member)
        if rest.head:
            yield New(PARTIAL + member.name, rest.head)
        if rest.stretches:
            yield New(BEHIND + member.name, b"\n".join(marked(each.symbols) for each in rest.stretches))


REPAIR = Repair(("zip",), ("zip", "jar", "whl", "epub", "apk"), repair, finds)
