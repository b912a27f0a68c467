"""The step: an object's version from before the locking in, its copy out, under the name of the object."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from unransom.core.context import Context
from unransom.core.records import FileRef, Record
from unransom.recover.copy.step import copied


def run(ref: FileRef, context: Context) -> Iterator[Record]:
    """Copy an older version; ``ref`` has the number of the locked file, and says why this version."""
    yield from copied(ref, context, msgspec.structs.replace(ref, version="").output_path())
