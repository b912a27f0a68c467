"""A store whose readers are wrapped."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from unransom.core.records import FileRef, Problem
from unransom.core.streams import Reader
from unransom.evidence.store import Store


class WrappedStore:
    """Another store, with ``wrap`` around every reader that it opens."""

    def __init__(self, store: Store, wrap: Callable[[Reader, FileRef], Reader]) -> None:
        self._store = store
        self._wrap = wrap
        self.source = store.source

    def fingerprint(self) -> str:
        """Return the fingerprint of the store inside."""
        return self._store.fingerprint()

    def files(self) -> Iterator[FileRef | Problem]:
        """Yield what the store inside yields."""
        return self._store.files()

    @contextlib.contextmanager
    def open(self, ref: FileRef) -> Iterator[Reader]:
        """Open the content of ``ref``; see ``Store.open``."""
        with self._store.open(ref) as reader:
            yield self._wrap(reader, ref)

    def close(self) -> None:
        """Close the store inside."""
        self._store.close()
