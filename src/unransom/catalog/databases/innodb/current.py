"""Which leaf pages of a table are in its tree now."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.innodb import pages
from unransom.catalog.databases.innodb.liveness import leaves
from unransom.catalog.databases.innodb.origin import Found
from unransom.catalog.databases.innodb.tablespace import Current
from unransom.catalog.databases.innodb.tree import Tree, tree_of
from unransom.catalog.databases.innodb.unnamed import left_behind


def current_leaves(found: Found) -> NDArray[np.int64]:
    """Return the sound leaf pages that are in the tree now; one that it has let go of keeps its rows."""
    return current(found).leaves


def current(found: Found) -> Current:
    """Return which pages are in the tree, and which are not; see ``tree`` and ``unnamed``."""
    space = found.space
    if found.owner not in space.current:
        tree = tree_of(found)
        outside, sure = tree.outside.copy(), np.ones(len(space.table), np.float32)
        if (tree.nodes & ~tree.outside & ~tree.inside).any():
            left, sure = left_behind(found, tree)
            outside[left] = True
        numbers = leaves(space.table, found.owner)
        kept = numbers[~outside[numbers]]
        space.current[found.owner] = Current(kept, sure, _named(space.table, kept, tree, outside), outside)
    return space.current[found.owner]


def _named(
    table: NDArray[np.void], numbers: NDArray[np.int64], tree: Tree, outside: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return the pages that are in the tree by the books, by the level above, or by their neighbours."""
    named = tree.inside.copy()
    named[numbers] = True
    torn = np.flatnonzero((table["verdict"] == pages.TORN) & tree.nodes & ~outside)
    for some in (numbers, torn):
        for neighbours in (tree.before[some], tree.after[some]):
            named[neighbours[(neighbours >= 0) & (neighbours < len(table))]] = True
    return named & ~outside
