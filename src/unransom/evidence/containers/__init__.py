"""How a disk is wrapped: the containers that are known, and the disks in them.

Which container a file is, its content says, not its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from unransom.core.openfile import OpenFile
from unransom.core.spans import Span
from unransom.core.streams import Reader, file_of
from unransom.evidence.containers import ewf, packed, qcow2, raw, rebuilt, vdi, vhd, vhdx, vmdk
from unransom.evidence.containers.mapped import Mapped, Part
from unransom.evidence.containers.opening import Files, Note, Opening
from unransom.evidence.volumes import raid, signatures

HEAD, TAIL = 4096, 512  # bytes that recognition needs


class Container(NamedTuple):
    """A kind of image.

    Attributes:
        name: Of its module.
        title: What people call it.
        claims: Whether a file of a size, by its first and last bytes, is one.
        open_disk: Opens the disk in it.
    """

    name: str
    title: str
    claims: Callable[[bytes, bytes, int], bool]
    open_disk: Callable[[Opening], Reader]


CONTAINERS = (  # in order of trial
    Container("vmdk", "VMware", vmdk.claims, vmdk.open_disk),
    Container("vhd", "VHD", vhd.claims, vhd.open_disk),
    Container("vhdx", "VHDX", vhdx.claims, vhdx.open_disk),
    Container("qcow2", "QCOW2", qcow2.claims, qcow2.open_disk),
    Container("vdi", "VirtualBox", vdi.claims, vdi.open_disk),
    Container("ewf", "E01, Ex01", ewf.claims, ewf.open_disk),
    Container("packed", "unransom", packed.claims, packed.open_disk),
    Container("raw", "raw, split", raw.claims, raw.open_disk),
)


Headless = Callable[[Opening], Reader | None]


def nothing(opening: Opening) -> Reader | None:
    """Open nothing."""
    return None


class Disk:
    """A disk, whatever it is wrapped in.

    Attributes:
        container: Name of the container.
        notes: What a person should know of the image.
        size: Bytes of the disk.
    """

    def __init__(self, files: Files, container: str, reader: Reader) -> None:
        self._files = files
        self._reader = reader
        self.container = container
        self.size = reader.size

    @property
    def notes(self) -> list[Note]:
        """What a person should know of the image."""
        return self._files.notes

    @property
    def digests(self) -> dict[str, str]:
        """What the image itself says the digests of its disk are, by the name of the algorithm."""
        return self._files.digests

    @property
    def file(self) -> OpenFile | None:
        """Holes of the disk."""
        return file_of(self._reader)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the disk ends.

        Raises:
            UnreadableError: Some of these bytes cannot be read.
        """
        return self._reader.read_at(offset, length)

    def extents(self) -> Iterator[Span]:
        """Yield what is stored of the disk, in order. All else is zeros."""
        reader = self._reader
        return (reader if isinstance(reader, Mapped) else Part(reader, 0, self.size)).extents()

    def fingerprint(self) -> str:
        """Return what must stay the same: see ``Files.fingerprint``."""
        return self._files.fingerprint()

    def close(self) -> None:
        """Close the image; a second call does nothing."""
        self._files.close()


def recognise(reader: Reader) -> Container | None:
    """Return the container that ``reader`` is, by its first and last bytes; None for a disk as it is.

    Raises:
        UnreadableError: They cannot be read.
    """
    head = reader.read_at(0, HEAD)
    tail = reader.read_at(max(0, reader.size - TAIL), TAIL)
    return next((each for each in CONTAINERS[:-1] if each.claims(head, tail, reader.size)), None)


def is_disk(reader: Reader) -> bool:
    """Return whether ``reader`` begins like a disk or a volume, or ends like a member of an array.

    Raises:
        UnreadableError: It cannot be read.
    """
    if signatures.is_disk(reader.read_at(0, signatures.HEAD), reader.size):
        return True
    return bool(signatures.foreign(reader, 0)) or raid.member(reader, 0, reader.size) is not None


def open_disk(path: bytes, otherwise: Headless = nothing) -> Disk:
    """Open the disk in the image whose first file is at ``path``.

    Args:
        path: Of the image.
        otherwise: Opens the disk of an image whose head is lost, where the containers cannot.

    Raises:
        OSError: It is not there, or makes no sense.
        UnsupportedImageError: It is encrypted, or of a kind that cannot be read.
        UnreadableError: It cannot be read.
    """
    files = Files()

    def inner(opening: Opening) -> Reader:
        return opened(opening)[1]

    def opened(opening: Opening) -> tuple[str, Reader]:
        container = recognise(opening.reader)
        if container is None and not is_disk(opening.reader):
            found = rebuilt.open_headless(opening) or otherwise(opening)
            if found:
                return "rebuilt", found
        container = container or CONTAINERS[-1]
        try:
            return container.name, container.open_disk(opening)
        except OSError:  # what its head points to is lost
            found = otherwise(opening)
            if found is None:
                raise
            return "rebuilt", found

    try:
        return Disk(files, *opened(Opening(path, files.open(path), files, inner)))
    except BaseException:
        files.close()
        raise
