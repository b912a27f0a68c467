"""A disk as a source: an image of any kind, or a device."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

from unransom.core.clock import rfc3339
from unransom.core.messages import say
from unransom.core.records import FileRef, Kind, Problem, Source
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.core.text import shown
from unransom.evidence.arrays.beside import Arrays, members
from unransom.evidence.arrays.elsewhere import listed_elsewhere
from unransom.evidence.descriptors import changed
from unransom.evidence.disks import open_disk
from unransom.evidence.filesystems.changes import journals
from unransom.evidence.filesystems.ext.volume import ExtVolume, is_needed
from unransom.evidence.filesystems.listing import GONE, Listing
from unransom.evidence.filesystems.ntfs.deleted import folders_of
from unransom.evidence.filesystems.ntfs.folders import Folders
from unransom.evidence.filesystems.ntfs.volume import NtfsVolume
from unransom.evidence.filesystems.tsk import FileSystem, Locator
from unransom.evidence.filesystems.unix import UnixVolume
from unransom.evidence.filesystems.xfs.volume import XfsVolume
from unransom.evidence.locations import path_of
from unransom.evidence.problems import problem, unlisted
from unransom.evidence.shadows.earlier import (
    AT,
    Earlier,
    EarlierListing,
    State,
    catalog_in,
    earlier_states,
    stores_in,
)
from unransom.evidence.shadows.snapshot import Hints
from unransom.evidence.sleuthkit import TskImage
from unransom.evidence.store import Store
from unransom.evidence.volumes.partitions import Volume, disk_of, foreign_at, volumes
from unransom.evidence.wrap.retry import Patience, RetryReader

Answer = TypeVar("Answer")
AnyFileSystem = FileSystem | UnixVolume | NtfsVolume
WHOLE = "disk"  # locator of the bytes of the disk itself
NARROW = Patience(attempts=1)  # the image below has tried again already
SMALL = 16 << 20  # bytes; a volume below this without files is one that starts the machine


class ImageStore:
    """The files of every file system on a disk."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._path = path_of(source)
        self._disk = open_disk(self._path)
        self._fingerprint = self._disk.fingerprint()
        self._image = TskImage(RetryReader(self._disk))
        self._arrays = Arrays(self._path, self._image)
        self._volumes: list[Volume] | None = None
        self._elsewhere = listed_elsewhere(source)
        self._earlier: list[list[Earlier]] | None = None
        self._filesystems: dict[int, AnyFileSystem] = {}

    def fingerprint(self) -> str:
        """Return size and modification time of the image; for a device, its size and head."""
        return self._fingerprint

    def whole(self) -> FileRef:
        """Return a record of the disk itself, of all its bytes: `open` gives them, e.g. for carving."""
        return FileRef(
            source=self.source.id,
            path=self._path.rpartition(b"/")[2],
            size=self._disk.size,
            locator=WHOLE,
        )

    def extents(self) -> Iterator[Span]:
        """Yield what is stored of the disk itself, in order. All else is zeros."""
        return self._disk.extents()

    def files(self, *, earlier: bool = True) -> Iterator[FileRef | Problem]:
        """Yield every file; below ``volume-N/`` where the disk has more than one file system.

        Args:
            earlier: Whether what only shadow copies have is yielded too, behind the files of each volume.
        """
        yield from self._problems_of_image()
        if not self._all_volumes():
            yield problem(
                self.source.id,
                b"",
                say("no table of partitions and no file system that unransom knows was found"),
                say("files can still be carved from it"),
            )
        elif not any(volume.used for volume in self._all_volumes()):
            yield problem(
                self.source.id,
                b"",
                say("every volume that the table of partitions names begins with zeros"),
                say("files can still be carved from it"),
            )
        several = sum(bool(volume.filesystem) for volume in self._all_volumes()) > 1
        for number, volume in enumerate(self._all_volumes(), 1):
            name = b"volume-%d" % number
            if volume.array.hex() in self._elsewhere:
                yield self._listed_elsewhere(volume, name)
                continue
            if not volume.filesystem:
                yield from self._problem_of_volume(volume, name)
                continue
            yield from self._put_back(volume, name)
            try:
                filesystem = self._filesystem(volume)
            except OSError as error:
                yield unlisted(self.source.id, name, error)
                continue
            states = self._all_earlier()[number - 1] if earlier else []
            yield from self._in_volume(filesystem, states, name + b"/" if several else b"")

    def shadow_copies(self) -> Iterator[tuple[bytes, Earlier]]:
        """Yield what volumes were, by their shadow copies, the newest first; with the volume's name."""
        for number, states in enumerate(self._all_earlier(), 1):
            for each in states:
                yield b"volume-%d" % number, each

    def journals(self) -> Iterator[FileRef]:
        """Yield the journals of changes that NTFS keeps; `open` gives their contents."""
        for number, volume in enumerate(self._all_volumes(), 1):
            if volume.filesystem == "ntfs":
                filesystem = self._filesystem(volume)
                if isinstance(filesystem, FileSystem):
                    yield from journals(filesystem, self.source.id, b"volume-%d/" % number)

    def folders(self, ref: FileRef) -> Folders:
        """Return the folders of the NTFS volume that ``ref`` is on, by the numbers of their records."""
        start = Locator.parse(ref.locator).start
        disks = (each.disk for each in self._all_volumes() if each.start == start and each.disk)
        return folders_of(next(disks, self._image.reader), start)

    @contextlib.contextmanager
    def open(self, ref: FileRef) -> Iterator[Reader]:
        """Open the content of ``ref``; see ``Store.open``."""
        if ref.kind is not Kind.FILE:
            raise OSError(errno.EINVAL, "not a regular file", shown(ref.path))
        if ref.locator == GONE:
            raise OSError(errno.ENODATA, "only the name of the deleted file is left", shown(ref.path))
        if self._disk.fingerprint() != (self.source.fingerprint or self._fingerprint):
            raise changed(ref, shown(self._path))
        if ref.locator == WHOLE:
            yield self._image.reader
            return
        try:
            where = Locator.parse(ref.locator)
            volume = next(each for each in self._everything(where.start) if each.start == where.start)
            reader = self._filesystem(volume).open(where, ref.size)
        except (ValueError, StopIteration, FileNotFoundError) as error:
            raise changed(ref, str(error)) from error
        yield RetryReader(reader, NARROW)

    def close(self) -> None:
        """Release the image; a second call does nothing."""
        self._filesystems.clear()
        self._arrays.close()
        self._disk.close()

    def _all_volumes(self) -> list[Volume]:
        if self._volumes is None:
            self._volumes = volumes(self._image, self._arrays)
        return self._volumes

    def _filesystem(self, volume: Volume) -> AnyFileSystem:
        if volume.start not in self._filesystems:
            self._filesystems[volume.start] = self._open_filesystem(volume)
        return self._filesystems[volume.start]

    def _all_earlier(self) -> list[list[Earlier]]:
        if self._earlier is None:
            self._earlier, found = [], 0
            for number, volume in enumerate(self._all_volumes(), 1):
                states = []
                if volume.filesystem == "ntfs":
                    disk = disk_of(volume, self._image.reader)
                    states = earlier_states(disk, number, volume, found, self._hints(volume))
                self._earlier.append(states)
                found += len(states)
        return self._earlier

    def _hints(self, volume: Volume) -> Hints:
        """Return what the file system of a volume knows of its shadow copies."""

        def ask(question: Callable[[FileSystem], Answer], otherwise: Answer) -> Answer:
            with contextlib.suppress(OSError):
                filesystem = self._filesystem(volume)
                return question(filesystem) if isinstance(filesystem, FileSystem) else otherwise
            return otherwise

        return Hints(lambda: ask(catalog_in, 0), lambda: ask(stores_in, []))

    def _everything(self, start: int) -> Iterator[Volume]:
        """Yield the volumes that may begin at ``start``: those of now, or those of earlier times."""
        if start < AT:
            yield from self._all_volumes()
        else:
            yield from (each.volume for states in self._all_earlier() for each in states)

    def _open_filesystem(self, volume: Volume) -> AnyFileSystem:
        reader = disk_of(volume, self._image.reader)
        if volume.filesystem == "xfs":
            return XfsVolume(reader, volume.start, volume.size)
        if volume.filesystem == "ext" and is_needed(reader, volume.start):
            return ExtVolume(reader, volume.start)
        image = self._image if reader is self._image.reader else TskImage(reader)
        try:
            return FileSystem(image, volume.start, volume.filesystem)
        except OSError:
            if volume.filesystem == "ntfs" and volume.rebuilt:
                return NtfsVolume(reader, volume.start)
            raise

    def _in_volume(
        self, filesystem: AnyFileSystem, states: list[Earlier], prefix: bytes
    ) -> Iterator[FileRef | Problem]:
        """Yield the files of a volume, and those that its shadow copies have besides."""
        if not states:
            yield from self._files(filesystem, prefix)
            return
        now = State()
        for ref in self._files(filesystem, prefix):
            if isinstance(ref, FileRef) and not ref.deleted:
                now.add(ref)
            yield ref
        now.close()
        newer = now
        for each in states:
            here = State()
            yield from self._versions(each, prefix, now, newer, here)
            here.close()
            newer = here

    def _versions(
        self, earlier: Earlier, prefix: bytes, now: State, newer: State, here: State
    ) -> Iterator[FileRef | Problem]:
        """Yield the files that a shadow copy has and the next newer state has not, or not so."""
        name = earlier.version.encode()
        try:
            filesystem = self._filesystem(earlier.volume)
        except OSError as error:
            yield unlisted(self.source.id, name, error)
            return
        count = 0
        if isinstance(filesystem, FileSystem):
            for ref in EarlierListing(filesystem, earlier, self.source.id, prefix).versions(now, newer, here):
                count += 1
                yield ref
        created = earlier.snapshot.copy.created
        yield Problem(
            item=f"{self.source.id}:{earlier.version}",
            what=say("the volume has a shadow copy of {time}", time=rfc3339(created) or "?"),
            resolution=say("{count} files in it are otherwise than later, or gone since", count=count),
            fatal=False,
            code="read",
        )
        if earlier.snapshot.copy.stray:
            yield problem(
                self.source.id,
                name,
                say("no catalogue names the shadow copy: it was found by its own blocks"),
                say("other files may have taken some of their places since: check what comes from it"),
            )
        if not earlier.snapshot.kept.whole:
            yield problem(
                self.source.id,
                name,
                say("a part of what the shadow copy keeps is lost"),
                say("what stands there is as it is now: compare what comes from it"),
            )

    def _files(self, filesystem: AnyFileSystem, prefix: bytes) -> Iterator[FileRef | Problem]:
        if isinstance(filesystem, FileSystem):
            return Listing(filesystem, self.source.id, prefix).files()
        return filesystem.files(self.source.id, prefix)

    def _problems_of_image(self) -> Iterator[Problem]:
        self._all_volumes()  # finds arrays
        for note in (*self._disk.notes, *self._arrays.notes):
            found = problem(self.source.id, note.name, note.what, note.resolution)
            yield msgspec.structs.replace(found, fatal=False)

    def arrays(self) -> frozenset[str]:
        """Return the identifiers of the arrays that the disk, or parts of it, are members of."""
        shared = {each.array for each in self._all_volumes() if each.disk or each.members}
        return frozenset(each.hex() for each in shared | {each.member.array for each in members(self._image)})

    def _listed_elsewhere(self, volume: Volume, name: bytes) -> Problem:
        return Problem(
            item=f"{self.source.id}:{name.decode()}",
            what=say("the disk is a member of an array that another source has, too"),
            resolution=say(
                "its files are listed once, with {source}", source=self._elsewhere[volume.array.hex()]
            ),
            fatal=False,
            code="read",
        )

    def _put_back(self, volume: Volume, name: bytes) -> Iterator[Problem]:
        """Yield what of a volume was lost, and is there by its copies."""
        if volume.rebuilt:
            what = say("the first sectors of the disk or of the volume are lost")
            resolution = say(
                "the volume at byte {start} was found by copies of them: {filesystem}, {size} bytes",
                start=volume.start,
                filesystem=volume.filesystem,
                size=volume.size,
            )
            yield problem(self.source.id, name, what, resolution, fatal=False)
        if volume.retabled:
            what = say("sectors of the table of clusters are lost")
            yield problem(self.source.id, name, what, say("they were taken from its copy"), fatal=False)

    def _problem_of_volume(self, volume: Volume, name: bytes) -> Iterator[Problem]:
        if not volume.used:  # reserved by the partition table, or never formatted
            return
        resolution = say("files can still be carved from it")
        kind = foreign_at(volume.disk or self._image.reader, volume.start)
        if kind:
            resolution = say(
                "it has {kind}: unlock it, or mount it read-only, and name the device or folder", kind=kind
            )
        if volume.members:
            resolution = self._arrays.refusals.get(volume.array) or say(
                "put the images of all {members} members of the array into one folder", members=volume.members
            )
        yield Problem(
            item=f"{self.source.id}:{name.decode()}",
            what=say("no file system that unransom knows is on the volume {label}", label=volume.label),
            resolution=resolution,
            fatal=bool(volume.members) or volume.size >= SMALL or not volume.size,
            code="read",
        )


def open_store(source: Source) -> Store:
    """Open the image or device at ``source.location``.

    Raises:
        OSError: It is not there or cannot be read.
    """
    return ImageStore(source)
