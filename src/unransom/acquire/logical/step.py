"""Acquires a folder or a bucket into a logical image."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from unransom.acquire.logical import bucket, folder
from unransom.acquire.logical.collect import Collected, collect
from unransom.acquire.logical.prepared import OBJECTS
from unransom.acquire.records import check_new
from unransom.core.errors import UsageError
from unransom.core.hashing import digest
from unransom.core.messages import say
from unransom.core.progress import Listener, silent
from unransom.core.records import Problem
from unransom.evidence import identify, open_store
from unransom.evidence.containers import open_disk
from unransom.evidence.stores.bucket import BucketStore


def acquire(location: str, out: Path, level: int = 1, listener: Listener = silent) -> Collected:
    """Make a logical image of a folder, or of all versions in a bucket.

    Args:
        location: A folder, or ``s3://BUCKET/PREFIX``.
        out: The image.
        level: Of compression.
        listener: Hears the progress.

    Raises:
        UsageError: The image is there already, or would lie in the folder.
        TargetError: The image cannot be written; the next run goes on with what is there.
    """
    check_new(out)
    source = identify(location)
    if source.kind == "bucket":
        store = BucketStore(source)
        try:
            return collect(bucket.walk(store), out, location, level, listener, OBJECTS)
        finally:
            store.close()
    root = os.path.abspath(os.fsencode(location))  # noqa: PTH100 bytes
    if out.absolute().is_relative_to(Path(os.fsdecode(root))):
        raise UsageError(
            say("the image must not lie in the folder that it is made of"),
            hint=say("write it to another disk: evidence is never written to"),
        )
    return collect(folder.walk(root), out, os.fsdecode(root), level, listener)


def finished(out: Path) -> Collected:
    """Return what came of the image ``out``, which an earlier run has finished: it is read again.

    Raises:
        UsageError, OSError: It is no such image.
        UnreadableError: It is damaged.
    """
    with contextlib.closing(open_disk(os.fsencode(out))) as archive:
        digests = digest(archive)
    with contextlib.closing(open_store(identify(str(out)))) as store:
        listed = list(store.files())
    problems = tuple((each.item, str(each.what)) for each in listed if isinstance(each, Problem))
    return Collected(str(out), digests, len(listed) - len(problems), problems, digests.size)
