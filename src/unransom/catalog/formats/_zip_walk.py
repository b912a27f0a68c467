"""Go through a ZIP archive from local header to local header, where there is no central directory."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.formats import _zip_records as records
from unransom.catalog.formats._deflate import Budget, End
from unransom.catalog.formats._findings import Findings
from unransom.catalog.formats._reading import find
from unransom.catalog.formats._zip_members import check_data, expand_member
from unransom.catalog.formats._zip_records import Entry
from unransom.core.messages import say
from unransom.core.streams import Reader

ENDS = (records.CENTRAL, records.END, records.END64, records.EXTRA_DATA)


def walk(reader: Reader, start: int, end: int, budget: Budget, findings: Findings) -> Iterator[Entry]:
    """Yield the local headers found from ``start`` to ``end``; check their data; record what breaks."""
    while start < end and not budget.exceeded:
        entry = records.local_at(reader, start)
        if entry is None:
            if reader.read_at(start, 4) in ENDS:
                return
            following = find(reader, records.LOCAL, start + 1, end)
            following = end if following < 0 else following
            why = say("there is no member of the ZIP archive at byte {offset}", offset=start)
            findings.fault(start, following, why)
            budget.spend(following - start, 0)
            start = following
            continue
        yield entry
        start = _member_end(reader, start + entry.header, entry, budget, findings)


def _member_end(reader: Reader, data: int, entry: Entry, budget: Budget, findings: Findings) -> int:
    """Check the member whose data starts at ``data``; return where the next one should start."""
    if not entry.flags & records.STREAMED or entry.packed:
        check_data(reader, data, entry, budget, findings)
        return data + entry.packed
    expansion = expand_member(reader, data, reader.size, entry, budget)
    if expansion is None or expansion.end is not End.WHOLE:
        why = say("member {name} cannot be followed to its end", name=entry.title)
        following = find(reader, records.LOCAL, data, reader.size)
        following = reader.size if following < 0 else following
        findings.fault(data, following, why)
        return following
    packed = expansion.position - data
    size = records.descriptor_size(reader, expansion.position, expansion.crc, packed, expansion.length)
    if size is None:
        why = say("the data descriptor of member {name} does not agree", name=entry.title)
        findings.fault(data, expansion.position, why)
    else:
        findings.hold(32)
    return expansion.position + (size or 0)
