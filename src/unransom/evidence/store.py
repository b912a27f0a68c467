"""What every source of evidence offers: a list of its files, and their contents, read-only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from unransom.core.records import FileRef, Problem, Source
from unransom.core.streams import Reader


class Store(Protocol):
    """A source of evidence, opened.

    A store is cheap to make and safe to use from one thread; a worker makes its own from the
    ``Source`` record. Opening never changes the evidence, not even access times where that can be
    helped (``O_NOATIME``).
    """

    source: Source

    def fingerprint(self) -> str:
        """Return what must stay the same between two runs; "" where only single files are checked."""
        ...

    def files(self) -> Iterator[FileRef | Problem]:
        """Yield every entry that is not a folder, in a stable order, without reading contents.

        What cannot be listed is yielded as a ``Problem`` and the listing goes on.
        """
        ...

    def open(self, ref: FileRef) -> AbstractContextManager[Reader]:
        """Open the content of ``ref``.

        Raises:
            EvidenceChangedError: The file is not what it was when it was listed.
            OSError: It cannot be opened.
        """
        ...

    def close(self) -> None:
        """Release what the store holds."""
        ...
