"""The files of a volume as it was when its shadow copies were made: what came to be otherwise since.

A shadow copy has every file of the volume. Only those are listed that the next newer state has not, or not
as they were then: by record, size and times, and by the bytes of what was overwritten, because a locker can
set times back.
"""

from __future__ import annotations

import contextlib
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import numpy as np

from unransom.core.clock import rfc3339
from unransom.core.errors import UnreadableError
from unransom.core.records import FileRef, Problem
from unransom.core.spans import Span
from unransom.core.streams import Reader, Window
from unransom.evidence.arrays.levels import Behind
from unransom.evidence.filesystems.listing import Entry, Folder, Listing
from unransom.evidence.filesystems.tsk import NTFS_DATA, FileSystem, Locator
from unransom.evidence.shadows.catalog import BLOCK
from unransom.evidence.shadows.snapshot import Hints, Snapshot, snapshots
from unransom.evidence.shadows.stray import StoreFile
from unransom.evidence.sleuthkit import TSK_ERRORS, attributes
from unransom.evidence.volumes.partitions import Volume

AT = 1 << 60  # where the first shadow copy begins in the places that volumes have; behind every array
APART = 1 << 48  # bytes between the places of two
MOST = 4096  # of one disk
CATALOG_FOLDER, CATALOG_NAME = "/System Volume Information", "{3808876b-c176-4e48-b7ae-04046e6cc752}"
MASK = (1 << 64) - 1
MOST_COMPARED = 1024  # blocks of one file that are compared
# What Windows keeps for itself, and changes all the time: shadow copies, and memory that was paged out.
OWN = re.compile(rb"System Volume Information/|(pagefile|hiberfil|swapfile)\.sys$", re.IGNORECASE)


class Earlier(NamedTuple):
    """A volume as it was.

    Attributes:
        volume: It, at a place of its own.
        snapshot: Its bytes.
        newer: The bytes of the next newer state.
        version: What its files are marked with.
    """

    volume: Volume
    snapshot: Snapshot
    newer: Reader
    version: str


class State:
    """Which files a volume has at a time: marks of 64 bits, because there can be many millions."""

    def __init__(self) -> None:
        self._marks = array("Q")

    def add(self, ref: FileRef) -> None:
        """Keep that there is a file; to be called before `close`."""
        self._marks.extend((_name(ref), _mark(ref)))

    def close(self) -> None:
        """Make ready for what is asked."""
        self._marks = array("Q", np.unique(np.frombuffer(self._marks, np.uint64)).tobytes())

    def has_name(self, ref: FileRef) -> bool:
        """Return whether a file is called so."""
        return self._has(_name(ref))

    def has(self, ref: FileRef) -> bool:
        """Return whether the same file is there, as far as its record says."""
        return self._has(_mark(ref))

    def _has(self, mark: int) -> bool:
        at = bisect_left(self._marks, mark)
        return at < len(self._marks) and self._marks[at] == mark


