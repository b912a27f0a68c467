"""A folder as a source: its files, walked without ever following a symbolic link."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator

from unransom.core.records import FileRef, Kind, Problem, Source
from unransom.core.text import shown
from unransom.evidence.descriptors import DescriptorReader, changed, checked_reader, open_quietly
from unransom.evidence.locations import path_of
from unransom.evidence.problems import unlisted
from unransom.evidence.store import Store
from unransom.evidence.wrap.retry import retrying

FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW
FILE = os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe that took the place of a file must not block
GONE = frozenset({errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ENXIO})


class FolderStore:
    """The files below a folder.

    Every path is opened part by part from the folder's own descriptor, so that a part which has become
    a symbolic link since the listing cannot lead out of the folder.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._root = open_quietly(path_of(source), os.O_DIRECTORY)

    def fingerprint(self) -> str:
        """Return "": every file is checked when it is opened."""
        return ""

    def files(self) -> Iterator[FileRef | Problem]:
        """Yield every entry that is not a folder: a folder's own first, by name, then its subfolders'."""
        pending = [b""]
        while pending:
            folder = pending.pop()
            try:
                descriptor = self._open(folder, FOLDER)
            except OSError as error:
                yield unlisted(self.source.id, folder, error)
                continue
            subfolders: list[bytes] = []
            try:
                yield from self._entries(descriptor, folder, subfolders)
            finally:
                os.close(descriptor)
            pending.extend(reversed(subfolders))

    def open(self, ref: FileRef) -> DescriptorReader:
        """Open the content of ``ref``; see ``Store.open``."""
        if ref.kind is not Kind.FILE:
            raise OSError(errno.EINVAL, "not a regular file", shown(ref.path))
        try:
            descriptor = self._open(ref.path, FILE)
        except OSError as error:
            if error.errno in GONE:
                raise changed(ref, str(error)) from error
            raise
        return checked_reader(descriptor, ref)

    def close(self) -> None:
        """Release the folder; a second call does nothing."""
        if self._root >= 0:
            os.close(self._root)
            self._root = -1

    def _open(self, path: bytes, flags: int) -> int:
        """Return a descriptor of ``path`` below the root; no part of it may be a symbolic link."""
        *folders, last = path.split(b"/") if path else [b"."]
        if path and any(part in {b"", b".", b".."} for part in (*folders, last)):
            raise OSError(errno.EINVAL, "not a path below the folder", shown(path))
        at = self._root
        try:
            for part in folders:
                below = open_quietly(part, FOLDER, at)
                if at != self._root:
                    os.close(at)
                at = below
            return open_quietly(last, flags, at)
        finally:
            if at != self._root:
                os.close(at)

    def _entries(
        self, descriptor: int, folder: bytes, subfolders: list[bytes]
    ) -> Iterator[FileRef | Problem]:
        """Yield what is directly in the folder, and append its subfolders to ``subfolders``."""
        names: list[bytes] = []
        try:
            with os.scandir(descriptor) as entries:
                names.extend(os.fsencode(entry.name) for entry in entries)
        except OSError as error:
            yield unlisted(self.source.id, folder, error)
        for name in sorted(names):
            path = folder + b"/" + name if folder else name
            try:
                found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except OSError as error:
                yield unlisted(self.source.id, path, error)
                continue
            if stat.S_ISDIR(found.st_mode):
                subfolders.append(path)
            else:
                yield self._ref(path, found)

    def _ref(self, path: bytes, found: os.stat_result) -> FileRef:
        regular = stat.S_ISREG(found.st_mode)
        kind = Kind.FILE if regular else Kind.SYMLINK if stat.S_ISLNK(found.st_mode) else Kind.SPECIAL
        return FileRef(
            source=self.source.id,
            path=path,
            size=found.st_size if regular else 0,
            kind=kind,
            modified=found.st_mtime_ns,
            changed=found.st_ctime_ns,
        )


def open_store(source: Source) -> Store:
    """Open the folder at ``source.location``.

    Raises:
        OSError: It is not there or cannot be read.
    """
    return retrying(FolderStore(source))
