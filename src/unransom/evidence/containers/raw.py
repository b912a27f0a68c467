"""Raw images and devices, also split into ``name.001``, ``name.002``, …: the disk's bytes as they are."""

from __future__ import annotations

import itertools
import os
import re

from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.evidence.containers.mapped import Joined
from unransom.evidence.containers.opening import Opening

FIRST_SEGMENT = re.compile(rb"\.(0{2,}[01])$")


def claims(head: bytes, tail: bytes, size: int) -> bool:
    """Return True: what is nothing else is taken as it is."""
    return True


def open_disk(opening: Opening) -> Reader:
    """Open a device, an image file, or all segments of a split one.

    Raises:
        OSError: A segment cannot be opened.
    """
    paths = segments(opening.path)
    for name in missing_segments(opening.path):
        opening.files.note(
            name,
            say("the segments before this one are not all there"),
            say("the image was read up to the gap; put the missing segments beside the others"),
        )
    if len(paths) == 1:
        return opening.reader
    return Joined([opening.files.open(path) for path in paths])


def segments(path: bytes) -> list[bytes]:
    """Return ``path`` and the segments that follow it without a gap, in order."""
    found = FIRST_SEGMENT.search(path)
    if not found:
        return [path]
    digits = found.group(1)
    stem = path[: found.start(1)]
    names = (stem + b"%0*d" % (len(digits), number) for number in itertools.count(int(digits)))
    return [path, *itertools.takewhile(os.path.isfile, itertools.islice(names, 1, None))]


def missing_segments(path: bytes) -> list[bytes]:
    """Return the names of segments that lie beyond a gap: the image ends early, and they are not read."""
    present = segments(path)
    if not FIRST_SEGMENT.search(path):
        return []
    folder, _, name = path.rpartition(b"/")
    stem, _, digits = name.rpartition(b".")
    wanted = re.compile(re.escape(stem) + rb"\.\d{%d}$" % len(digits))
    known = {each.rpartition(b"/")[2] for each in present}
    with os.scandir(folder or b"/") as entries:
        return sorted(
            entry.name
            for entry in entries
            if wanted.match(entry.name) and entry.name not in known and entry.name > name
        )
