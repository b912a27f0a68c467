"""Lists the files of a file system, live and deleted."""

from __future__ import annotations

import calendar
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import pytsk3

from unransom.core.messages import say
from unransom.core.records import FileRef, Kind, Problem
from unransom.evidence.filesystems.fat_folders import first_level
from unransom.evidence.filesystems.ntfs.folders import ORPHANS
from unransom.evidence.filesystems.tsk import NTFS_DATA, FileSystem, Locator
from unransom.evidence.problems import problem, unlisted
from unransom.evidence.sleuthkit import TSK_ERRORS, attributes
from unransom.evidence.volumes.fat_geometry import entries

GONE = "gone"  # locator of a deleted file of which only the name is left
LARGEST = 1 << 44  # bytes; a size above this is damage: ext4 and NTFS end at 16 TiB with usual clusters
LATEST = (1 << 63) // 1_000_000_000  # seconds since 1970 that fit 64 bits as nanoseconds
NTFS_RESERVED = 24  # records of the file system's own files
VIRTUAL = frozenset({int(pytsk3.TSK_FS_NAME_TYPE_VIRT), int(pytsk3.TSK_FS_NAME_TYPE_VIRT_DIR)})
LABEL = b"(Volume Label Entry)"  # what The Sleuth Kit adds to the name of the entry with a FAT's label
EXFAT_OWN = frozenset({b"$ALLOC_BITMAP", b"$UPCASE_TABLE"})
ROOT = 512  # bytes of a root folder that show whether it is one
FOLDER = int(pytsk3.TSK_FS_META_TYPE_DIR)
KINDS = {
    int(pytsk3.TSK_FS_META_TYPE_REG): Kind.FILE,
    int(pytsk3.TSK_FS_META_TYPE_LNK): Kind.SYMLINK,
}
# Volumes whose orphans are looked for. In FAT that would read all of the volume, which is carving;
# ext3 and ext4 clear what a deleted file was, so that only numbers would be found.
KEEPS_ORPHANS = frozenset({int(pytsk3.TSK_FS_TYPE_NTFS), int(pytsk3.TSK_FS_TYPE_EXT2)})


class Folder(NamedTuple):
    """A folder that is still to be listed; ``path`` is what comes before the names in it."""

    record: int
    path: bytes
    deleted: bool


class Entry(NamedTuple):
    """What a folder says of a file.

    Attributes:
        path: Path in the volume.
        record: Number of the file's record (inode, MFT entry).
        sequence: How often that record had been used; NTFS only.
        deleted: The entry or its folder is deleted.
        file: The ``pytsk3.File``; has no ``info.meta`` where The Sleuth Kit did not load the record.
    """

    path: bytes
    record: int
    sequence: int
    deleted: bool
    file: Any