class EarlierListing(Listing):
    """One walk through a volume as it was."""

    def __init__(self, filesystem: FileSystem, earlier: Earlier, source: str, prefix: bytes) -> None:
        """Walk through ``filesystem``, which is that of ``earlier``; see `Listing`."""
        super().__init__(filesystem, source, prefix)
        self._earlier = earlier
        self._rewritten: set[str] = set()
        with self._lock:
            info = filesystem.handle.info
            self._cluster, self._root = int(info.block_size), int(info.root_inum)
        kept = earlier.snapshot.kept
        self._touched = np.union1d(kept.origins, np.array(list(kept.overlays), np.int64))

    def versions(self, now: State, newer: State, here: State) -> Iterator[FileRef]:
        """Yield the files that the next newer state has not, or not so.

        Args:
            now: The volume as it is.
            newer: Its next newer state.
            here: Takes what this state has.
        """
        for ref in self._walk(Folder(self._root, b"", deleted=False)):
            if not isinstance(ref, FileRef) or ref.deleted or OWN.match(ref.path, len(self._prefix)):
                continue
            here.add(ref)
            if not newer.has(ref) or ref.locator in self._rewritten:
                gone = not now.has_name(ref)
                yield msgspec.structs.replace(ref, version=self._earlier.version, deleted=gone)
            self._rewritten.discard(ref.locator)

    def _contents(self, entry: Entry, file: Any) -> Iterator[FileRef | Problem]:
        if len(self._touched) and not entry.deleted:
            for attribute, info in attributes(file):
                if int(info.type) == NTFS_DATA and self._is_rewritten(attribute):
                    place = Locator(self._filesystem.start, entry.record, NTFS_DATA, int(info.id))
                    self._rewritten.add(str(place))
        return super()._contents(entry, file)

    def _is_rewritten(self, attribute: Any) -> bool:
        """Return whether bytes of a content were overwritten after the shadow copy was made."""
        compared = 0
        for run in attribute:
            start = int(run.addr) * self._cluster
            stop = start + int(run.len) * self._cluster
            first, last = np.searchsorted(self._touched, (start // BLOCK, -(-stop // BLOCK))).tolist()
            for block in self._touched[first:last].tolist() if start else ():
                span = Span(max(start, block * BLOCK), min(stop, (block + 1) * BLOCK))
                compared += 1
                if compared > MOST_COMPARED or self._differs(span):
                    return True
        return False

    def _differs(self, span: Span) -> bool:
        try:
            then = self._earlier.snapshot.read_at(span.start, len(span))
            return then != self._earlier.newer.read_at(span.start, len(span))
        except UnreadableError:
            return True


def earlier_states(disk: Reader, number: int, volume: Volume, after: int, hints: Hints) -> list[Earlier]:
    """Return what shadow copies say that a volume was, the newest first.

    Args:
        disk: What the volume is on.
        number: Of the volume.
        volume: It, as it is.
        after: How many earlier states other volumes of the disk have.
        hints: What the file system of the volume knows of them.
    """
    now: Reader = Window(disk, volume.start, volume.size)
    found: list[Earlier] = []
    every = snapshots(now, hints)[: MOST - after]
    for index, snapshot in enumerate(every):
        start = AT + (after + index) * APART
        place = Volume(start, snapshot.size, volume.label, "ntfs", used=True, disk=Behind(snapshot, start))
        made = re.sub(r"[-:]|\.\d+", "", rfc3339(snapshot.copy.created))
        version = f"shadow-{number}-{len(every) - index}-{made}".rstrip("-")
        found.append(Earlier(place, snapshot, every[index - 1] if index else now, version))
    return found


def catalog_in(filesystem: FileSystem) -> int:
    """Return where the file with the catalogue begins on a volume: its byte, 0 for no such file."""
    with filesystem.image.lock, contextlib.suppress(*TSK_ERRORS):
        file = filesystem.handle.open(f"{CATALOG_FOLDER}/{CATALOG_NAME}")
        for attribute, info in attributes(file):
            if int(info.type) == NTFS_DATA:
                return next((int(run.addr) for run in attribute), 0) * int(filesystem.handle.info.block_size)
    return 0


def stores_in(filesystem: FileSystem) -> list[StoreFile]:
    """Return the files of shadow copies on a volume, also those that were deleted."""
    found: list[StoreFile] = []
    with filesystem.image.lock, contextlib.suppress(*TSK_ERRORS):
        for file in filesystem.handle.open_dir(CATALOG_FOLDER):
            name = bytes(file.info.name.name).lower()
            meta = file.info.meta
            if (
                meta
                and len(found) < MOST
                and name.endswith(CATALOG_NAME.encode())
                and len(name) > len(CATALOG_NAME)
            ):
                found.append(StoreFile(_spans(filesystem, file), int(meta.crtime) * 10**9 or None))
    return found


def _spans(filesystem: FileSystem, file: Any) -> tuple[Span, ...]:
    cluster = int(filesystem.handle.info.block_size)
    runs = [
        run
        for attribute, info in attributes(file)
        if int(info.type) == NTFS_DATA
        for run in attribute
        if run.addr
    ]
    return tuple(
        Span(int(run.addr) * cluster, (int(run.addr) + int(run.len)) * cluster) for run in runs[:MOST]
    )


def _name(ref: FileRef) -> int:
    return hash((ref.path, ref.stream)) & MASK


def _mark(ref: FileRef) -> int:
    locator = ref.locator.partition(":")[2]  # but for the place of the volume
    return hash((ref.path, ref.stream, locator, ref.size, ref.modified, ref.changed, ref.created)) & MASK
