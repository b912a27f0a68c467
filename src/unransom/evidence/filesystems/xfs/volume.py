"""The files of a volume with XFS."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator
from typing import NamedTuple

from unransom.core.errors import UnreadableError
from unransom.core.messages import say
from unransom.core.records import FileRef, Kind, Problem
from unransom.core.streams import Reader
from unransom.evidence.containers.mapped import Part
from unransom.evidence.filesystems.tsk import Locator
from unransom.evidence.filesystems.xfs.folders import Entry, entries
from unransom.evidence.filesystems.xfs.inodes import HEAD, Inode, Inodes, superblock
from unransom.evidence.problems import problem

LARGEST = 1 << 60  # bytes; a size above this is damage
MOST_FILES = 1 << 28


class Folder(NamedTuple):
    """A folder that is still to be listed; ``path`` is what comes before the names in it."""

    inode: int
    path: bytes


class XfsVolume:
    """A volume with XFS."""

    def __init__(self, image: Reader, start: int, size: int) -> None:
        """Open the ``size`` bytes of ``image`` from ``start``.

        Raises:
            OSError: They have no superblock.
            UnreadableError: It cannot be read.
        """
        layout = superblock(image.read_at(start, HEAD))
        if layout is None:
            raise OSError(errno.EINVAL, "no superblock of XFS")
        self._start = start
        self._inodes = Inodes(Part(image, start, max(size, layout.blocks * layout.block)), layout)

    def files(self, source: str, prefix: bytes) -> Iterator[FileRef | Problem]:
        """Yield every file: a folder's own first, then its subfolders'.

        Args:
            source: ``Source.id`` for the records.
            prefix: What comes before every path.
        """
        pending = [Folder(self._inodes.layout.root, prefix)]
        seen: set[int] = set()
        while pending:
            folder = pending.pop()
            if folder.inode in seen or len(seen) > MOST_FILES:  # a damaged file system can have loops
                continue
            seen.add(folder.inode)
            subfolders: list[Folder] = []
            yield from self._list(folder, source, subfolders)
            pending.extend(reversed(subfolders))

    def open(self, where: Locator, size: int) -> Reader:
        """Open the content at ``where``, of ``size`` bytes.

        Raises:
            OSError: There is none of that size.
        """
        try:
            inode = self._inodes.load(where.record)
            if not stat.S_ISREG(inode.mode) or inode.size != size:
                raise FileNotFoundError(errno.ENOENT, "no content of that size", str(where))
            return self._inodes.content(inode)
        except UnreadableError as error:
            raise OSError(str(error)) from error

    def _list(self, folder: Folder, source: str, subfolders: list[Folder]) -> Iterator[FileRef | Problem]:
        try:
            inode = self._inodes.load(folder.inode)
            for entry in entries(inode, self._inodes.content(inode), self._inodes.layout):
                record = self._record(entry, folder, source, subfolders)
                if record:
                    yield record
        except UnreadableError:
            yield problem(
                source,
                folder.path,
                say("a part of the folder cannot be read"),
                say("what is named in the other part is listed"),
            )

    def _record(
        self, entry: Entry, folder: Folder, source: str, subfolders: list[Folder]
    ) -> FileRef | Problem | None:
        """Return what is to be said of an entry; a folder is appended to ``subfolders``."""
        path = folder.path + entry.name.replace(b"/", b"_").replace(b"\0", b"_")
        try:
            inode = self._inodes.load(entry.inode)
        except UnreadableError:
            inode = None
        if inode is None or not 0 <= inode.size <= LARGEST or not inode.mode:
            return problem(
                source,
                path,
                say("its record in the file system is damaged"),
                say("its content was not read; it may still be found by carving"),
            )
        if stat.S_ISDIR(inode.mode):
            subfolders.append(Folder(entry.inode, path + b"/"))
            return None
        return self._ref(inode, path, source)

    def _ref(self, inode: Inode, path: bytes, source: str) -> FileRef:
        kind = Kind.SPECIAL
        if stat.S_ISREG(inode.mode):
            kind = Kind.FILE
        elif stat.S_ISLNK(inode.mode):
            kind = Kind.SYMLINK
        return FileRef(
            source=source,
            path=path,
            size=inode.size if kind is Kind.FILE else 0,
            kind=kind,
            locator=str(Locator(self._start, inode.number)) if kind is Kind.FILE else "",
            modified=inode.modified,
            changed=inode.changed,
            created=inode.created,
        )
