"""Office Open XML: by what the members are, a workbook, a document, or else an archive."""

from __future__ import annotations

import msgspec

from unransom.catalog.formats import _zip_records as records
from unransom.catalog.formats._reading import find
from unransom.catalog.formats.ooxml import FORMAT
from unransom.catalog.formats.repair import document, workbook
from unransom.catalog.formats.repair import zip as archives
from unransom.catalog.formats.repair.repair import Damaged, Repair, Repaired
from unransom.core.streams import Reader

KINDS = ((b"xl/", workbook.repair), (b"word/", document.repair), (b"ppt/", document.repair))


def finds(reader: Reader) -> bool:
    """Return whether the name of a part of an Office document stands behind a member's header."""
    return _kind(reader) is not None


def _kind(reader: Reader) -> int | None:
    """Return which of ``KINDS`` the parts belong to."""
    for index, (folder, _) in enumerate(KINDS):
        position = 0
        while (position := find(reader, folder, position)) >= 0:
            local = reader.read_at(position - records.LOCAL_SIZE, 4) == records.LOCAL
            if local or reader.read_at(position - records.CENTRAL_SIZE, 4) == records.CENTRAL:
                return index
            position += len(folder)
    return None


def repair(damaged: Damaged) -> Repaired | None:
    """Rebuild the document; where that gives nothing, an archive of its parts."""
    index = _kind(damaged.reader)
    rebuilt = KINDS[index][1](damaged) if index is not None else None
    if rebuilt is None and (parts := archives.repair(damaged)):
        return msgspec.structs.replace(parts, extension=".zip")  # no program would open it as a document
    return rebuilt


REPAIR = Repair((FORMAT.name,), FORMAT.extensions, repair, finds)
