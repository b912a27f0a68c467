"""The Sleuth Kit (pytsk3): the image that it reads from, and readers over the files that it finds.

The Sleuth Kit calls back into Python to read the image while it holds locks of its own. If another
thread called it meanwhile, that thread would wait for those locks with the interpreter's lock in its
hand, for ever. So everything that is asked of it is asked under ``TskImage.lock``.

Its objects hold no reference to those that they came from: an ``info`` or an attribute must not outlive
the file that it belongs to. What is kept of them is copied out.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytsk3

from unransom.core.errors import UnreadableError
from unransom.core.spans import Span
from unransom.core.streams import Reader

TSK_ERRORS = (OSError, RuntimeError)  # what pytsk3 raises, the latter for an error in our callback
MOST_AT_ONCE = 16 << 20  # bytes that are asked of The Sleuth Kit in one call


class TskImage(pytsk3.Img_Info):  # type: ignore[misc]  # pytsk3 has no types
    """The image as The Sleuth Kit sees it.

    Attributes:
        reader: Where its bytes come from.
        lock: To be held for every call into pytsk3 on anything that was opened on this image.
        failures: Reads of the image that have failed so far; some calls hide that they are incomplete.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.lock = threading.RLock()
        self.failures = 0
        super().__init__(url="", type=pytsk3.TSK_IMG_TYPE_EXTERNAL)

    def get_size(self) -> int:
        """Return bytes in all; called by The Sleuth Kit."""
        return self.reader.size

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes of the image; called by The Sleuth Kit.

        It reads ahead, so that a sector which cannot be read may lie behind what it needs: it is given
        what is before that sector, and fails by itself where it needs more.
        """
        try:
            return self.reader.read_at(offset, length)
        except UnreadableError as error:
            self.failures += 1
            if error.offset <= offset:
                raise OSError(str(error)) from error
            return self.reader.read_at(offset, error.offset - offset)

    def close(self) -> None:
        """Do nothing: the reader belongs to someone else; called by The Sleuth Kit."""


class TskReader:
    """A reader over one attribute of a file: its content, or an alternate data stream."""

    def __init__(self, image: TskImage, file: Any, attribute: tuple[int, int], size: int) -> None:
        """Read ``size`` bytes of the attribute (type, id) of ``file``, a ``pytsk3.File``."""
        self._image = image
        self._file = file
        self._attribute = attribute
        self.size = size
        self._unknown = _unknown_runs(file, attribute)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the file ends.

        Raises:
            UnreadableError: The image ends before these bytes, or cannot be read there, or the list of
                the file's runs is damaged. It names all of what was asked for: see ``RetryReader``.
        """
        length = min(length, self.size - offset)
        if length <= 0 or offset < 0:
            return b""
        for span in self._unknown:
            if span.start < offset + length and offset < span.end:
                raise UnreadableError(offset, length, "where this part lies is not known")
        data = b""
        while len(data) < length:
            piece = self._read(offset + len(data), min(MOST_AT_ONCE, length - len(data)))
            if not piece:
                raise UnreadableError(offset, length, "the file system ends before the file does")
            data = data + piece if data else piece
        return data

    def _read(self, offset: int, length: int) -> bytes:
        try:
            with self._image.lock:
                return bytes(self._file.read_random(offset, length, *self._attribute))
        except TSK_ERRORS as error:
            raise UnreadableError(offset, length, str(error)) from error


def attributes(file: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each attribute of a ``pytsk3.File`` with its ``info``; stops where they make no sense."""
    with contextlib.suppress(*TSK_ERRORS):
        for attribute in file:
            yield attribute, attribute.info


def _unknown_runs(file: Any, wanted: tuple[int, int]) -> list[Span]:
    """Return the parts of an NTFS attribute whose place on disk is not known.

    They are there where a record that lists further runs is lost, and would be read as zeros. In the
    extents of ext4 the same mark is an ordinary hole.
    """
    if wanted[0] != int(pytsk3.TSK_FS_ATTR_TYPE_NTFS_DATA):
        return []
    cluster = int(file.info.fs_info.block_size)
    for attribute, info in attributes(file):
        if (int(info.type), int(info.id)) == wanted:
            return [
                Span(int(run.offset) * cluster, (int(run.offset) + int(run.len)) * cluster)
                for run in attribute
                if int(run.flags) & int(pytsk3.TSK_FS_ATTR_RUN_FLAG_FILLER)
            ]
    return []
