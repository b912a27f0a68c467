"""The kinds of targets, told by how they are written."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from unransom.core.errors import UsageError
from unransom.core.messages import say
from unransom.restore.moving.place import Place, Room, Throttle

BUCKET = "s3://"
DATABASES = ("mysql", "mariadb", "postgresql")
PASSWORD = "UNRANSOM_TO_PASSWORD"  # noqa: S105 the name of a variable of the environment


def is_database(location: str) -> bool:
    """Return whether files go into tables."""
    return location.partition("://")[0].partition("+")[0] in DATABASES


def location_of(text: str) -> str:
    """Return how a plan names the target that a user has named.

    Raises:
        UsageError: There is a password in it, or it is of no kind that is known.
    """
    scheme, mark, rest = text.partition("://")
    if not mark:
        return str(Path(text).absolute())
    if is_database(text):
        user = rest.partition("/")[0].rpartition("@")[0]
        if ":" in user:
            raise UsageError(
                say("passwords do not belong into a command: others can see them"),
                hint=say("leave it out; it is taken from UNRANSOM_TO_PASSWORD"),
            )
        return text
    if text.startswith(BUCKET) and rest.strip("/"):
        return BUCKET + rest.rstrip("/")
    raise UsageError(
        say("{scheme} is no kind of target", scheme=scheme),
        hint=say("name a folder, s3://bucket/prefix, or mysql:// or postgresql://user@host/database"),
    )


def open_place(location: str, plan: str, throttle: Throttle, workers: int) -> Place:
    """Open a target for a plan.

    Args:
        location: As ``location_of`` gives it.
        plan: ``Plan.id``.
        throttle: What all traffic passes.
        workers: Threads that will use it.

    Raises:
        UsageError: It is not there.
    """
    if is_database(location):
        from unransom.restore.moving.tables import TablesPlace  # noqa: PLC0415 only where it is used

        return TablesPlace(location, plan, os.environ.get(PASSWORD, ""))
    if location.startswith(BUCKET):
        from unransom.restore.moving.bucket import BucketPlace  # noqa: PLC0415 needs an extra

        return BucketPlace(location, plan, throttle, 4 * workers)
    from unransom.restore.moving.folder import FolderPlace  # noqa: PLC0415 as above

    return FolderPlace(location, plan, throttle)


def room_at(location: str) -> Room:
    """Return what is free at a target.

    Raises:
        UsageError: It is not there.
    """
    with contextlib.closing(open_place(location, "", Throttle(0), 1)) as place:
        return place.room()
