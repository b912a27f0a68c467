"""Places that a person names: what kind of thing is there, and what it is called in the case."""

from __future__ import annotations

import base64
import contextlib
import os
import stat
from collections.abc import Container
from typing import NamedTuple

from unransom.core.errors import UnransomError, UnreadableError, UsageError
from unransom.core.messages import say
from unransom.core.paths import base_name, safe_name
from unransom.core.records import Source
from unransom.core.text import guess_text, shown
from unransom.evidence.descriptors import DescriptorReader, open_quietly

BUCKET = "s3://"
PATH = "path_b64"  # option of a source whose path is not UTF-8 and cannot stand in ``location``
# A file without a head that is called so is looked at more closely: what a locker renamed is a locked file.
IMAGE_NAMES = (b".vmdk", b".vhd", b".vhdx", b".vdi", b".qcow2", b".img", b".raw", b".dd", b".001")
LONGEST_ID = 48  # characters
RESERVED_IDS = frozenset({"carved"})  # a folder beside those of the sources


class Location(NamedTuple):
    """A place that exists, or a URL.

    Attributes:
        text: As it was given.
        path: Absolute path, b"" for a URL.
        mode: ``st_mode`` of what is there, 0 for a URL.
    """

    text: str
    path: bytes
    mode: int


def locate(text: str) -> Location:
    """Return the place that ``text`` names.

    Raises:
        UsageError: Nothing is there, or it is a URL of a kind that cannot be read.
    """
    if text.startswith(BUCKET):
        return Location(text, b"", 0)
    path = os.path.abspath(os.fsencode(text))  # noqa: PTH100 bytes
    try:
        return Location(text, path, os.stat(path).st_mode)  # noqa: PTH116 bytes
    except (OSError, ValueError) as error:
        raise UsageError(
            say("{location} cannot be opened", location=shown(os.fsencode(text))),
            detail=str(error),
            hint=say("give a folder, a file, a disk image, a device, or s3://BUCKET/PREFIX"),
        ) from error


def is_bucket(place: Location) -> bool:
    """Return whether the place is a bucket, or a part of one."""
    return place.text.startswith(BUCKET) and len(place.text) > len(BUCKET)


def is_folder(place: Location) -> bool:
    """Return whether the place is a folder."""
    return stat.S_ISDIR(place.mode)


def is_collection(place: Location) -> bool:
    """Return whether the place is a logical image: one of ours that holds an archive with a manifest."""
    if not stat.S_ISREG(place.mode):
        return False
    from unransom.evidence.containers import collection, open_disk, packed  # noqa: PLC0415 importing is cheap

    try:
        with DescriptorReader(open_quietly(place.path)) as reader:
            if not packed.claims(reader.read_at(0, 512), b"", reader.size):
                return False
        with contextlib.closing(open_disk(place.path)) as disk:
            start = max(0, disk.size - collection.BEHIND - collection.BLOCK)
            return collection.parse_index(disk.read_at(start, collection.BLOCK), disk.size) is not None
    except (OSError, UnreadableError, UnransomError):
        return False


def is_image(place: Location) -> bool:
    """Return whether the place is a block device, or a file that is an image of a disk or volume."""
    if stat.S_ISBLK(place.mode):
        return True
    if not stat.S_ISREG(place.mode):
        return False
    try:
        descriptor = open_quietly(place.path)
    except OSError:
        return False
    from unransom.evidence.containers import is_disk, recognise  # noqa: PLC0415 importing this module is cheap

    with DescriptorReader(descriptor) as reader:
        try:
            if is_disk(reader) or recognise(reader) is not None:
                return True
        except UnreadableError:
            return False
    return is_called_image(place.path) and _has_volumes(place.path)


def is_called_image(path: bytes) -> bool:
    """Return whether a file has the extension of a disk image."""
    return path.lower().endswith(IMAGE_NAMES)


def _has_volumes(path: bytes) -> bool:
    """Return whether an image whose head is lost has volumes all the same."""
    from unransom.evidence.disks import open_disk  # noqa: PLC0415 importing this module is cheap
    from unransom.evidence.volumes.rebuilt import partitions, sweep  # noqa: PLC0415

    try:
        with contextlib.closing(open_disk(path)) as disk:
            return bool(partitions(disk) or sweep(disk))
    except (OSError, UnreadableError, UnransomError):
        return False


def is_file(place: Location) -> bool:
    """Return whether the place is a regular file."""
    return stat.S_ISREG(place.mode)


def source(place: Location, kind: str, taken: Container[str]) -> Source:
    """Return the record of the place, with an identifier that is not in ``taken``."""
    if not place.path:
        return Source(id=_identifier(place.text.encode(), taken), kind=kind, location=place.text)
    identifier = _identifier(place.path, taken)
    try:
        return Source(id=identifier, kind=kind, location=place.path.decode())
    except UnicodeDecodeError:
        options = {PATH: base64.b64encode(place.path).decode()}
        return Source(id=identifier, kind=kind, location=shown(place.path), options=options)


def path_of(where: Source) -> bytes:
    """Return the absolute path of a source that has one."""
    encoded = where.options.get(PATH)
    return base64.b64decode(encoded) if encoded else os.fsencode(where.location)


def _identifier(path: bytes, taken: Container[str]) -> str:
    """Return the base name of ``path`` made short, unique and safe as the name of a folder."""
    name = guess_text(base_name(path)).text.strip(". ")[:LONGEST_ID].encode(errors="replace")
    stem = safe_name(name).decode(errors="replace") if name else "source"
    identifier, number = stem, 1
    while identifier in taken or identifier in RESERVED_IDS:
        number += 1
        identifier = f"{stem}-{number}"
    return identifier
