"""NTFS, ext2/3/4, FAT and exFAT, opened through The Sleuth Kit."""

from __future__ import annotations

import errno
from typing import NamedTuple

import pytsk3

from unransom.evidence.sleuthkit import TSK_ERRORS, TskImage, TskReader, attributes

TYPES = {
    "ntfs": pytsk3.TSK_FS_TYPE_NTFS,
    "ext": pytsk3.TSK_FS_TYPE_EXT_DETECT,
    "fat": pytsk3.TSK_FS_TYPE_FAT_DETECT,
    "exfat": pytsk3.TSK_FS_TYPE_EXFAT,
}


class Locator(NamedTuple):
    """Where a content is: the start of the volume in bytes, the file's record, the attribute."""

    start: int
    record: int
    attribute: int
    number: int

    def __str__(self) -> str:
        return ":".join(map(str, self))

    @classmethod
    def parse(cls, text: str) -> Locator:
        """Return the locator that ``text`` stands for.

        Raises:
            ValueError: It is none.
        """
        start, record, attribute, number = map(int, text.split(":"))
        return cls(start, record, attribute, number)


class FileSystem:
    """The file system of one volume.

    Attributes:
        image: The image that it is on; its lock guards every use of ``handle``.
        start: First byte of the volume.
        kind: ``ntfs``, ``ext``, ``fat`` or ``exfat``.
        handle: The ``pytsk3.FS_Info``.
    """

    def __init__(self, image: TskImage, start: int, kind: str) -> None:
        """Open the volume of a ``kind`` that begins at byte ``start`` of ``image``.

        Raises:
            OSError: The Sleuth Kit cannot make sense of it.
        """
        self.image = image
        self.start = start
        self.kind = kind
        with image.lock:
            try:
                self.handle = pytsk3.FS_Info(image, offset=start, type=TYPES[kind])
            except TSK_ERRORS as error:
                raise OSError(str(error)) from error

    def open(self, where: Locator, size: int) -> TskReader:
        """Open the content at ``where``, of ``size`` bytes.

        Raises:
            OSError: There is none of that size.
        """
        wanted = (where.attribute, where.number)
        with self.image.lock:
            try:
                file = self.handle.open_meta(inode=where.record)
            except TSK_ERRORS as error:
                raise OSError(str(error)) from error
            for _, info in attributes(file):
                if (int(info.type), int(info.id)) == wanted and int(info.size) == size:
                    return TskReader(self.image, file, wanted, size)
        raise FileNotFoundError(errno.ENOENT, "no content of that size", str(where))
