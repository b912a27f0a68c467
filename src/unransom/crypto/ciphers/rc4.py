"""RC4 with a key of any length, and with its first bytes dropped."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from unransom.crypto.ciphers.stream import Keystream


@njit(cache=True, nogil=True)
def _begin(key: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the permutation and, behind it, the two indexes."""
    state = np.zeros(258, np.uint8)
    for index in range(256):
        state[index] = index
    other = 0
    for index in range(256):
        other = (other + state[index] + key[index % len(key)]) & 255
        state[index], state[other] = state[other], state[index]
    return state


@njit(cache=True, nogil=True)
def _run(state: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    """Fill ``out`` with keystream."""
    i, j = np.int64(state[256]), np.int64(state[257])
    for index in range(len(out)):
        i = (i + 1) & 255
        a = state[i]
        j = (j + np.int64(a)) & 255
        b = state[j]
        state[i], state[j] = b, a
        out[index] = state[(np.int64(a) + np.int64(b)) & 255]
    state[256], state[257] = i, j


class Rc4(Keystream):
    """RC4 keystream."""

    def __init__(self, key: bytes, drop: int = 0) -> None:
        """Start with ``key``, 1 to 256 bytes, behind the first ``drop`` bytes of the keystream."""
        super().__init__()
        if not 1 <= len(key) <= 256:
            raise ValueError(f"an RC4 key has 1 to 256 bytes, not {len(key)}")
        self._state = _begin(np.frombuffer(key, np.uint8).copy())
        self.skip(drop)

    def _fill(self, words: NDArray[np.uint32]) -> None:
        _run(self._state, words.view(np.uint8))
