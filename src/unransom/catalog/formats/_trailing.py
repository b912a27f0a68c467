"""Bytes behind the end of a file, or in gaps of it: harmless, or such as a locker leaves?"""

from __future__ import annotations

import string

import numpy as np

from unransom.catalog.formats._findings import Findings
from unransom.core.messages import say
from unransom.core.stats import DEVIATION, block_chi_squares
from unransom.core.streams import Reader

SHORT = 16  # so few bytes tell nothing
WINDOW = 256
SAMPLE = 1 << 16  # looked at from each end of a long trailer
PLAIN = np.isin(np.arange(256), np.frombuffer(b"\0\xff" + string.printable.encode(), np.uint8))
UNIFORM = 255 + 5 * DEVIATION  # chi-square of a window below which its bytes look random


def looks_random(data: bytes) -> bool:
    """Return whether some of ``data`` looks encrypted; False for 16 bytes or fewer.

    Random bytes are plain (printable, 0 or 255) with probability 0.4, so of 17 bytes less than
    two in three; longer data is judged by windows, since a locker may pad its footer.
    """
    if len(data) <= SHORT:
        return False
    if len(data) < WINDOW:
        return float(PLAIN[np.frombuffer(data, np.uint8)].mean()) < 2 / 3
    # Windows from the start on, and windows to the end: padding may stand on either side.
    return _has_random_window(data) or _has_random_window(data[len(data) % WINDOW :])


def _has_random_window(data: bytes) -> bool:
    values = np.frombuffer(data, np.uint8)[: len(data) // WINDOW * WINDOW]
    shares = PLAIN[values].reshape(-1, WINDOW).mean(axis=1)
    return bool(((block_chi_squares(data, WINDOW) < UNIFORM) & (shares < 2 / 3)).any())


def random_between(reader: Reader, start: int, end: int) -> bool:
    """Return whether the bytes from ``start`` to ``end`` look encrypted at either end of them."""
    if end - start <= 2 * SAMPLE:
        return looks_random(reader.read_at(start, end - start))
    return looks_random(reader.read_at(start, SAMPLE)) or looks_random(reader.read_at(end - SAMPLE, SAMPLE))


def check_trailer(reader: Reader, end: int, findings: Findings) -> None:
    """Record a fault where the bytes behind ``end``, the file's end by its structure, look encrypted."""
    if end < reader.size and random_between(reader, end, reader.size):
        findings.fault(
            end,
            reader.size,
            say(
                "{count} bytes that look encrypted follow the end of the file at byte {offset}",
                count=reader.size - end,
                offset=end,
            ),
        )
