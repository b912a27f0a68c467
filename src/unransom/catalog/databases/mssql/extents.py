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


def units_by_extent(
    lost: NDArray[np.int64], sound: NDArray[np.int64], units: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the allocation unit of each page in ``lost``, ``NOBODY`` where its extent does not tell.

    Args:
        lost: Keys of pages that have a number and no header.
        sound: Keys of pages with a header, of all kinds, sorted.
        units: The unit of each of those.
    """
    if not len(sound) or not len(lost):
        return np.full(len(lost), NOBODY, np.int64)
    extents = sound // EXTENT
    firsts = np.flatnonzero(np.append(True, extents[1:] != extents[:-1]))
    found, counts = extents[firsts], np.diff(np.append(firsts, len(extents)))
    least, most = np.minimum.reduceat(units, firsts), np.maximum.reduceat(units, firsts)
    owners = np.where((least == most) & (counts >= MATES), least, NOBODY)
    wanted = lost // EXTENT
    place = np.minimum(np.searchsorted(found, wanted), len(found) - 1)
    return np.where(found[place] == wanted, owners[place], NOBODY)
