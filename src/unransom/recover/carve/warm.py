"""Import this where workers are made from: they then have the machine code that carving needs, and numba.

To load these takes each of them half a second, which is as long as they look at hundreds of megabytes.
"""

from __future__ import annotations

import numpy as np

from unransom.catalog.formats import _jpeg_kernel, _jpeg_units
from unransom.recover.carve._cluster_kernel import hash_clusters, likely_pages
from unransom.recover.carve._coded_kernel import coded
from unransom.recover.carve._map_kernel import begins, classify
from unransom.recover.carve._pairs_kernel import count_new, note
from unransom.recover.carve.scan import mark_finder

_BYTES = np.frombuffer(bytes(4096), np.uint8)
_TABLE = np.zeros(256, np.bool_)
_WORDS, _ROWS = np.zeros(2 * _jpeg_kernel.STATE, np.int64), np.zeros((1, 65), np.int64)
_TABLES = np.zeros((8, _jpeg_kernel.TABLE), np.int32)
_SCAN = (_WORDS, _ROWS, _TABLES, _ROWS, _WORDS, _WORDS.copy(), np.zeros(1, np.uint64))

begins(_BYTES, 512, np.zeros(1 << 16, np.bool_), _WORDS[:1], _BYTES[:4].reshape(1, 4).copy(), _TABLE[:8])
classify(_BYTES, 4096, _TABLE, np.zeros(1, np.uint8))
likely_pages(_BYTES, 4096, np.zeros(1, np.uint8))
hash_clusters(_BYTES.view(np.uint64), 512, np.zeros(1, np.uint64))
coded(_BYTES, 4096, _TABLE, np.zeros(1, np.bool_))
note(_BYTES, np.zeros(1 << 16, np.int32), 1)
count_new(_BYTES, np.zeros(1 << 16, np.int32), 1)
_jpeg_units.decode(_BYTES, False, _SCAN)
mark_finder()
