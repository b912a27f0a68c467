"""Where runs of characters lie that a key may be written in, in one pass over memory."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


@njit(nogil=True)
def _edge(memory: Bytes, start: int, step: int, members: Bytes, most: int) -> int:
    """Return where, from ``start`` on in steps, the run has its last member, at most ``most`` steps on."""
    at = start
    for _ in range(most):
        following = at + step
        if following < 0 or following >= len(memory) or not members[memory[following]]:
            break
        at = following
    return at


@njit(cache=True, nogil=True)
def find_runs(
    memory: Bytes, members: Bytes, stride: int, least: int, most: int, out: NDArray[np.int64]
) -> int:
    """Fill ``out`` with the runs of members of ``least`` to ``most`` characters; return how many there are.

    Every ``least`` characters one is looked at, so that no run is stepped over.

    Args:
        memory: The bytes.
        members: 256 flags: which bytes belong to runs.
        stride: Bytes of a character: 2 for UTF-16, whose high bytes must be zero.
        least: Characters of the shortest run.
        most: Characters of the longest one.
        out: First byte and characters of each.
    """
    found = 0
    for phase in range(stride):
        at = phase + (least - 1) * stride
        while at < len(memory) and found < len(out):
            if not members[memory[at]] or (stride == 2 and (at + 1 >= len(memory) or memory[at + 1])):
                at += least * stride
                continue
            first = _edge(memory, at, -stride, members, most + 1)
            last = _edge(memory, at, stride, members, most + 1)
            length = (last - first) // stride + 1
            wide = stride == 1
            if not wide and length <= most:
                wide = not memory[first + 1 : last + stride : stride].any()
            if least <= length <= most and wide:
                out[found, 0], out[found, 1] = first, length
                found += 1
            at = last + least * stride
    return found
