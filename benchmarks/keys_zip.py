"""Known plaintext of ZIP archives: candidates a second, on a file like bkcrack's published example.

The example is an archive with a stored SVG of which the XML header of 20 bytes is known. bkcrack's tutorial
shows 542,303 values of Z for it, and 183,750 of them tried in 13 minutes and 41 seconds on its author's
machine, with a number of threads that it does not say: 224 a second. The same method in Python's numba, with
what is found going down level by level, is measured here; what one core takes for all candidates is said.
"""

from __future__ import annotations

import sys
import time
import zipfile
from pathlib import Path

from keys_row import Row

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.lockers import drawn
from tests.lockers.zipcrypto import archive, seal
from unransom.crypto.search.zipcrypto.known_plaintext import KnownPlaintext

HEADER = b'<?xml version="1.0" '
PUBLISHED = 183_750 / (13 * 60 + 41)  # candidates a second, in bkcrack's tutorial


def rows(seconds: float, *, peers: bool = False) -> list[Row]:
    """Return the rate, and that of the reduction which comes first."""
    del peers
    name = "spiral.svg"
    plain = archive({name: HEADER + drawn("spiral", 1000)}, 0, method=zipfile.ZIP_STORED)
    locked = seal(plain, b"W4sF0rgotten")
    start = 30 + len(name) + 12
    KnownPlaintext(drawn("compiles", 20), HEADER).over(0, 1)
    began = time.process_time()
    known = KnownPlaintext(locked[start : start + len(HEADER)], HEADER)
    reduction = time.process_time() - began
    tried, spent, began = 0, 0.0, time.process_time()
    while spent < seconds:
        known.over(tried, tried + 64)
        tried += 64
        spent = time.process_time() - began
    whole = len(known) * spent / tried / 60
    published = f"{PUBLISHED:.0f} in bkcrack's tutorial, threads unknown"
    return [
        Row(
            "Biham and Kocher, 20 known bytes",
            "candidates",
            tried / spent,
            tried / spent,
            note=f"{len(known):,} of them: {whole:.0f} minutes of one core; {published}",
        ),
        Row("reduction to these candidates", "reductions", 1 / reduction, 1 / reduction),
    ]
