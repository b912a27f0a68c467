"""Files that were deleted from ext4, by the blocks in which their extents stood.

A file of more than four extents has them in blocks of its own. Deleting clears such a block in memory only:
it is free by then, and is not written again. So it names all extents of the file until another one has it.
Whose they were, and how long the file was, it does not say.

Source: the Linux kernel's documentation, "Extent Tree".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise

from unransom.core.errors import UnreadableError
from unransom.core.streams import Reader
from unransom.evidence.filesystems.ext.inodes import Extent, content, tree
from unransom.evidence.filesystems.ext.layout import Layout, layout
from unransom.evidence.filesystems.remnants import NOWHERE, Remnant, Trace

MOST_NODES = 1 << 16  # of a volume


def remnants(reader: Reader, start: int, places: Iterable[int]) -> Iterator[Remnant]:
    """Yield files of the volume that begins at ``start`` whose extents stand in blocks at ``places``."""
    volume = layout(reader, start)
    if volume is None:
        return
    lists = (_listed(reader, volume, place) for place in islice(places, MOST_NODES))
    for listed in _joined([each for each in lists if each]):
        size = (listed[-1].logical + listed[-1].blocks) * volume.block
        spans = tuple(content(volume, size, listed, NOWHERE))
        yield Remnant(path=b"", size=None, spans=spans, trace=Trace.NODE)


def _listed(reader: Reader, volume: Layout, place: int) -> list[Extent]:
    """Return the extents that the block at ``place`` names; none where they make no sense."""
    found: list[Extent] = []
    try:
        node = reader.read_at(place, volume.block)
        if len(node) < volume.block or not tree(reader, volume, node, found):
            return []
    except UnreadableError:
        return []
    in_order = all(one.logical + one.blocks <= other.logical for one, other in pairwise(found))
    return found if in_order else []


def _joined(lists: list[list[Extent]]) -> Iterator[list[Extent]]:
    """Yield the lists that begin with a file, each with those that go on where it ends."""
    following: dict[int, list[list[Extent]]] = defaultdict(list)
    for each in lists:
        following[each[0].logical].append(each)
    for first in following.pop(0, ()):
        listed = list(first)
        while len(more := following[listed[-1].logical + listed[-1].blocks]) == 1:
            listed += more[0]
        yield listed
