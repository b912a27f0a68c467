"""Salsa20 and XSalsa20 with any rounds, also from a raw state (D. J. Bernstein, "The Salsa20 family", 2007).

LockBit 3 fills all 16 words, the four constants included, with random bytes, which no library takes.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from unransom.crypto.ciphers.double_rounds import SALSA, mixed
from unransom.crypto.ciphers.lanes import GROUP
from unransom.crypto.ciphers.stream import BLOCK, MixedBlocks

COUNTER = 8  # word of the state where the block counter begins
CONSTANTS = {16: b"expand 16-byte k", 32: b"expand 32-byte k"}  # by the bytes of the key


class Salsa(MixedBlocks):
    """Salsa20 keystream from a raw state of 16 little-endian words; words 8 and 9 are the block counter."""

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
            nonce: 8 bytes, or 24 (XSalsa20).
            rounds: 20, 12 or 8.
            constants: 16 bytes; those of the standard where empty.
            counter: Number of the first block.

        Raises:
            ValueError: One of them has a length that does not exist.
        """
        if len(nonce) == 24:
            key, nonce = derived(key, nonce[:16], rounds, constants), nonce[16:]
        if len(nonce) != 8:
            raise ValueError(f"a Salsa20 nonce has 8 or 24 bytes, not {len(nonce)}")
        cipher = cls(_start(key, nonce + bytes(8), constants), rounds)
        return cipher.at(counter * BLOCK) if counter else cipher

    def _mix(self, text: NDArray[np.uint8]) -> None:
        mixed(SALSA, self._state, self.low, self.high, self._advance(len(text)), self._rounds, text)


def _start(key: bytes, middle: bytes, constants: bytes) -> bytes:
    """Return the state of constants, key and the four words in the middle."""
    if len(key) not in CONSTANTS:
        raise ValueError(f"a Salsa20 key has 16 or 32 bytes, not {len(key)}")
    constants = constants or CONSTANTS[len(key)]
    one, two, three, four = (constants[index : index + 4] for index in range(0, 16, 4))
    return one + key[:16] + two + middle + three + key[-16:] + four


def derived(key: bytes, nonce: bytes, rounds: int = 20, constants: bytes = b"") -> bytes:
    """Return HSalsa20: the 32 bytes derived from a key and 16 bytes of nonce (Bernstein, 2011)."""
    state = np.frombuffer(_start(key, nonce, constants), "<u4").astype(np.uint32)
    text = np.zeros(GROUP, np.uint8)
    mixed(SALSA, state, COUNTER, COUNTER + 1, np.uint64(int.from_bytes(nonce[8:], "little")), rounds, text)
    block = text[:BLOCK].view("<u4") - state  # a block is the sum of the state before and after the rounds
    return block[[0, 5, 10, 15, 6, 7, 8, 9]].astype("<u4").tobytes()
