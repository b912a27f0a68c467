"""The files of a volume whose folders name inodes: the walk that XFS and ext have in common."""

from __future__ import annotations

import contextlib
import errno
import stat
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from unransom.core.errors import UnreadableError
from unransom.core.messages import say
from unransom.core.records import FileRef, Kind, Problem
from unransom.core.streams import Reader
from unransom.evidence.filesystems.listing import GONE
from unransom.evidence.filesystems.ntfs.folders import ORPHANS
from unransom.evidence.filesystems.tsk import Locator
from unransom.evidence.problems import problem

LARGEST = 1 << 60  # bytes; a size above this is damage
MOST_FILES = 1 << 28


class Inode(Protocol):
    """What both file systems say of a file; times are nanoseconds since 1970 UTC."""

    @property
    def number(self) -> int:
        """As folders name it."""

    @property
    def mode(self) -> int:
        """Kind and rights, as ``st_mode``."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def modified(self) -> int | None:
        """When the content was changed."""

    @property
    def changed(self) -> int | None:
        """When the inode was changed."""

    @property
    def created(self) -> int | None:
        """When the file was made."""


class Name(NamedTuple):
    """A name in a folder, and the inode that it stands for; ``deleted`` where it stands in a gap only."""

    name: bytes
    inode: int
    deleted: bool = False


class Folder(NamedTuple):
    """A folder that is still to be listed; ``path`` is what comes before the names in it."""

    inode: int
    path: bytes


class UnixVolume(ABC):
    """A volume whose folders name inodes."""

    def __init__(self, start: int, root: int) -> None:
        """Walk through the volume that begins at byte ``start`` of the image, from the folder ``root`` on."""
        self._start = start
        self._root = root

    @abstractmethod
    def _load(self, number: int) -> Inode:
        """Return an inode.

        Raises:
            UnreadableError: It cannot be read, or makes no sense.
        """

    @abstractmethod
    def _names(self, folder: int) -> Iterator[Name]:
        """Yield the names in a folder, but its own and its parent's.

        Raises:
            UnreadableError: A part of it cannot be read.
        """

    @abstractmethod
    def _content(self, number: int) -> Reader:
        """Return a reader over the content of a file.

        Raises:
            UnreadableError: Where it lies cannot be found out.
        """

    @abstractmethod
    def _is_used(self, inode: Inode) -> bool:
        """Return whether the inode is of a file or folder that is there."""

    @abstractmethod
    def _is_kept(self, inode: Inode) -> bool:
        """Return whether the inode of a deleted file still says what it was."""

    @abstractmethod
    def _numbers(self) -> Iterator[int]:
        """Yield the numbers that the inodes of files and folders may have, but the file system's own."""

    @abstractmethod
    def _is_folder(self, number: int) -> bool:
        """Return whether the content of an inode begins as a folder's does.

        Raises:
            UnreadableError: It cannot be read.
        """

    def has_root(self) -> bool:
        """Return whether the folder is there that everything is in."""
        try:
            return self._is_folder(self._root)
        except UnreadableError:
            return False

    def files(self, source: str, prefix: bytes) -> Iterator[FileRef | Problem]:
        """Yield every file: a folder's own first, then its subfolders'.

        Where the root folder is lost, what was in it stands in one of another name, by its inodes' numbers.

        Args:
            source: ``Source.id`` for the records.
            prefix: What comes before every path.
        """
        if self.has_root():
            yield from self._walk([Folder(self._root, prefix)], source)
            return
        yield problem(
            source,
            prefix,
            say("the root folder is lost"),
            say("what was in it is listed without its names"),
            fatal=False,
        )
        yield from self._without_root(source, prefix + ORPHANS)

    def _without_root(self, source: str, prefix: bytes) -> Iterator[FileRef | Problem]:
        """Yield the files by the folders that no other names, and then those that none does."""
        named: set[int] = set()
        for number in self._in_use(stat.S_ISDIR):
            with contextlib.suppress(UnreadableError):
                named.update(name.inode for name in self._names(number) if not name.deleted)
        tops = [number for number in self._in_use(stat.S_ISDIR) if number not in named]
        yield from self._walk([Folder(number, b"%s%d/" % (prefix, number)) for number in tops], source)
        for number in self._in_use(stat.S_ISREG):
            inode = self._load(number)
            if number not in named and 0 < inode.size <= LARGEST:
                yield self._ref(inode, b"%s%d" % (prefix, number), source)

    def _in_use(self, kind: Callable[[int], bool]) -> Iterator[int]:
        """Yield the numbers of the inodes of a kind that are in use."""
        for number in self._numbers():
            with contextlib.suppress(UnreadableError):
                inode = self._load(number)
                if (
                    kind(inode.mode)
                    and self._is_used(inode)
                    and (kind is stat.S_ISREG or self._is_folder(number))
                ):
                    yield number

    def _walk(self, pending: list[Folder], source: str) -> Iterator[FileRef | Problem]:
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
            inode = self._load(where.record)
            if not stat.S_ISREG(inode.mode) or inode.size != size:
                raise FileNotFoundError(errno.ENOENT, "no content of that size", str(where))
            return self._content(where.record)
        except UnreadableError as error:
            raise OSError(str(error)) from error

    def _list(self, folder: Folder, source: str, subfolders: list[Folder]) -> Iterator[FileRef | Problem]:
        try:
            for name in self._names(folder.inode):
                if name.deleted:
                    yield self._deleted(name, folder, source)
                    continue
                record = self._record(name, folder, source, subfolders)
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
        self, name: Name, folder: Folder, source: str, subfolders: list[Folder]
    ) -> FileRef | Problem | None:
        """Return what is to be said of a name; a folder is appended to ``subfolders``."""
        path = _path(folder, name)
        try:
            inode = self._load(name.inode)
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
            subfolders.append(Folder(name.inode, path + b"/"))
            return None
        return self._ref(inode, path, source)

    def _deleted(self, name: Name, folder: Folder, source: str) -> FileRef:
        path = _path(folder, name)
        try:
            inode = self._load(name.inode)
        except UnreadableError:
            inode = None
        if inode is not None and 0 < inode.size <= LARGEST and self._is_kept(inode):
            return self._ref(inode, path, source, deleted=True)
        return FileRef(source=source, path=path, size=0, deleted=True, locator=GONE)

    def _ref(self, inode: Inode, path: bytes, source: str, *, deleted: bool = False) -> FileRef:
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
            deleted=deleted,
            locator=str(Locator(self._start, inode.number)) if kind is Kind.FILE else "",
            modified=inode.modified,
            changed=inode.changed,
            created=inode.created,
        )


def _path(folder: Folder, name: Name) -> bytes:
    return folder.path + name.name.replace(b"/", b"_").replace(b"\0", b"_")
