"""A folder as a target: a share, a disk, a mounted store."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from unransom.core.errors import UsageError
from unransom.core.hashing import digest
from unransom.core.messages import say
from unransom.core.outputs import FileReader
from unransom.core.streams import chunks
from unransom.core.text import shown
from unransom.restore.moving.place import (
    NOTHING,
    OTHER,
    SAME,
    Found,
    FullError,
    KeptError,
    MoveError,
    Room,
    Throttle,
)
from unransom.restore.moving.plan import Entry

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
MARK = ".unransom-"  # how names of drafts and of what is kept aside begin


class FolderPlace:
    """Files below a folder. No part of a path below it may be a symbolic link.

    What is in the way is kept under a name of its own in the same folder, by a second link: at every
    moment there is either the old file or the whole new one under the real name.
    """

    def __init__(self, location: str, plan: str, throttle: Throttle) -> None:
        """Open the folder.

        Raises:
            UsageError: There is none. It is not made: a share that is not mounted looks like that.
        """
        self.location = location
        self._root = os.fsencode(location)
        self._plan = plan[:12]
        self._throttle = throttle
        self._touched: set[bytes] = set()
        self._lock = threading.Lock()
        if not os.path.isdir(self._root):  # noqa: PTH112 bytes
            raise UsageError(
                say("there is no folder {folder} to move files to", folder=location),
                hint=say("make it, or mount what should be there"),
            )

    def room(self) -> Room:
        """Return what is free for this user."""
        free = os.statvfs(self._root)
        return Room(free.f_bavail * free.f_frsize, free.f_favail if free.f_files else None)

    def survey(self, entries: Sequence[Entry]) -> None:
        """Do nothing: one by one is as quick."""

    def look(self, entry: Entry, source: Path) -> Found:
        """Return what is there; see ``Place.look``."""
        folders = self._missing(entry.target)
        final = self._path(entry.target)
        try:
            found = os.lstat(final)
        except FileNotFoundError:
            return Found(NOTHING, folders=tuple(folders))
        if stat.S_ISDIR(found.st_mode):
            raise MoveError(say("a folder is where the file should go"))
        is_same = stat.S_ISREG(found.st_mode) and found.st_size == entry.size and self._is_ours(final, entry)
        return Found(SAME if is_same else OTHER, f"{found.st_ino}:{found.st_size}:{found.st_mtime_ns}")

    def put(self, number: int, entry: Entry, source: Path, before: Found) -> str:
        """Write, flush, read back, and only then give it its name; see ``Place.put``."""
        final = self._path(entry.target)
        folder = os.path.dirname(final)  # noqa: PTH120 bytes
        draft, aside = self._named(final, number, b"new"), self._named(final, number, b"old")
        try:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103 bytes
            if os.path.lexists(aside) and self._is_ours(final, entry):
                return entry.sha256  # a run was killed behind this
            self._missing(entry.target)
            self._write(draft, entry, source, self._like(final, folder))
            if before.kind == OTHER:
                self._replace(draft, final, aside, before)
            else:
                self._place(draft, final, entry)
        except OSError as error:
            if error.errno in FULL:
                raise FullError(str(error)) from error
            raise MoveError(say("it cannot be written: {error}", error=str(error.strerror))) from error
        finally:
            with contextlib.suppress(OSError):
                os.unlink(draft)  # noqa: PTH108 bytes
        with self._lock:
            self._touched.add(folder)
        return entry.sha256

    def back(self, number: int, entry: Entry, before: Found, mark: str) -> None:
        """Give what was there its name again; see ``Place.back``."""
        final = self._path(entry.target)
        aside = self._named(final, number, b"old")
        with contextlib.suppress(OSError):
            os.unlink(self._named(final, number, b"new"))  # noqa: PTH108 bytes
        there = os.path.lexists(final)
        if before.kind == OTHER and not os.path.lexists(aside):
            return  # it never left, or is back already
        if there and not self._is_ours(final, entry) and not _is_one(final, aside):
            raise KeptError(say("somebody has changed it since it was moved"))
        try:
            if before.kind == OTHER:
                self._restore(aside, final)
            elif there:
                os.unlink(final)  # noqa: PTH108 bytes
        except OSError as error:
            raise MoveError(say("it cannot be taken back: {error}", error=str(error.strerror))) from error
        with self._lock:
            self._touched.add(os.path.dirname(final))  # noqa: PTH120 bytes

    def forget(self, number: int, entry: Entry, before: Found) -> None:
        """Do nothing: what was aside has its name again."""

    def digest(self, entry: Entry, source: Path) -> str | None:
        """Return the SHA-256 of what is there; see ``Place.digest``."""
        self._missing(entry.target)
        try:
            with FileReader(self._path(entry.target)) as reader:
                self._throttle(reader.size)
                return digest(reader).sha256
        except FileNotFoundError:
            return None
        except OSError as error:
            raise MoveError(say("it cannot be read: {error}", error=str(error.strerror))) from error

    def settle(self) -> None:
        """Flush the folders in which names have changed."""
        with self._lock:
            touched, self._touched = self._touched, set()
        for folder in touched:
            with contextlib.suppress(OSError):
                descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)

    def remove_folders(self, folders: Iterable[bytes]) -> None:
        """Remove folders that are empty; see ``Place.remove_folders``."""
        for folder in sorted(folders, key=lambda each: each.count(b"/"), reverse=True):
            with contextlib.suppress(OSError):
                os.rmdir(self._path(folder))  # noqa: PTH106 bytes

    def close(self) -> None:
        """Flush what is left."""
        self.settle()

    def _path(self, path: bytes) -> bytes:
        return os.path.join(self._root, path)  # noqa: PTH118 bytes

    def _named(self, final: bytes, number: int, what: bytes) -> bytes:
        name = f"{MARK}{self._plan}-{number}.".encode() + what
        return os.path.join(os.path.dirname(final), name)  # noqa: PTH118, PTH120 bytes

    def _missing(self, path: bytes) -> list[bytes]:
        """Return the folders above ``path`` that are not there.

        Raises:
            MoveError: One of them is a symbolic link, which could lead anywhere, or a file.
        """
        missing: list[bytes] = []
        parts = path.split(b"/")[:-1]
        for count in range(1, len(parts) + 1):
            folder = b"/".join(parts[:count])
            try:
                found = os.lstat(self._path(folder))
            except FileNotFoundError:
                missing.append(folder)
                continue
            if not stat.S_ISDIR(found.st_mode):
                raise MoveError(say("{part} is a file or a link, not a folder", part=shown(folder)))
        return missing

    def _is_ours(self, path: bytes, entry: Entry) -> bool:
        try:
            if os.lstat(path).st_size != entry.size or os.path.islink(path):  # noqa: PTH114 bytes
                return False
            with FileReader(path) as reader:
                return digest(reader).sha256 == entry.sha256
        except FileNotFoundError:
            return False
        except OSError as error:
            raise MoveError(say("it cannot be read: {error}", error=str(error.strerror))) from error

    def _like(self, final: bytes, folder: bytes) -> os.stat_result:
        """Return what the owner is taken from: the file that is replaced, else the folder."""
        try:
            found = os.lstat(final)
        except FileNotFoundError:
            return os.stat(folder)  # noqa: PTH116 bytes
        return found if stat.S_ISREG(found.st_mode) else os.stat(folder)  # noqa: PTH116 bytes

    def _write(self, draft: bytes, entry: Entry, source: Path, like: os.stat_result) -> None:
        """Write the draft and read it back from the disk."""
        mode = stat.S_IMODE(like.st_mode) if stat.S_ISREG(like.st_mode) else 0o644
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with FileReader(source) as reader:
                for piece in chunks(reader):
                    self._throttle(len(piece))
                    view = memoryview(piece)
                    while view:
                        view = view[os.write(descriptor, view) :]
            os.fchmod(descriptor, mode)
            with contextlib.suppress(PermissionError):
                os.fchown(descriptor, like.st_uid, like.st_gid)
            if entry.modified is not None:
                os.utime(descriptor, ns=(entry.modified, entry.modified))
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)  # read back from the disk
        finally:
            os.close(descriptor)
        with FileReader(draft) as written:
            if digest(written).sha256 != entry.sha256:
                raise MoveError(say("what was read back is not what the plan says: its source has changed"))

    def _place(self, draft: bytes, final: bytes, entry: Entry) -> None:
        """Give the draft its name where nothing has it."""
        try:
            os.link(draft, final)
        except FileExistsError as error:
            if not self._is_ours(final, entry):
                raise MoveError(say("somebody has put another file there meanwhile")) from error
        except OSError as error:
            if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}:
                raise
            os.rename(draft, final)  # noqa: PTH104 a file system without hard links

    def _replace(self, draft: bytes, final: bytes, aside: bytes, before: Found) -> None:
        """Keep what is there under another name, and give the draft its name."""
        if not os.path.lexists(aside):
            found = os.lstat(final)
            if f"{found.st_ino}:{found.st_size}:{found.st_mtime_ns}" != before.mark:
                raise MoveError(say("somebody has put another file there meanwhile"))
            try:
                os.link(final, aside, follow_symlinks=False)
            except OSError:
                os.rename(final, aside)  # noqa: PTH104 a file system without hard links
        elif os.path.lexists(final) and not _is_one(final, aside):
            raise MoveError(say("somebody has put another file there meanwhile"))
        os.rename(draft, final)  # noqa: PTH104 bytes

    def _restore(self, aside: bytes, final: bytes) -> None:
        if _is_one(final, aside):
            os.unlink(aside)  # noqa: PTH108 renaming a link to its own file would leave both
        else:
            os.rename(aside, final)  # noqa: PTH104 bytes


def _is_one(one: bytes, other: bytes) -> bool:
    """Return whether two names are links to the same file."""
    try:
        left, right = os.lstat(one), os.lstat(other)
    except FileNotFoundError:
        return False
    return (left.st_dev, left.st_ino) == (right.st_dev, right.st_ino)
