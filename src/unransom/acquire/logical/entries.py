"""What a logical image is made of."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import msgspec

from unransom.core.streams import Reader, Salvage


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A file, a folder, a link, or a version of an object.

    Attributes:
        path: Below the source, bytes as the source has them.
        kind: Type of entry of tar: ``0`` file, ``1`` hard link, ``2`` symbolic link, ``3`` and ``4``
            devices, ``5`` folder, ``6`` pipe; ``D`` for the mark that an object was deleted.
        size: Bytes of the content.
        mode, uid, gid: Rights and owner.
        modified, accessed, changed: Nanoseconds since 1970 UTC, None where not known.
        device: Number of a device, major and minor.
        link: What a link leads to.
        attributes: Extended attributes, with lists of access rights and, of NTFS, streams.
        shared: Whether the file has several names.
        segments: Offset and length of what is stored of a file with holes, None of a file without.
        sector: Bytes; the smallest range of the content that is given up where it cannot be read.
        version, etag, deleted: Of an object in a bucket.
        metadata: Asks for what a store keeps with an object; raises OSError where it does not answer.
        open: Opens the content.
        whole: Reads the content of a small file at once; None where it is not what it was when it was listed.
    """

    path: bytes
    kind: str
    size: int = 0
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    modified: int | None = None
    accessed: int | None = None
    changed: int | None = None
    device: tuple[int, int] = (0, 0)
    link: bytes = b""
    attributes: dict[bytes, bytes] = {}
    shared: bool = False
    segments: tuple[tuple[int, int], ...] | None = None
    sector: int = Salvage.SECTOR
    version: str = ""
    etag: str = ""
    deleted: bool = False
    metadata: Callable[[], dict[str, str]] | None = None
    open: Callable[[], AbstractContextManager[Reader]] | None = None
    whole: Callable[[], bytes | None] | None = None


class Unlisted(msgspec.Struct, frozen=True):
    """A place that could not be listed, and why."""

    path: bytes
    why: str
