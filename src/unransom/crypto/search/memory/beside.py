"""Keys that stand near bytes which are known: a nonce, a public key, a wrapped key from a file's tail.

Lockers keep these in one structure, or draw them from the generator into neighbouring buffers.
"""

from __future__ import annotations

from collections.abc import Iterator

from unransom.core.keys import KeyKind
from unransom.core.messages import say
from unransom.crypto.agreement import X25519_SIZE, x25519_public
from unransom.crypto.noise import is_noise
from unransom.crypto.search.memory.candidate import Candidate, Clues, Finder, Memory

NAME = "keys beside known bytes"
NEAR = 512  # bytes on either side
SCALARS_NEAR = 8192  # the same for scalars, which their public key proves
STEP = 4
SIZES = (32, 16)
LEAST = 8  # bytes of what is known: shorter ones stand everywhere
MOST = 16  # places of each that are looked at
BITS = 16
PROVEN = 250


def find(memory: Memory, clues: Clues) -> Iterator[Candidate]:
    """Yield the scalars of known public keys, and windows near other known bytes."""
    if not (clues.publics or clues.beside):
        return
    data = memory.tobytes()
    for public in clues.publics:
        if len(public) == X25519_SIZE:
            yield from _scalars(data, public)
    for known in clues.beside:
        if len(known) >= LEAST:
            yield from _windows(data, known)


def _places(data: bytes, known: bytes) -> Iterator[int]:
    """Yield the first places where ``known`` stands."""
    at = data.find(known)
    for _ in range(MOST):
        if at < 0:
            return
        yield at
        at = data.find(known, at + 1)


def _around(data: bytes, at: int, length: int, size: int, near: int) -> Iterator[tuple[int, bytes]]:
    """Yield the windows of ``size`` bytes around ``length`` bytes at ``at``, the nearest ones first."""
    for away in range(0, near, STEP):
        for start in (at + length + away, at - size - away):
            window = data[max(start, 0) : max(start, 0) + size]
            if start >= 0 and len(window) == size and is_noise(window):
                yield start, window


def _scalars(data: bytes, public: bytes) -> Iterator[Candidate]:
    """Yield the scalar of ``public`` if it lies near it."""
    for at in _places(data, public):
        for start, window in _around(data, at, X25519_SIZE, X25519_SIZE, SCALARS_NEAR):
            if x25519_public(window) == public:
                why = say("the X25519 scalar of a public key that stands near it")
                yield Candidate(
                    finder=NAME, kind=KeyKind.RAW, data=window, offset=start, bits=PROVEN, why=why
                )
                return


def _windows(data: bytes, known: bytes) -> Iterator[Candidate]:
    """Yield whatever looks like a key near ``known``."""
    for at in _places(data, known):
        for size in SIZES:
            for start, window in _around(data, at, len(known), size, NEAR):
                why = say("{bytes} bytes from bytes that are known", bytes=abs(start - at))
                yield Candidate(finder=NAME, kind=KeyKind.RAW, data=window, offset=start, bits=BITS, why=why)


FINDER = Finder(NAME, 2 * SCALARS_NEAR + 2 * X25519_SIZE, find)
