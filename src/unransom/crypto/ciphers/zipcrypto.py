"""The old encryption of ZIP archives (PKWARE APPNOTE 6.1), from its three words of state on."""

from __future__ import annotations

import numpy as np

from unransom.crypto.search.zipcrypto import kernel

START = (0x12345678, 0x23456789, 0x34567890)
WORDS = 3


class ZipCrypto:
    """Decrypts a member, its header of twelve bytes first."""

    spill = 1 << 62  # a byte that is wrong makes all that follow wrong

    def __init__(self, state: bytes) -> None:
        """Begin with ``state``: X, Y and Z as they are before a member's header, little-endian."""
        self._state = np.frombuffer(state, "<u4").astype(np.uint32)

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """Decrypt ``data`` into ``out`` of the same length; they may be the same memory."""
        kernel.decrypt(self._state, np.frombuffer(data, np.uint8), np.frombuffer(out, np.uint8))


def state_of(password: bytes) -> bytes:
    """Return the state that every member of an archive begins with under ``password``."""
    state = np.array(START, np.uint32)
    kernel.feed(state, np.frombuffer(password, np.uint8))
    return state.astype("<u4").tobytes()