class Listing:
    """One walk through a file system."""

    def __init__(self, filesystem: FileSystem, source: str, prefix: bytes = b"") -> None:
        """Walk through ``filesystem``.

        Args:
            filesystem: What to list.
            source: ``Source.id`` for the records.
            prefix: What comes before every path.
        """
        self._filesystem = filesystem
        self._lock = filesystem.image.lock
        self._source = source
        self._prefix = prefix
        self._seen: set[int] = set()
        self._named: set[int] = set()  # first sectors of the folders that FAT's root names
        self._has_streams = filesystem.kind == "ntfs"
        self._moment = MOMENTS.get(filesystem.kind, _utc)

    def files(self) -> Iterator[FileRef | Problem]:
        """Yield every file: a folder's own first, then its subfolders', at last those without a folder."""
        with self._lock:
            info = self._filesystem.handle.info
            root, last, kind = int(info.root_inum), int(info.last_inum), int(info.ftype)
        if self._filesystem.kind == "fat" and self._is_lost(root):
            yield from self._without_root(root)
            return
        yield from self._walk(Folder(root, b"", deleted=False))
        if kind in KEEPS_ORPHANS:
            yield from self._walk(Folder(last, ORPHANS, deleted=True))

    def _without_root(self, root: int) -> Iterator[FileRef | Problem]:
        """Yield what is left of FAT's root folder, then the folders that were in it by their clusters."""
        tops = first_level(self._filesystem.image.reader, self._filesystem.start)
        yield problem(
            self._source,
            self._prefix,
            say("the root folder is lost"),
            say("folders found in it are listed without their names; files in it may be found by carving")
            if tops
            else say("what was in it may still be found by carving"),
        )
        yield from self._walk(Folder(root, b"", deleted=False))
        for top in tops:
            if top.sector not in self._named:
                yield from self._walk(Folder(top.record, b"%s%d/" % (ORPHANS, top.cluster), deleted=False))

    def _is_lost(self, root: int) -> bool:
        """Return whether the root folder of FAT is none, which The Sleuth Kit takes for an empty one."""
        try:
            with self._lock:
                data = self._filesystem.handle.open_meta(inode=root).read_random(0, ROOT)
        except TSK_ERRORS:
            return True
        return bool(data) and any(data) and entries(data) is None

    def _walk(self, top: Folder) -> Iterator[FileRef | Problem]:
        pending = [top]
        while pending:
            folder = pending.pop()
            if folder.record in self._seen:  # a damaged file system can have loops
                continue
            self._seen.add(folder.record)
            subfolders: list[Folder] = []
            yield from self._list(folder, subfolders)
            pending.extend(reversed(subfolders))

    def _list(self, folder: Folder, subfolders: list[Folder]) -> Iterator[FileRef | Problem]:
        """Yield what is directly in ``folder``, and append its subfolders to ``subfolders``."""
        failures = self._filesystem.image.failures
        more = True
        try:
            with self._lock:
                files = iter(self._filesystem.handle.open_dir(inode=folder.record))
            while more:
                # The lock is not held while the caller works on what is yielded.
                with self._lock:
                    file = next(files, None)
                    more = file is not None
                    records = list(self._records(file, folder, subfolders)) if more else []
                yield from records
        except TSK_ERRORS as error:
            yield unlisted(self._source, self._prefix + folder.path, error)
        if self._filesystem.image.failures > failures:
            yield problem(
                self._source,
                self._prefix + folder.path,
                say("a part of the folder cannot be read"),
                say("what is named in the other part is listed"),
            )

    def _records(self, file: Any, folder: Folder, subfolders: list[Folder]) -> Iterator[FileRef | Problem]:
        """Yield what is to be said of one entry of ``folder``; called under the lock."""
        entry = self._entry(file, folder)
        if entry is None:
            return
        file = self._with_record(entry)
        if file is None:
            yield from self._without_record(entry)
            return
        meta = file.info.meta
        kind = KINDS.get(int(meta.type), Kind.SPECIAL)
        if int(meta.type) == FOLDER:
            subfolders.append(Folder(entry.record, entry.path + b"/", entry.deleted))
            if not folder.path and not entry.deleted and self._filesystem.kind == "fat":
                self._named.update(_first_block(file))
            yield from (ref for ref in self._contents(entry, file) if isinstance(ref, FileRef) and ref.stream)
        elif kind is Kind.FILE:
            contents = list(self._contents(entry, file))
            yield from contents
            if not any(isinstance(each, Problem) or not each.stream for each in contents):
                yield self._damaged(entry)
        else:
            yield self._ref(entry, meta, kind=kind)

    def _entry(self, file: Any, folder: Folder) -> Entry | None:
        """Return what ``file`` is; None for what the file system or The Sleuth Kit has for itself."""
        name = file.info.name
        raw, record = bytes(name.name), int(name.meta_addr)
        if raw in {b".", b".."} or int(name.type) in VIRTUAL or self._is_internal(raw, record, folder):
            return None
        unallocated = bool(int(name.flags) & int(pytsk3.TSK_FS_NAME_FLAG_UNALLOC))
        path = folder.path + (raw or b"_")
        return Entry(path, record, int(name.meta_seq), folder.deleted or unallocated, file)

    def _is_internal(self, name: bytes, record: int, folder: Folder) -> bool:
        if self._filesystem.kind == "ntfs":
            return record < NTFS_RESERVED
        if self._filesystem.kind == "ext":
            return False
        return not folder.path and (name.endswith(LABEL) or name in EXFAT_OWN)

    def _with_record(self, entry: Entry) -> Any:
        """Return the file with its record; None where it has none, or one that is another file's."""
        file = entry.file
        try:
            if file.info.meta is None:
                file = self._filesystem.handle.open_meta(inode=entry.record)
        except TSK_ERRORS:
            return None
        meta = file.info.meta
        return file if meta is not None and self._is_its_own(entry, meta) else None

    def _is_its_own(self, entry: Entry, meta: Any) -> bool:
        if not entry.deleted:
            return True
        if int(meta.flags) & int(pytsk3.TSK_FS_META_FLAG_ALLOC):
            return False
        if self._filesystem.kind == "ntfs":  # deleting counts the sequence up
            return int(meta.seq) in {entry.sequence, entry.sequence + 1}
        if self._filesystem.kind == "ext":  # ext3 and ext4 clear size and extents
            return int(meta.size) > 0
        return True

    def _contents(self, entry: Entry, file: Any) -> Iterator[FileRef | Problem]:
        """Yield the content of a file, and its alternate data streams."""
        meta = file.info.meta
        if not self._has_streams:
            yield self._content(entry, meta, Locator(self._filesystem.start, entry.record), int(meta.size))
            return
        for _, info in attributes(file):
            if int(info.type) == NTFS_DATA:
                where = Locator(self._filesystem.start, entry.record, NTFS_DATA, int(info.id))
                stream = bytes(info.name or b"").decode("utf-8", "replace")
                yield self._content(entry, meta, where, int(info.size), stream)

    def _content(
        self, entry: Entry, meta: Any, where: Locator, size: int, stream: str = ""
    ) -> FileRef | Problem:
        if 0 <= size <= LARGEST:
            return self._ref(entry, meta, size=size, stream=stream, locator=str(where))
        return self._damaged(entry)

    def _without_record(self, entry: Entry) -> Iterator[FileRef | Problem]:
        if not entry.deleted:
            yield self._damaged(entry)
        elif not entry.path.startswith(ORPHANS + b"OrphanFile-"):  # a name that The Sleuth Kit made up
            path = self._prefix + entry.path
            yield FileRef(source=self._source, path=path, size=0, deleted=True, locator=GONE)

    def _damaged(self, entry: Entry) -> Problem:
        return problem(
            self._source,
            self._prefix + entry.path,
            say("its record in the file system is damaged"),
            say("its content was not read; it may still be found by carving"),
        )

    def _ref(
        self,
        entry: Entry,
        meta: Any,
        size: int = 0,
        kind: Kind = Kind.FILE,
        stream: str = "",
        locator: str = "",
    ) -> FileRef:
        return FileRef(
            source=self._source,
            path=self._prefix + entry.path,
            size=size,
            kind=kind,
            stream=stream,
            deleted=entry.deleted,
            locator=locator,
            modified=self._moment(int(meta.mtime), int(meta.mtime_nano)),
            changed=self._moment(int(meta.ctime), int(meta.ctime_nano)),
            created=self._moment(int(meta.crtime), int(meta.crtime_nano)),
        )


