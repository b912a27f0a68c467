"""Acquires a device or a file: an image of it, its digests, and a map of what could not be read."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from unransom.acquire.careful import Careful
from unransom.acquire.mounts import written_mounts
from unransom.acquire.plain import Copy
from unransom.acquire.progress import Copying
from unransom.acquire.records import Acquired, Job, check_new, unfinished, writing
from unransom.acquire.rescue_map import RescueMap, Status
from unransom.core.errors import UsageError, VerificationError
from unransom.core.hashing import Digests, Hasher, digest
from unransom.core.messages import say
from unransom.core.outputs import FileReader
from unransom.core.progress import Listener, silent
from unransom.core.records import Problem
from unransom.core.streams import Reader
from unransom.core.text import shown
from unransom.evidence.descriptors import DescriptorReader, open_quietly

if TYPE_CHECKING:
    from unransom.evidence.containers import Disk
    from unransom.evidence.containers.opening import Note


class Opened(NamedTuple):
    """A source, what it says its digests are, and what else a person should know; reading may add to that."""

    reader: Reader
    stored: dict[str, str]
    notes: Sequence[Note] = ()


def acquire(job: Job, listener: Listener = silent) -> Acquired:
    """Make an image.

    Args:
        job: What was asked for.
        listener: Hears the progress.

    Raises:
        UsageError: The source is mounted read-write, or the image is there already.
        SourceGoneError: The source has vanished.
        TargetError: The image cannot be written.
        VerificationError: The image is not what was read.
    """
    _check(job)
    with opened(job) as source:
        return copy(job, source, Careful(source.reader, job.sector, job.retries), listener)


def copy(job: Job, source: Opened, careful: Careful, listener: Listener = silent) -> Acquired:
    """Make an image of an opened source; see `acquire`."""
    part = unfinished(job.out, packed=job.packed)
    chart_path = part.with_name(part.name + ".map")
    copying = Copying(source.reader.size, chart_path, listener)
    with writing(job.out):
        digests, chart, resumed = (_packed if job.packed else _plain)(job, careful, part, copying)
        if job.verify:
            _verify(part, digests, packed=job.packed)
        map_path = job.out.with_name(job.out.name + ".map")
        chart_path.rename(map_path)
        part.rename(job.out)
    stored = {name: value for name, value in source.stored.items() if hasattr(digests, name)}
    return Acquired(
        image=str(job.out),
        map=str(map_path),
        digests=digests,
        lost=tuple(chart.spans(Status.BAD)),
        verified=job.verify,
        resumed=resumed,
        stored=stored,
        agrees=all(getattr(digests, name) == value for name, value in stored.items()),
        problems=tuple(
            Problem(item=shown(note.name), what=note.what, resolution=note.resolution, fatal=False)
            for note in source.notes
        ),
    )


@contextlib.contextmanager
def opened(job: Job) -> Iterator[Opened]:
    """Open the source read-only: its bytes, or the disk in it where that is asked for.

    Raises:
        UsageError: It cannot be opened.
    """
    with contextlib.closing(_open(job)) as reader:
        if isinstance(reader, DescriptorReader):
            yield Opened(reader, {})
        else:
            yield Opened(reader, reader.digests, reader.notes)


def _open(job: Job) -> Disk | DescriptorReader:
    path = os.path.abspath(os.fsencode(job.source))  # noqa: PTH100 bytes
    try:
        return _disk(path) if job.unwrap else DescriptorReader(open_quietly(path, os.O_NONBLOCK))
    except OSError as error:
        raise UsageError(
            say("{location} cannot be opened", location=job.source),
            detail=str(error),
            hint=say("give a device or a file, as a user who may read it"),
        ) from error


def _disk(path: bytes) -> Disk:
    from unransom.evidence.disks import open_disk  # noqa: PLC0415 takes longer than a small image

    return open_disk(path)


def _packed(job: Job, careful: Careful, part: Path, copying: Copying) -> tuple[Digests, RescueMap, int]:
    from unransom.acquire.packing import pack  # noqa: PLC0415 an extra
    from unransom.evidence.containers.packed import Description  # noqa: PLC0415

    described = Description(copying.size, os.path.realpath(job.source)[:256])
    return pack(careful, part, described, copying, job.level)


def _plain(job: Job, careful: Careful, part: Path, copying: Copying) -> tuple[Digests, RescueMap, int]:
    del job
    with contextlib.closing(Copy(careful, part, copying)) as plain:
        digests, chart = plain.run()
        return digests, chart, plain.resumed


def _check(job: Job) -> None:
    path = os.path.abspath(os.fsencode(job.source))  # noqa: PTH100 bytes
    check_new(job.out)
    if not os.path.exists(path) or os.path.isdir(path):  # noqa: PTH110, PTH112 bytes
        raise UsageError(
            say("{location} is no device and no file", location=job.source),
            hint=say("give a device such as /dev/sdb, or a file"),
        )
    places = written_mounts(path)
    if places and not job.mounted:
        raise UsageError(
            say(
                "{location} is mounted and can be written to: {places}",
                location=job.source,
                places=" ".join(places),
            ),
            causes=(say("an image of a disk in use does not fit together"),),
            hint=say("unmount it, mount it read-only, or take it as it is with --mounted"),
        )


def _verify(image: Path, digests: Digests, *, packed: bool) -> None:
    with FileReader(image) as reader:
        if packed:
            from unransom.evidence.containers.packed import whole_frames  # noqa: PLC0415

            hasher = Hasher()
            for _, chunk in whole_frames(reader, digests.size):
                hasher.update(chunk)
            found = hasher.digests()
        else:
            found = digest(reader)
    if found != digests:
        raise VerificationError(
            say("{file} is not what was read from the source", file=str(image)),
            causes=(say("a disk, memory or cable that changes bytes"),),
            hint=say("write to another disk"),
        )
