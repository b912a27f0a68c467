"""NTFS, ext2/3/4, FAT and exFAT, opened through The Sleuth Kit."""

from __future__ import annotations

import errno
from typing import Any, NamedTuple

import pytsk3

from unransom.evidence.sleuthkit import TSK_ERRORS, TskImage, TskReader, attributes

TYPES = {
    "ntfs": pytsk3.TSK_FS_TYPE_NTFS,
    "ext": pytsk3.TSK_FS_TYPE_EXT_DETECT,
    "fat": pytsk3.TSK_FS_TYPE_FAT_DETECT,
    "exfat": pytsk3.TSK_FS_TYPE_EXFAT,
}


NTFS_DATA = int(pytsk3.TSK_FS_ATTR_TYPE_NTFS_DATA)
ONLY = int(pytsk3.TSK_FS_ATTR_TYPE_DEFAULT)  # the content of a file that has but one


class Locator(NamedTuple):
    """Where a content is.

    Attributes:
        start: First byte of the volume.
        record: Number of the file's record (inode, MFT entry).
        attribute, number: Type and identifier of the attribute that holds the content.
    """

    start: int
    record: int
    attribute: int = ONLY
    number: int = 0

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
        with self.image.lock:
            try:
                file = self.handle.open_meta(inode=where.record)
            except TSK_ERRORS as error:
                raise OSError(str(error)) from error
            if size not in self._sizes(file, where):
                raise FileNotFoundError(errno.ENOENT, "no content of that size", str(where))
            return TskReader(self.image, file, (where.attribute, where.number), size)

    def _sizes(self, file: Any, where: Locator) -> list[int]:
        """Return the size of the content at ``where``, in a list that is empty where there is none."""
        if self.kind != "ntfs":
            return [int(file.info.meta.size)] if where.attribute == ONLY else []
        wanted = (where.attribute, where.number)
        found = (info for _, info in attributes(file))
        return [int(info.size) for info in found if (int(info.type), int(info.id)) == wanted]