def _first_block(file: Any) -> list[int]:
    """Return the block that a file's content begins with, in a list that is empty where there is none."""
    return [int(run.addr) for attribute, _ in attributes(file) for run in islice(attribute, 1)]


def _utc(seconds: int, nanoseconds: int) -> int | None:
    """Return nanoseconds since 1970, None where there is no time or an impossible one."""
    if seconds == 0 or abs(seconds) >= LATEST or not 0 <= nanoseconds < 1_000_000_000:
        return None
    return seconds * 1_000_000_000 + nanoseconds


def _unsigned(seconds: int, nanoseconds: int) -> int | None:
    """Return nanoseconds since 1970, None from 2038 on.

    The Sleuth Kit takes the 32 bits of ext as unsigned and leaves out those that extend them: such a time may
    as well be one before 1970.
    """
    return _utc(seconds, nanoseconds) if seconds < 1 << 31 else None


def _local(seconds: int, nanoseconds: int) -> int | None:
    """Return nanoseconds since 1970 of a time without a zone, taken as UTC.

    The Sleuth Kit takes such times as of the zone of the machine that it runs on. That is undone: the
    same image must list the same everywhere.
    """
    try:
        return _utc(calendar.timegm(time.localtime(seconds)) if seconds else 0, nanoseconds)
    except (OverflowError, ValueError, OSError):
        return None


MOMENTS = {"fat": _local, "exfat": _local, "ext": _unsigned}
