"""ChaCha and XChaCha with any rounds, constants and counter (D. J. Bernstein, 2008; RFC 8439).

Lockers change the constants, the rounds and where the counter starts, which no library takes.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from unransom.crypto.ciphers.double_rounds import CHACHA, mixed
from unransom.crypto.ciphers.lanes import GROUP
from unransom.crypto.ciphers.stream import BLOCK, MixedBlocks

COUNTER = 12  # word of the state where the block counter begins
CONSTANTS = {16: b"expand 16-byte k", 32: b"expand 32-byte k"}  # by the bytes of the key


class ChaCha(MixedBlocks):
    """ChaCha keystream from a raw state of 16 little-endian words."""

    group = GROUP

    def __init__(self, state: bytes, rounds: int = 20, low: int = COUNTER, high: int = COUNTER + 1) -> None:
        """Start with ``state``, 64 bytes; the counter in it has 64 bits unless ``high`` is ``low``."""
        super().__init__(state, rounds, low, high)

    @classmethod
    def from_key(
        cls, key: bytes, nonce: bytes, rounds: int = 20, *, constants: bytes = b"", counter: int = 0
    ) -> Self:
        """Return the cipher of a key and a nonce.

        Args:
            key: 16 or 32 bytes.
            nonce: 8 bytes (the counter has 64 bits then), 12 (32 bits), 16 (counter and nonce as
                OpenSSL takes them, 64 bits), or 24 (XChaCha, 64 bits).
            rounds: 20, 12 or 8.
            constants: 16 bytes; those of the standard where empty.
            counter: Number of the first block, added to the one in a nonce of 16 bytes.

        Raises:
            ValueError: One of them has a length that does not exist.
        """
        if len(nonce) == 24:
            key, nonce = derived(key, nonce[:16], rounds, constants), nonce[16:]
        if len(nonce) not in {8, 12, 16}:
            raise ValueError(f"a ChaCha nonce has 8, 12, 16 or 24 bytes, not {len(nonce)}")
        high = COUNTER if len(nonce) == 12 else COUNTER + 1
        cipher = cls(_start(key, bytes(16 - len(nonce)) + nonce, constants), rounds, COUNTER, high)
        return cipher.at(counter * BLOCK) if counter else cipher

    def _mix(self, text: NDArray[np.uint8]) -> None:
        mixed(CHACHA, self._state, self.low, self.high, self._advance(len(text)), self._rounds, text)


def _start(key: bytes, last: bytes, constants: bytes) -> bytes:
    """Return the state of constants, key and the last four words."""
    if len(key) not in CONSTANTS:
        raise ValueError(f"a ChaCha key has 16 or 32 bytes, not {len(key)}")
    return (constants or CONSTANTS[len(key)]) + key * (32 // len(key)) + last


def derived(key: bytes, nonce: bytes, rounds: int = 20, constants: bytes = b"") -> bytes:
    """Return HChaCha: the 32 bytes derived from a key and 16 bytes of nonce (draft-irtf-cfrg-xchacha)."""
    state = np.frombuffer(_start(key, nonce, constants), "<u4").astype(np.uint32)
    text = np.zeros(GROUP, np.uint8)
    mixed(CHACHA, state, COUNTER, COUNTER + 1, np.uint64(int.from_bytes(nonce[:8], "little")), rounds, text)
    block = text[:BLOCK].view("<u4") - state  # a block is the sum of the state before and after the rounds
    return block[[0, 1, 2, 3, 12, 13, 14, 15]].astype("<u4").tobytes()
