"""Fragments put together, one module per method; each yields files that are proven by what they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from unransom.recover.carve.board import Board
from unransom.recover.carve.found import Found
from unransom.recover.carve.reassembly import anchored, events, jpeg, ole2, pages, pdf, png, streams
from unransom.recover.carve.reassembly import zip as zips

Method = Callable[[Board, int, int], Iterator[Found]]

# What is proven by sums and offsets comes first, and takes its clusters from all that comes later.
PROVEN: dict[str, Method] = {
    "zip": zips.find,
    "pdf": pdf.find,
    "png": png.find,
    "pages": pages.find,
    "events": events.find,
    "streams": streams.find,
    "anchored": anchored.find,
}
LIKELY: dict[str, Method] = {"ole2": ole2.find, "jpeg": jpeg.find}
METHODS = PROVEN | LIKELY
