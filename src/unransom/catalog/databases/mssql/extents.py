"""Whose pages are those that lost their header? The other pages of their extent tell.

The server gives a table eight pages at a time once it has more than a few; a page whose neighbours in such an
extent are all of one allocation unit is of that unit as well.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unransom.catalog.databases.mssql.pages import EXTENT

NOBODY = -1
MATES = 2  # pages at least that must agree


def extents_of(entries: NDArray[np.void]) -> NDArray[np.int64]:
    """Return a number for the extent of each page."""
    return (entries["file"].astype(np.int64) << 32 | entries["page"]) // EXTENT


def units_by_extent(
    lost: NDArray[np.void], sound: NDArray[np.void], units: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the allocation unit of each page in ``lost``, ``NOBODY`` where its extent does not tell.

    Args:
        lost: Pages that have a number and no header.
        sound: Pages with a header, of all kinds.
        units: The unit of each of those.
    """
    if not len(sound) or not len(lost):
        return np.full(len(lost), NOBODY, np.int64)
    extents = extents_of(sound)
    order = np.argsort(extents, kind="stable")
    found, firsts, counts = np.unique(extents[order], return_index=True, return_counts=True)
    least = np.minimum.reduceat(units[order], firsts)
    most = np.maximum.reduceat(units[order], firsts)
    owners = np.where((least == most) & (counts >= MATES), least, NOBODY)
    wanted = extents_of(lost)
    place = np.minimum(np.searchsorted(found, wanted), len(found) - 1)
    return np.where(found[place] == wanted, owners[place], NOBODY)
