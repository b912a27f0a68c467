"""Files that were deleted from NTFS: free records, and names in folders' gaps, the log and the journal.

A free record has all that it had: name, times, where the bytes lie, or the bytes themselves. A record that
was given out again is lost; the entry of its folder often still stands behind those that count, in the folder
or in ``$LogFile``, with name, size and times. The journal of changes, where it is kept, has name and folder
of every file, and what folders were called that are gone themselves.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.evidence.filesystems.ntfs.folders import Folders, Reference
from unransom.evidence.filesystems.ntfs.records import (
    FOLDER,
    Attribute,
    FileName,
    Volume,
    file_name,
    spans,
    volume,
)
from unransom.evidence.filesystems.ntfs.table import ALONE, OWN, Record, Table, long_name, strung
from unransom.evidence.filesystems.ntfs.usn import DELETED, Change, changes_in
from unransom.evidence.filesystems.remnants import NOWHERE, Remnant, Trace

LOG = 2  # record of ``$LogFile``
JOURNAL = b"$UsnJrnl"  # the file with the journal of changes
MOST_NAMES = 1 << 22


def remnants(reader: Reader, start: int) -> Iterator[Remnant]:
    """Yield files that were deleted from the volume that begins at ``start``."""
    place = volume(reader, start)
    if place is None:
        return
    table = Table(reader, place)
    found = _Sorted(table.records())
    changed = found.changes(table)
    for record in found.free:
        yield from _of_record(place, record, found.parts.get(record.number, []), found.folders)
    names = _Names(found)
    yield from names.in_gaps(table)
    yield from names.in_journal(changed)


def folders_of(reader: Reader, start: int) -> Folders:
    """Return the folders of the volume that begins at ``start``, those with free records included."""
    place = volume(reader, start)
    return _Sorted(Table(reader, place).records()).folders if place else Folders()


class _Sorted:
    """The records of the table by what they are.

    Attributes:
        folders: What folders are called.
        free: Records of files that are gone.
        named: Folder and name of all that has a record.
        indexes: Where names stand besides: in folders, and in the log.
        parts: Parts of files that go on in further records.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        self.folders = Folders()
        self.free: list[Record] = []
        self.named: set[tuple[int, bytes]] = set()
        self.indexes: list[Attribute] = []
        self.parts: dict[int, list[Attribute]] = defaultdict(list)
        self._streams: dict[int, list[Attribute]] = defaultdict(list)
        self._journal = 0
        for record in records:
            if record.journal:
                self._streams[record.base.record or record.number] += record.journal
            if record.base != ALONE:
                self.parts[record.base.record] += record.data
            else:
                self._add(record)

    def _add(self, record: Record) -> None:
        self.named.update((name.folder.record, name.name) for name in record.names)
        if record.number == LOG:
            self.indexes += record.data
        if record.is_used and any(name.name == JOURNAL for name in record.names):
            self._journal = record.number
        if record.flags & FOLDER and record.names:
            name = long_name(record.names)
            self.folders.add(record.called, name.name, name.folder)
            self.indexes += record.folder
        elif not record.is_used and record.number >= OWN and record.names:
            self.free.append(record)

    def changes(self, table: Table) -> dict[Reference, Change]:
        """Return the last change of each file that was deleted; folders that the journal names are kept."""
        gone: dict[Reference, Change] = {}
        called: dict[Reference, Change] = {}
        journal = self._streams.get(self._journal)
        pages = table.pieces(strung(journal)) if journal else ()
        for change in itertools.chain.from_iterable(map(changes_in, pages)):
            if change.is_folder:
                called[change.file] = change
            elif change.reason & DELETED and len(gone) < MOST_NAMES:
                gone[change.file] = change
        for folder, change in called.items():
            self.folders.add(folder, change.name, change.folder)
        return gone


def _of_record(place: Volume, record: Record, parts: list[Attribute], folders: Folders) -> Iterator[Remnant]:
    """Yield the file of a free record."""
    pieces = [*record.data, *parts]
    if not pieces or any(each.packed for each in pieces):
        return
    whole = strung(pieces)
    where: list[Span] | None = [] if whole.content is not None else spans(place, whole, NOWHERE)
    if where is None or not whole.size:
        return
    name = long_name(record.names)
    yield Remnant(
        path=folders.path(name.name, name.folder),
        size=whole.size,
        spans=tuple(where),
        content=whole.content or b"",
        modified=name.modified,
        created=name.created,
        trace=Trace.RECORD,
    )


class _Names:
    """Files of which a name is left and no record."""

    def __init__(self, found: _Sorted) -> None:
        self._found = found
        self._seen: set[tuple[int, bytes, int]] = set()
        self._left: set[tuple[int, bytes]] = set()

    def in_gaps(self, table: Table) -> Iterator[Remnant]:
        """Yield those of folders, the log and the ends of records, each with its sizes once."""
        folders = self._found.folders
        known = np.array(sorted(folders.records()), np.uint64)
        records = (data for _, data in table.blocks())
        every = (block for attribute in self._found.indexes for block in table.pieces(attribute))
        for data in itertools.chain(every, records):
            for name in _names_in(data, known):
                if len(self._seen) > MOST_NAMES:
                    return
                if self._is_new(name):
                    yield Remnant(
                        path=folders.path(name.name, name.folder),
                        size=name.size or None,
                        modified=name.modified,
                        created=name.created,
                        trace=Trace.FOLDER,
                    )

    def _is_new(self, name: FileName) -> bool:
        entry = (name.folder.record, name.name)
        key = (*entry, name.size)
        if entry in self._found.named or key in self._seen or name.short or name.is_folder:
            return False
        self._seen.add(key)
        self._left.add(entry)
        return True

    def in_journal(self, gone: dict[Reference, Change]) -> Iterator[Remnant]:
        """Yield those that only the journal of changes still names; it does not say how large they were."""
        for change in gone.values():
            entry = (change.folder.record, change.name)
            if entry not in self._left and entry not in self._found.named:
                self._left.add(entry)
                path = self._found.folders.path(change.name, change.folder)
                yield Remnant(path=path, size=None, deleted=change.time, trace=Trace.LOG)


def _names_in(data: bytes, known: NDArray[np.uint64]) -> Iterator[FileName]:
    """Yield the names anywhere in ``data`` whose folder is one of ``known``."""
    words = np.frombuffer(data, "<u8", len(data) // 8)
    numbers = words & np.uint64((1 << 48) - 1)
    fitting = (words >> np.uint64(48) > 0) & np.isin(numbers, known)
    for index in np.flatnonzero(fitting).tolist():
        name = file_name(data, index * 8)
        if name:
            yield name
