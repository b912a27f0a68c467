"""The step, in three turns: look at regions, put fragments together, write what was found.

Each turn takes a record and yields records; who runs them in parallel, and what is remembered between two
runs, is not its business.
"""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.formats import FORMATS
from unransom.core.context import Context
from unransom.core.records import Record
from unransom.core.spans import Span
from unransom.core.streams import Reader, Salvage, chunks
from unransom.recover.carve.board import Board
from unransom.recover.carve.found import Found
from unransom.recover.carve.reassembly import METHODS
from unransom.recover.carve.records import Batch, Carved, Looked, Puzzle, Region, Target
from unransom.recover.carve.scan import scan
from unransom.recover.carve.space import Space, Spliced
from unransom.recover.carve.whole import Wholes

EXTENSIONS = {each.name: each.extensions[0] for each in FORMATS}


def look(item: Region, context: Context) -> Iterator[Record]:
    """Yield what stands in a region, and the whole files that begin there."""
    with context.open(item.target.ref) as image:
        space = space_of(item.target, image)
        seen = scan(space, item.span, item.target.cluster)
        wholes = Wholes(space, item.span)
        found = tuple(wholes.find(seen.heads.tolist()))
        yield Looked(scan=seen, found=found, skipped=wholes.skipped, starts=tuple(wholes.starts))


def join(item: Puzzle, context: Context) -> Iterator[Found]:
    """Yield the files that one method puts together."""
    with context.open(item.target.ref) as image:
        board = Board.load(item.board, space_of(item.target, image), item.target.cluster)
        yield from METHODS[item.method](board, item.part, item.parts)


def write(item: Batch, context: Context) -> Iterator[Carved]:
    """Write files out and yield a record of each."""
    if context.outputs is None:
        return
    with context.open(item.target.ref) as image:
        space = space_of(item.target, image)
        for found in item.found:
            extents = tuple(space.extents(found.spans))
            with context.outputs.draft() as draft:
                for piece in chunks(Spliced(space, found.spans)):
                    draft.write(piece)
                path, digests = draft.keep(output_path(item.target, found, extents))
            yield Carved(
                source=item.target.ref.source,
                path=path,
                digests=digests,
                format=found.format,
                proof=found.proof.title,
                bits=found.bits,
                why=found.why,
                extents=extents,
            )


def space_of(target: Target, image: Reader) -> Space:
    """Return the space of ``target`` on its open image; what cannot be read there is zeros."""
    return Space(Salvage(image), target.spans or None)


def output_path(target: Target, found: Found, extents: tuple[Span, ...]) -> bytes:
    """Return where a file without a name belongs: by its type, its source and where it begins."""
    name = f"carved/{found.format}/{target.ref.source}-{extents[0].start:012x}.{EXTENSIONS[found.format]}"
    return name.encode()
