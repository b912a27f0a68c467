"""Keys and IVs of a batch of seeds: what is drawn, and what is derived from it, as rows of words."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from unransom.crypto.generators.generator import Seeds
from unransom.crypto.generators.kernels import sha256
from unransom.crypto.search.drawing import Bytes, Drawing
from unransom.crypto.search.kernels import drawing as kernels
from unransom.crypto.search.opening import Job, Stream
from unransom.crypto.search.recipe import Cipher, Derive, Recipe

Words = NDArray[np.uint32]
HASH_BLOCK, LENGTH = 64, 8  # bytes


class Batches:
    """Makes keys and IVs."""

    def __init__(self, recipe: Recipe) -> None:
        """Prepare what is the same for all batches.

        Raises:
            ValueError: The recipe asks for what cannot be made.
        """
        self._drawing = Drawing(recipe)
        self._cipher = recipe.cipher
        self._derive = recipe.derive
        self._iv = np.frombuffer(recipe.cipher.iv.ljust(-(-len(recipe.cipher.iv) // 4) * 4, b"\0"), "<u4")

    def made(self, seeds: Seeds) -> tuple[Words, Words]:
        """Return rows of little-endian words of the keys and of the IVs."""
        drawn = self._drawing.drawn(seeds)
        key, iv = drawn["key"], drawn["iv"]
        ivs = self._fixed(len(seeds)) if len(self._iv) else _packed(iv, -(-len(iv) // 4))
        words = -(-self._cipher.key_size // 4)
        if not self._derive:
            return _packed(key[: self._cipher.key_size], words), ivs
        if self._derive.name == "chacha-stream":
            stream = _stream(key, self._derive.offset, words + self._cipher.iv_size // 4)
            return stream[:words], ivs if len(ivs) else stream[words:]
        keys = _sha256(key) if self._derive.name == "sha256" else _hashed(key, self._derive)
        return _sized(keys, words), ivs

    def _fixed(self, lanes: int) -> Words:
        return np.repeat(self._iv.astype(np.uint32)[:, None], lanes, axis=1)


def _packed(symbols: Bytes, words: int) -> Words:
    out = np.empty((words, symbols.shape[1]), np.uint32)
    kernels.packed(symbols, out)
    return out


def _sized(keys: Words, words: int) -> Words:
    """Return ``keys`` cut or filled up with zeros."""
    missing = max(0, words - len(keys))
    return np.concatenate([keys, np.zeros((missing, keys.shape[1]), np.uint32)])[:words]


def _sha256(message: Bytes) -> Words:
    size, lanes = message.shape
    padded = np.zeros((-(-(size + 1 + LENGTH) // HASH_BLOCK) * HASH_BLOCK, lanes), np.uint8)
    padded[:size] = message
    padded[size] = 0x80
    padded[-LENGTH:] = np.frombuffer((8 * size).to_bytes(LENGTH), np.uint8)[:, None]
    words, digests = _packed(padded, len(padded) // 4), np.empty((8, lanes), np.uint32)
    kernels.turned(words)
    sha256.digest(words, digests)
    kernels.turned(digests)
    return digests


def _hashed(message: Bytes, derive: Derive) -> Words:
    """Return digests of the library's: a fraction of a million a second."""
    size, texts = len(message), message.T.tobytes()
    work: Callable[..., hashlib._Hash] = getattr(hashlib, derive.name)
    digests = (
        work(texts[at : at + size], usedforsecurity=False).digest() for at in range(0, len(texts), size)
    )
    words = np.frombuffer(b"".join(digests), "<u4").reshape(message.shape[1], -1)
    return np.ascontiguousarray(words.T, np.uint32)


def _stream(key: Bytes, offset: int, words: int) -> Words:
    """Return words of ChaCha20's stream from byte ``offset`` on; 32 bytes of key, 8 of nonce."""
    rows = _packed(key, 10)
    cipher = Stream(Cipher(name="chacha", iv_size=8))
    first, found = offset // 4, []
    while words:
        number, place = divmod(first, 16)
        wanted = np.arange(place, min(16, place + words), dtype=np.int64)
        found.append(cipher.run(Job(number), rows[:8], rows[8:], wanted))
        first, words = first + len(wanted), words - len(wanted)
    return np.concatenate(found)
