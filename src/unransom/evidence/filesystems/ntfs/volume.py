"""The files of a volume of NTFS whose first records are lost, by the records that are left.

The Sleuth Kit opens no volume without them. A record has names, sizes, times and where the bytes lie; folders
whose records are lost are called by their numbers.
"""

from __future__ import annotations

import errno
from collections import defaultdict
from collections.abc import Iterator, Sequence

from unransom.core.messages import say
from unransom.core.records import FileRef, Problem
from unransom.core.streams import BytesReader, Reader
from unransom.evidence.containers.mapped import Joined, Part, Zeros
from unransom.evidence.filesystems.ntfs.folders import Folders
from unransom.evidence.filesystems.ntfs.records import FOLDER, Attribute, Volume, spans, volume
from unransom.evidence.filesystems.ntfs.table import ALONE, OWN, Record, Table, long_name, strung
from unransom.evidence.filesystems.remnants import NOWHERE
from unransom.evidence.filesystems.tsk import NTFS_DATA, Locator
from unransom.evidence.problems import problem


class NtfsVolume:
    """A volume of NTFS, read without its first records."""

    def __init__(self, reader: Reader, start: int) -> None:
        """Open the volume of ``reader`` that begins at ``start``.

        Raises:
            OSError: Nothing says where its records are.
            UnreadableError: It cannot be read.
        """
        place = volume(reader, start)
        if place is None:
            raise OSError(errno.EINVAL, "no first sector of NTFS")
        self._reader = reader
        self._place: Volume = place
        self._table = Table(reader, place)
        self._folders = Folders()
        self._parts: dict[int, list[Attribute]] = defaultdict(list)  # of files that go on in other records
        for record in self._table.records():
            if record.base != ALONE:
                self._parts[record.base.record] += record.data
            elif record.is_used and record.flags & FOLDER and record.names:
                name = long_name(record.names)
                self._folders.add(record.called, name.name, name.folder)

    def files(self, source: str, prefix: bytes) -> Iterator[FileRef | Problem]:
        """Yield every file that has a record, in the order of these.

        Args:
            source: ``Source.id`` for the records.
            prefix: What comes before every path.
        """
        for record in self._table.records():
            if not record.is_used or record.number < OWN or record.base != ALONE or record.flags & FOLDER:
                continue
            if not record.names:
                continue
            name = long_name(record.names)
            path = prefix + self._folders.path_or_orphan(name.name, name.folder)
            content = self._content(record)
            if content is None:
                yield problem(
                    source,
                    path,
                    say("its record in the file system is damaged"),
                    say("its content was not read; it may still be found by carving"),
                )
                continue
            yield FileRef(
                source=source,
                path=path,
                size=content.size,
                locator=str(Locator(self._place.start, record.number, NTFS_DATA)),
                modified=name.modified,
                created=name.created,
            )

    def runs(self) -> Iterator[tuple[int, int, int, bool, bool]]:
        """Yield where files and folders have their bytes.

        Yields:
            Start and end; the byte behind the last of the file, 0 where that is elsewhere; whether it is
            not deleted; whether it is a folder, or of the file system's own.
        """
        for record in self._table.records():
            system = record.number < OWN or bool(record.flags & FOLDER)
            content = [*record.data, *self._parts.get(record.number, [])] if record.base == ALONE else []
            for pieces in (content, record.folder):
                for start, length, left in self._stored(pieces):
                    stop = start + left if 0 < left < length and not system else 0
                    yield start, start + length, stop, record.is_used, system

    def _stored(self, pieces: Sequence[Attribute]) -> Iterator[tuple[int, int, int]]:
        """Yield start and length of what is stored of an attribute, and its bytes from there on."""
        whole = strung(pieces) if pieces else None
        left = whole.size if whole and not whole.packed else 0
        for cluster, count in whole.runs if whole else ():
            length = count * self._place.cluster
            if cluster is not None and 0 <= cluster <= self._place.clusters - count:
                yield self._place.start + cluster * self._place.cluster, length, left
            left -= length

    def open(self, where: Locator, size: int) -> Reader:
        """Open the content at ``where``, of ``size`` bytes.

        Raises:
            OSError: There is none of that size.
        """
        record = self._table.load(where.record)
        content = self._content(record) if record else None
        if content is None or content.size != size:
            raise FileNotFoundError(errno.ENOENT, "no content of that size", str(where))
        return content

    def _content(self, record: Record) -> Reader | None:
        """Return a reader over the content of a file; None where it is packed or nowhere."""
        pieces = [*record.data, *self._parts.get(record.number, [])]
        if not pieces or any(each.packed for each in pieces):
            return None
        whole = strung(pieces)
        if whole.content is not None:
            return BytesReader(whole.content)
        found = spans(self._place, whole, NOWHERE)
        if found is None:
            return None
        parts = (
            Zeros(len(each)) if each.start >= NOWHERE else Part(self._reader, each.start, len(each))
            for each in found
        )
        return Joined(list(parts))
