"""Known plaintext of ZIP archives: candidates a second, on bkcrack's published example, beside its method.

The example is an archive with a stored SVG of which the XML header of 20 bytes is known, under a password
whose state is published: c4490e28 b414a23d 91404b31. Its bytes cannot be had here, so a member of the same
name, method, password and known bytes stands for it, and that state must come out of both searches. The peer
is the published method written plainly in numba, one way down after the other, on the same candidates in the
same run; bkcrack itself is no package of Debian or PyPI. Its tutorial tells 542,303 values of Z for the
example, and 183,750 of them tried in 13 minutes and 41 seconds on its author's machine: 224 a second, threads
unknown.
"""

from __future__ import annotations

import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import keys_zip_public
from keys_row import Row

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.lockers import drawn
from tests.lockers.zipcrypto import archive, seal
from unransom.crypto.ciphers.zipcrypto import feed, state_of
from unransom.crypto.search.zipcrypto import kernel

NAME = "spiral.svg"
HEADER = b'<?xml version="1.0" '
PASSWORD = b"W4sF0rgotten"
STATE = bytes.fromhex("280e49c4 3da214b4 314b4091")  # as published, each word little-endian
PUBLISHED = 183_750 / (13 * 60 + 41)  # candidates a second, in bkcrack's tutorial
AT_ONCE = 64  # candidates between looks at the clock
NEAR = 32  # candidates around the right one that both must find it among


class Example(NamedTuple):
    """The example as both searches take it.

    Attributes:
        locked, plain: The known bytes.
        candidates: Values of Z, at ``place``.
        place: Of a known byte.
        right: Which candidate is the right one.
        state: X, Y and Z there.
    """

    locked: Any
    plain: Any
    candidates: Any
    place: int
    right: int
    state: Any

    def ours(self, start: int, end: int) -> Any:
        found = np.zeros((1, 3), np.uint32)
        plain = self.plain.astype(np.int16)
        kernel.attack(self.candidates[start:end], self.locked, plain, self.place, found)
        return found[0]

    def public(self, start: int, end: int) -> Any:
        stream = self.locked ^ self.plain
        return keys_zip_public.searched(self.candidates[start:end], stream, self.plain, self.place)


def example() -> Example:
    """Make the example."""
    plain = archive({NAME: HEADER + drawn("spiral", 1000)}, 0, method=zipfile.ZIP_STORED)
    start = 30 + len(NAME) + 12
    locked = np.frombuffer(seal(plain, PASSWORD), np.uint8)[start : start + len(HEADER)].copy()
    known = np.frombuffer(HEADER, np.uint8)
    candidates, place = kernel.reduced(locked ^ known, 7)
    if state_of(PASSWORD) != STATE:
        raise SystemExit("the published password gives another state")
    state = np.frombuffer(STATE, "<u4").astype(np.uint32)
    feed(state, np.frombuffer(drawn(NAME, 11) + bytes([zipfile_check(plain)]), np.uint8))
    feed(state, known[:place])
    (right,) = np.flatnonzero(candidates == state[2] & kernel.MASK_2_32)
    return Example(locked, known, candidates, int(place), int(right), state)


def zipfile_check(plain: bytes) -> int:
    """Return the last byte of the member's header."""
    return int.from_bytes(plain[14:18], "little") >> 24


def _rate(search: Callable[[int, int], Any], seconds: float) -> float:
    """Return candidates a second of processor time."""
    tried, began = 0, time.process_time()
    while time.process_time() - began < seconds:
        search(tried, tried + AT_ONCE)
        tried += AT_ONCE
    return tried / (time.process_time() - began)


def rows(seconds: float, *, peers: bool = False) -> list[Row]:
    """Return the rates of both, and that of the reduction which comes first."""
    del peers
    case = example()
    for search in (case.ours, case.public):
        if list(search(max(case.right - NEAR, 0), case.right + NEAR)) != list(case.state):
            raise SystemExit("the published state does not come out")
    own, public = _rate(case.ours, seconds), _rate(case.public, seconds)
    began = time.process_time()
    kernel.reduced(case.locked ^ case.plain, 7)
    reduction = time.process_time() - began
    count = len(case.candidates)
    note = f"{count:,} of them: {count / own / 60:.0f} minutes of one core; {own / public:.1f} times the next"
    published = f"one by one; {PUBLISHED:.0f} in bkcrack's tutorial, threads unknown"
    return [
        Row("Biham and Kocher, 20 known bytes", "candidates", own, own, note=note),
        Row("the same as published, in numba", "candidates", public, public, note=published),
        Row("reduction to these candidates", "reductions", 1 / reduction, 1 / reduction),
    ]
