"""Keys of ChaCha20 as OpenSSL and Go keep them: without the constants that give other states away.

OpenSSL's ``EVP_CHACHA_KEY`` and the ``Cipher`` of Go's x/crypto/chacha20 are the same for the eye: key 32,
counter and nonce 16, a block of keystream 64 of which something is left, and how much of it is. Where a part
of a block is left, the key must give it; where none is, the block is zeros and what stands before it a guess.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unransom.core.keys import KeyKind
from unransom.core.messages import say
from unransom.crypto.ciphers.at_once import decrypted
from unransom.crypto.ciphers.chacha import ChaCha
from unransom.crypto.noise import is_noise
from unransom.crypto.search.memory.candidate import Candidate, Clues, Finder, Memory

NAME = "ChaCha contexts"
KEY, TAIL, BLOCK = 32, 16, 64  # bytes
LEFT = KEY + TAIL + BLOCK  # where it stands how much of the block is left, or is used
SIZE = LEFT + 8
NO_POINTER = np.uint64(1 << 48)  # addresses, lengths and small numbers are less
HIGHEST = 1 << 28  # blocks that a counter which began at zero may have come to
LEAST = 8  # bytes of keystream that prove a key
GUESS = 40  # bits: a key before zeros
LIMIT = 4096  # places in one piece of memory


def find(memory: Memory, clues: Clues) -> Iterator[Candidate]:
    """Yield the keys of contexts at every eighth byte: programs' memory is aligned to as many."""
    del clues
    for at in _places(memory).tolist():
        data = memory[at : at + SIZE].tobytes()
        key, tail, block = data[:KEY], data[KEY : KEY + TAIL], data[KEY + TAIL : LEFT]
        if not is_noise(key):
            continue
        if any(block):
            told = _agreeing(key, tail, block)
            if told >= LEAST:
                yield _candidate(key, tail, at, min(8 * told, 8 * BLOCK))
        elif data[LEFT] == 0 and 0 < int.from_bytes(tail[:4], "little") < HIGHEST:
            yield _candidate(key, tail, at, GUESS)


def _places(memory: Memory) -> NDArray[np.int64]:
    """Return where 32 bytes are no addresses, and a number below 64 stands where it must."""
    words = memory[: len(memory) // 8 * 8].view(np.uint64)
    count = len(words) - SIZE // 8 + 1
    if count <= 0:
        return np.empty(0, np.int64)
    end = words[LEFT // 8 - 1 :][:count]  # of the block
    fitting = (words[LEFT // 8 :][:count] < BLOCK) & ((end == 0) | (end >= NO_POINTER))
    for word in range(KEY // 8):
        fitting &= words[word : word + count] >= NO_POINTER
    return 8 * np.flatnonzero(fitting)[:LIMIT]


def _agreeing(key: bytes, tail: bytes, block: bytes) -> int:
    """Return how many bytes at the end of ``block`` the key gives: Go keeps no others as they are."""
    before = (int.from_bytes(tail[:4], "little") - 1) % (1 << 32)
    nonce = before.to_bytes(4, "little") + tail[4:]
    stream = decrypted(ChaCha.from_key(key, nonce), bytes(BLOCK))
    differing = np.flatnonzero(np.frombuffer(stream, np.uint8) != np.frombuffer(block, np.uint8))
    return BLOCK - 1 - int(differing[-1]) if len(differing) else BLOCK


def _candidate(key: bytes, tail: bytes, at: int, bits: int) -> Candidate:
    why = say("a context of ChaCha20 around it, as OpenSSL and Go keep them")
    return Candidate(
        finder=NAME, kind=KeyKind.RAW, data=key, offset=at, bits=bits, why=why, parts={"tail": tail}
    )


FINDER = Finder(NAME, SIZE, find)
