"""One file as a source."""

from __future__ import annotations

import os
from collections.abc import Iterator

from unransom.core.records import FileRef, Problem, Source
from unransom.evidence.descriptors import DescriptorReader, changed, checked_reader, open_quietly
from unransom.evidence.locations import path_of
from unransom.evidence.problems import unlisted
from unransom.evidence.store import Store
from unransom.evidence.wrap.retry import retrying


class FileStore:
    """A single regular file."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._path = path_of(source)

    def fingerprint(self) -> str:
        """Return size and modification time of the file."""
        found = os.stat(self._path)  # noqa: PTH116 bytes
        return f"{found.st_size} bytes, modified {found.st_mtime_ns}"

    def files(self) -> Iterator[FileRef | Problem]:
        """Yield the file."""
        name = self._path.rpartition(b"/")[2]
        try:
            found = os.stat(self._path)  # noqa: PTH116 bytes
        except OSError as error:
            yield unlisted(self.source.id, name, error)
            return
        yield FileRef(
            source=self.source.id,
            path=name,
            size=found.st_size,
            modified=found.st_mtime_ns,
            changed=found.st_ctime_ns,
        )

    def open(self, ref: FileRef) -> DescriptorReader:
        """Open the content of ``ref``; see ``Store.open``."""
        try:
            descriptor = open_quietly(self._path, os.O_NONBLOCK)
        except FileNotFoundError as error:
            raise changed(ref, str(error)) from error
        return checked_reader(descriptor, ref)

    def close(self) -> None:
        """Release nothing: a file is opened when it is read."""


def open_store(source: Source) -> Store:
    """Open the file at ``source.location``."""
    return retrying(FileStore(source))
