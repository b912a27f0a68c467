"""Lists a bucket for a logical image: every version and mark of deletion, with metadata."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.acquire.logical.entries import Entry, Unlisted
from unransom.core.errors import EvidenceChangedError, UnreadableError
from unransom.core.records import FileRef
from unransom.evidence.stores.bucket import BucketStore, Locator
from unransom.evidence.wrap.cache import CachedReader
from unransom.evidence.wrap.retry import NETWORK, RetryReader

SMALL = 1 << 20  # bytes of an object that is read at once


def walk(store: BucketStore) -> Iterator[Entry | Unlisted]:
    """Yield every version of every object, then, for each key that is deleted, the mark that says so."""
    marked: set[bytes] = set()
    for each in store.files():
        if not isinstance(each, FileRef):
            yield Unlisted(each.item.encode(), str(each.what))
            continue
        yield _entry(store, each)
        if each.deleted and each.path not in marked:
            marked.add(each.path)
            yield Entry(path=each.path, kind="D", modified=each.changed, deleted=True)


def _entry(store: BucketStore, ref: FileRef) -> Entry:
    is_current = Locator.parse(ref.locator).rank == "current" and not ref.deleted
    return Entry(
        path=ref.path,
        kind="0",
        size=ref.size,
        modified=ref.modified,
        changed=ref.changed,
        version="" if is_current else ref.version,
        etag=Locator.parse(ref.locator).etag,
        deleted=ref.deleted,
        metadata=lambda: store.metadata(ref) | ({"VersionId": ref.version} if ref.version else {}),
        open=lambda: _Opened(store, ref),
        whole=(lambda: _whole(store, ref)) if ref.size <= SMALL else None,
    )


def _whole(store: BucketStore, ref: FileRef) -> bytes | None:
    try:
        with _Opened(store, ref) as reader:
            return reader.read_at(0, ref.size)
    except (OSError, UnreadableError, EvidenceChangedError):
        return None


class _Opened:
    """The content of a version, read with patience."""

    def __init__(self, store: BucketStore, ref: FileRef) -> None:
        self._opened = store.open(ref)

    def __enter__(self) -> CachedReader:
        return CachedReader(RetryReader(self._opened.__enter__(), NETWORK))

    def __exit__(self, *_: object) -> None:
        self._opened.__exit__(None, None, None)
