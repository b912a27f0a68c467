"""The files that an image is made of: opened once each, found beside each other, closed together.

An image names other files: extents, parents, the disk below a snapshot. What it says is not trusted. A file
is only looked for beside the image and below its folder, and must be a regular one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable
from typing import NamedTuple

from unransom.core.errors import UnransomError, UnreadableError
from unransom.core.messages import Message, say
from unransom.core.paths import base_name
from unransom.core.streams import Reader
from unransom.evidence.containers.mapped import Missing
from unransom.evidence.descriptors import DescriptorReader, open_quietly

HEAD = 64 * 1024  # bytes that a device is told by, besides its size: it has no modification time
WATCHED = 8  # files that are looked at again whenever something is opened
MOST_DESCRIPTORS = 256  # kept open; further files are opened for every read
MOST_FILES = 20_000  # of one image: 40 TB in segments of 2 GB
MOST_NOTES = 100
DEEPEST = 64  # parents of parents
MOST_ENTRIES = 100_000  # of a folder that are looked at


class Note(NamedTuple):
    """What a person should know of an image.

    Attributes:
        name: The file that it is about.
        what, resolution: As of a ``Problem``.
    """

    name: bytes
    what: Message
    resolution: Message


class UnsupportedImageError(UnransomError):
    """The image is of a kind, or has a property, that cannot be read."""


class VisitedFile:
    """A reader that opens its file for every read: an image can have more files than a process may."""

    def __init__(self, path: bytes) -> None:
        self._path = path
        with DescriptorReader(open_quietly(path, os.O_NONBLOCK)) as reader:
            self.size = reader.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the file ends.

        Raises:
            UnreadableError: It cannot be opened or read.
        """
        try:
            with DescriptorReader(open_quietly(self._path, os.O_NONBLOCK), self.size) as reader:
                return reader.read_at(offset, length)
        except OSError as error:
            raise UnreadableError(offset, max(length, 1), str(error)) from error


class Files:
    """All files of one image.

    Attributes:
        notes: What a person should know of it.
        digests: What the image itself says the digests of its disk are, by the name of the algorithm.
    """

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.digests: dict[str, str] = {}
        self._paths: dict[bytes, Reader] = {}
        self._watched: list[DescriptorReader] = []
        self._marks: list[str] = []

    def open(self, path: bytes) -> Reader:
        """Open ``path``, once.

        Raises:
            OSError: It cannot be opened, or the image has too many files.
        """
        if path in self._paths:
            return self._paths[path]
        if len(self._paths) >= MOST_FILES:
            raise OSError("an image of too many files")
        first = DescriptorReader(open_quietly(path, os.O_NONBLOCK))
        reader: Reader = first
        if len(self._watched) < WATCHED:
            self._watched.append(first)
        else:
            self._marks.append(_mark(first))
        if len(self._paths) >= MOST_DESCRIPTORS:
            first.close()
            reader = VisitedFile(path)
        self._paths[path] = reader
        return reader

    def note(self, name: bytes, what: Message, resolution: Message) -> None:
        """Tell people something about the file ``name`` of the image, once."""
        note = Note(name, what, resolution)
        if note not in self.notes and len(self.notes) < MOST_NOTES:
            self.notes.append(note)

    def fingerprint(self) -> str:
        """Return size and modification time of every file; of many files, a digest of those.

        Of the first few it is asked anew, of the others it is what it was when they were opened.
        """
        text = " ".join([_mark(each) for each in self._watched] + self._marks)
        return hashlib.sha256(text.encode()).hexdigest() if self._marks else text

    def close(self) -> None:
        """Close every file; a second call does nothing."""
        for reader in self._paths.values():
            if isinstance(reader, DescriptorReader):
                reader.close()
        self._paths.clear()


class Opening(NamedTuple):
    """An image that is being opened.

    Attributes:
        path: Of its first file.
        reader: That file.
        files: All files, and notes for people.
        inner: Opens a disk that this one builds on, of whatever kind.
        above: Files of the images that build on this one.
    """

    path: bytes
    reader: Reader
    files: Files
    inner: Callable[[Opening], Reader]
    above: tuple[bytes, ...] = ()

    def note(self, what: Message, resolution: Message) -> None:
        """Tell people something about this image."""
        self.files.note(base_name(self.path), what, resolution)

    def beside(self, name: str) -> bytes | None:
        """Return the path of the file that the image calls ``name``, None where there is none.

        Lockers add to names: the only file beside the image whose name begins so, with a dot behind, will do.
        """
        raw = os.fsencode(name.encode("utf-8", "surrogateescape").replace(b"\0", b""))
        folder = self.path.rpartition(b"/")[0]
        plain = base_name(raw)
        if not plain or plain in {b".", b".."}:
            return None
        relative = raw.replace(b"\\", b"/")
        inside = not relative.startswith(b"/") and b".." not in relative.split(b"/")
        for each in ([relative] if inside else []) + [plain]:
            path = folder + b"/" + each
            if _is_regular(path):
                return path
        return _renamed(folder, plain)

    def open_beside(self, name: str, size: int = 0) -> Reader:
        """Open a file that belongs to the image; ``Missing``, of ``size`` bytes, where it is not there."""
        path = self.beside(name)
        if path is not None and path != self.path:
            with contextlib.suppress(OSError):
                return self.files.open(path)
        self.note(
            say("{name}, a part of the image, is not beside it", name=name),
            say("what lies in that part cannot be read; put it beside the others"),
        )
        return Missing(size, f"{name} is not there")

    def parent(
        self,
        name: str,
        size: int,
        opened: Callable[[Opening], Reader] | None = None,
        found: bytes | None = None,
    ) -> Reader:
        """Open the disk that this one builds on; ``Missing``, of ``size`` bytes, where it is not there.

        Args:
            name: What the image calls it.
            size: Bytes of this disk.
            opened: Opens it where its kind is known; else its content tells.
            found: Its path where it is known by more than its name; it may lie elsewhere then.
        """
        path = found or self.beside(name)
        above = (*self.above, self.path)
        if path is not None and path not in above and len(above) < DEEPEST:
            with contextlib.suppress(OSError):
                lower = Opening(path, self.files.open(path), self.files, self.inner, above)
                return (opened or self.inner)(lower)
        self.note(
            say("{name}, which the image builds on, is not beside it", name=name),
            say("what it alone has cannot be read; put it beside the image"),
        )
        return Missing(size, f"{name} is not there")


def invalid(what: str) -> OSError:
    """Return the error that says that an image makes no sense."""
    return OSError(f"damaged image: {what}")


def unsupported(what: Message, hint: Message) -> UnsupportedImageError:
    """Return the error that says that an image is sound, and of a kind that cannot be read."""
    return UnsupportedImageError(what, hint=hint)


def _is_regular(path: bytes) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 bytes
    except (OSError, ValueError):
        return False


def _renamed(folder: bytes, name: bytes) -> bytes | None:
    found = []
    with contextlib.suppress(OSError), os.scandir(folder or b"/") as entries:
        for _, entry in zip(range(MOST_ENTRIES), entries, strict=False):
            if entry.name.startswith(name + b".") and _is_regular(entry.path):
                found.append(entry.path)
    return found[0] if len(found) == 1 else None


def _mark(reader: DescriptorReader) -> str:
    found = reader.stat()
    if stat.S_ISREG(found.st_mode):
        return f"{found.st_size}@{found.st_mtime_ns}"
    with contextlib.suppress(UnreadableError):
        return f"{reader.size}#{hashlib.sha256(reader.read_at(0, HEAD)).hexdigest()[:16]}"
    return f"{reader.size}#unreadable"
