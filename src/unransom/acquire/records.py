"""What acquiring takes and yields."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

import msgspec

from unransom.core.errors import UnransomError, UsageError
from unransom.core.hashing import Digests
from unransom.core.messages import say
from unransom.core.records import Problem, Record
from unransom.core.spans import Span


class TargetError(UnransomError):
    """The image cannot be written."""


class Job(msgspec.Struct, frozen=True):
    """What acquiring was asked to do.

    Attributes:
        source: A device or a file.
        out: The image.
        packed: Whether it is our own kind of image; else the disk's bytes as they are.
        level: Of compression.
        retries: How often a sector that fails is tried again.
        sector: Bytes that an error is about.
        unwrap: Copy the disk in an image, not the image.
        mounted: Copy a device although it is mounted read-write.
        verify: Read the image again when it is done.
    """

    source: str
    out: Path
    packed: bool = True
    level: int = 1
    retries: int = 1
    sector: int = 512
    unwrap: bool = False
    mounted: bool = False
    verify: bool = False


class Acquired(Record, frozen=True, kw_only=True):
    """An image that was made.

    Attributes:
        image, map: Paths.
        digests: Of the disk, with zeros for what could not be read.
        lost: What could not be read.
        verified: Whether the image was read again and is what the digests say.
        resumed: Bytes that an earlier run had copied.
        stored: What the source itself says its digests are; empty where it says nothing.
        agrees: Whether that is so.
        problems: What a person should know of the image that the disk was in.
    """

    image: str
    map: str
    digests: Digests
    lost: tuple[Span, ...] = ()
    verified: bool = False
    resumed: int = 0
    stored: dict[str, str] = msgspec.field(default_factory=dict)
    agrees: bool = True
    problems: tuple[Problem, ...] = ()


def check_new(image: Path) -> None:
    """Check that nothing is called as the image is to be.

    Raises:
        UsageError: Something is.
    """
    if image.exists():
        raise UsageError(
            say("{file} is there already", file=str(image)),
            hint=say("give the image another name: --out IMAGE, or --name NAME in a case"),
        )


def unfinished(image: Path, *, packed: bool) -> Path:
    """Return what the image of a disk is called until it is whole."""
    return image.with_name(image.name + (".zst.part" if packed else ".raw.part"))


@contextlib.contextmanager
def writing(out: Path) -> Iterator[None]:
    """Tell a refusal by the system as what it is: the image cannot be written.

    Raises:
        TargetError: The body raised an OSError.
    """
    try:
        yield
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
        raise TargetError(
            say("{file} cannot be written", file=str(out)),
            detail=str(error),
            causes=(say("the disk is full"),) if full else (),
            hint=say("make room and run the same command again: it goes on where it stopped"),
        ) from error
