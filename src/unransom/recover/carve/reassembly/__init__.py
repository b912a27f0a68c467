"""Fragments put together, one module per method; each yields files that are proven by what they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from unransom.recover.carve.board import Board
from unransom.recover.carve.found import Found
from unransom.recover.carve.reassembly import png
from unransom.recover.carve.reassembly import zip as zips

Method = Callable[[Board, int, int], Iterator[Found]]

# In the order of value: what is proven by more takes its clusters first.
METHODS: dict[str, Method] = {
    "zip": zips.find,
    "png": png.find,
}
