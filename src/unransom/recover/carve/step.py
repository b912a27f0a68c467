"""The step, in turns: look at regions, follow leads, put fragments together, write what was found.

Each turn takes a record and yields records; who runs them in parallel, and what is remembered between two
runs, is not its business.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import numpy as np

from unransom.core.context import Context
from unransom.core.hashing import Digests, Hasher, digest
from unransom.core.outputs import TEMPORARY, Outputs
from unransom.core.records import Record
from unransom.core.spans import Span
from unransom.core.streams import BytesReader, Reader, Salvage, chunks
from unransom.recover.carve import known
from unransom.recover.carve.board import Board
from unransom.recover.carve.found import Found
from unransom.recover.carve.kinds import extension_of
from unransom.recover.carve.leads import follow
from unransom.recover.carve.mapping import overlaid_of
from unransom.recover.carve.reassembly import METHODS
from unransom.recover.carve.records import (
    CLUSTERS,
    Acquainted,
    Batch,
    Carved,
    Leads,
    Looked,
    Puzzle,
    Region,
    Target,
)
from unransom.recover.carve.scan import scan
from unransom.recover.carve.space import BlockReader, Space, Spliced
from unransom.recover.carve.whole import Wholes

LATEST = 1 << 62  # nanoseconds since 1970 that a file system takes
NAMED, UNNAMED = b"named/", b"carved/"  # what outputs come under


def look(item: Region, context: Context) -> Iterator[Record]:
    """Yield what stands in a region, and the whole files that begin there."""
    with context.open(item.target.ref) as image:
        space = space_of(item.target, image)
        seen = scan(space, item.span, item.target.cluster, known.marker(item.known, item.target.cluster))
        wholes = Wholes(space, item.span)
        found = tuple(_told(each, space, item.target.cluster) for each in wholes.find(seen.heads.tolist()))
        overlaid, seen.pages = overlaid_of(seen, wholes.starts), None
        starts = np.array(wholes.starts, np.int64)
        aligned = tuple(int(np.count_nonzero(starts % cluster == 0)) for cluster in CLUSTERS)
        yield Looked(scan=seen, found=found, skipped=wholes.skipped, aligned=aligned, overlaid=overlaid)


def acquaint(item: Acquainted, context: Context) -> Iterator[known.Learnt]:
    """Yield the hashes of the clusters of files that are there."""
    yield known.learn(item, context)


def pursue(item: Leads, context: Context) -> Iterator[Found]:
    """Yield the files that still lie where the file system says."""
    with context.open(item.target.ref) as image:
        space = space_of(item.target, image)
        for lead in item.leads:
            if (found := follow(lead, space)) is not None:
                yield _told(found, space, item.target.cluster)


def join(item: Puzzle, context: Context) -> Iterator[Found]:
    """Yield the files that one method puts together."""
    with context.open(item.target.ref) as image:
        board = Board.load(item.board, space_of(item.target, image), item.target.cluster)
        for found in METHODS[item.method](board, item.part, item.parts):
            yield _told(found, board.space, board.cluster)


def write(item: Batch, context: Context) -> Iterator[Carved]:
    """Write files out and yield a record of each; where the batch is dry, only read them."""
    if context.outputs is None:
        return
    with context.open(item.target.ref) as image:
        space = space_of(item.target, image)
        for found in item.found:
            if item.dry:
                path, digests = b"", digest(_content(found, space))
            else:
                place = output_path(item.target, found, tuple(space.extents(found.spans)))
                path, digests = _kept(found, space, place, context.outputs)
            yield carved_of(item.target, found, space, path, digests)


def carved_of(target: Target, found: Found, space: Space, path: bytes, digests: Digests) -> Carved:
    """Return the record of a file.

    Args:
        target: Where it was found.
        found: The file.
        space: Of the target.
        path: Where it was written, b"" where it was not.
        digests: Its size and hashes, "" where they are not known.
    """
    return Carved(
        source=target.ref.source,
        path=path,
        digests=digests,
        format=found.format,
        proof=found.proof.title,
        bits=found.bits,
        why=found.why,
        extents=tuple(space.extents(found.spans)),
        original=found.path,
        named_by=found.named_by,
        modified=found.modified,
    )


def _kept(found: Found, space: Space, path: bytes, outputs: Outputs) -> tuple[bytes, Digests]:
    """Write a file; return its path and digests.

    It is not flushed by itself, which would take longer than all else: whoever runs the step does that once.
    """
    draft = outputs.scratch + b"/" + TEMPORARY + secrets.token_hex(8).encode()
    hasher = Hasher()
    with open(draft, "xb") as file:  # noqa: PTH123 bytes
        for piece in chunks(_content(found, space)):
            hasher.update(piece)
            file.write(piece)
    digests = hasher.digests()
    if found.modified is not None:
        os.utime(draft, ns=(min(max(found.modified, 0), LATEST),) * 2)
    placed = outputs.place(draft, path, digests)
    os.unlink(draft)  # noqa: PTH108 bytes
    return placed, digests


def _content(found: Found, space: Space) -> Reader:
    return BytesReader(found.content) if found.content else Spliced(space, found.spans)


def _told(found: Found, space: Space, cluster: int) -> Found:
    """Return ``found`` with the extension that it should have, and what stands behind it in its cluster."""
    found.extension = extension_of(found.format, _content(found, space))
    end = found.spans[-1].end if found.spans else 0
    found.slack = len(space.read_at(end, -end % cluster).rstrip(b"\0"))
    return found


def space_of(target: Target, image: Reader) -> Space:
    """Return the space of ``target`` on its open image; what cannot be read there is zeros."""
    return Space(BlockReader(Salvage(image)), target.spans)


def output_path(target: Target, found: Found, extents: tuple[Span, ...]) -> bytes:
    """Return where a file belongs: by its path, or by its type, its source and where it begins."""
    if found.path:
        return NAMED + found.path
    name = f"{target.ref.source}-{extents[0].start if extents else 0:012x}"
    return UNNAMED + f"{found.format or 'unknown'}/{name}.{found.extension or 'bin'}".encode()
