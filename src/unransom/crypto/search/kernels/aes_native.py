"""AES of one block for many keys with the processor's own instructions (Intel, "AES-NI", 2010; VAES).

numba has no vectors, so the instructions are put together here: a straight line of code that expands the
keys of some lanes and takes a block of each through the rounds. Every block has its own key, so most of
the work is to expand keys; there SubWord is one last round on four equal columns, and the keys of the
inverse cipher are a last round and an inverse round on them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from unransom.crypto.ciphers.aes_vectors import AVAILABLE, INT, VECTOR, WIDTH, instruction

__all__ = ["AVAILABLE", "LANES", "decrypt128", "decrypt256", "encrypt128", "encrypt256"]

Words = NDArray[np.uint32]
BESIDE = 4  # vectors worked on at once, so that one hides the latency of another
LANES = WIDTH * BESIDE
SMALLEST = {4: 10, 8: 14}  # rounds, by the words of the key


class _Code:
    """Writes the code of one call: every value is a list of ``BESIDE`` vectors."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder
        self.zero = ir.Constant(VECTOR, [0] * (4 * WIDTH))

    def each(self, work: Callable[..., Any], *values: list[Any]) -> list[Any]:
        """Return what ``work`` makes of the vectors, one by one."""
        return [work(*some) for some in zip(*values, strict=True)]

    def aes(self, name: str, state: list[Any], key: list[Any]) -> list[Any]:
        """Return the vectors after one instruction of AES."""
        return self.each(partial(instruction, self.builder, name), state, key)

    def mixed(self, left: list[Any], right: list[Any]) -> list[Any]:
        """Return the exclusive or."""
        return self.each(self.builder.xor, left, right)

    def places(self, value: list[Any], words: tuple[int, ...]) -> list[Any]:
        """Return the vectors with ``words`` of each block, 4 for zero."""
        mask = [4 * WIDTH if word == 4 else 4 * block + word for block in range(WIDTH) for word in words]
        chosen = ir.Constant(ir.VectorType(INT, len(mask)), mask)
        return [self.builder.shuffle_vector(each, self.zero, chosen) for each in value]

    def rotated(self, value: list[Any]) -> list[Any]:
        """Return every word rotated right by a byte."""
        eight, rest = (ir.Constant(VECTOR, [bits] * (4 * WIDTH)) for bits in (8, 24))

        def one(word: Any) -> Any:
            return self.builder.or_(self.builder.lshr(word, eight), self.builder.shl(word, rest))

        return self.each(one, value)

    def constant(self, word: int) -> list[Any]:
        """Return ``word`` everywhere."""
        return [ir.Constant(VECTOR, [word] * (4 * WIDTH))] * BESIDE

    def next_key(self, key: list[Any], last: list[Any], constant: int) -> list[Any]:
        """Return the round key after ``key``; ``last`` is the one before it, ``constant`` 0 in between."""
        word = self.places(last, (3, 3, 3, 3))
        word = self.rotated(word) if constant else word
        key = self.mixed(key, self.places(key, (4, 0, 1, 2)))
        key = self.mixed(key, self.places(key, (4, 4, 0, 1)))
        return self.mixed(key, self.aes("aesenclast", word, self.constant(constant)))

    def expanded(self, keys: list[list[Any]]) -> list[list[Any]]:
        """Return all round keys of keys of one vector or two."""
        found, constant = list(keys), 1
        count = SMALLEST[4 * len(keys)] + 1
        while len(found) < count:
            rotates = len(keys) == 1 or len(found) % 2 == 0
            found.append(self.next_key(found[-len(keys)], found[-1], constant if rotates else 0))
            if rotates:
                constant = constant << 1 ^ (0x11B if constant & 0x80 else 0)
        return found

    def encrypted(self, block: list[Any], keys: list[list[Any]]) -> list[Any]:
        """Return the blocks encrypted."""
        block = self.mixed(block, keys[0])
        for key in keys[1:-1]:
            block = self.aes("aesenc", block, key)
        return self.aes("aesenclast", block, keys[-1])

    def decrypted(self, block: list[Any], keys: list[list[Any]]) -> list[Any]:
        """Return the blocks decrypted."""
        nothing = self.constant(0)
        block = self.mixed(block, keys[-1])
        for key in keys[-2:0:-1]:
            inverse = self.aes("aesdec", self.aes("aesenclast", key, nothing), nothing)
            block = self.aes("aesdec", block, inverse)
        return self.aes("aesdeclast", block, keys[0])


def _row(context: Any, builder: Any, kind: Any, value: Any, lane: Any) -> Callable[[int, int], Any]:
    """Return what points to ``WIDTH`` lanes of a row, at ``lane`` and some vectors on."""
    array = context.make_array(kind)(context, builder, value=value)
    length = cgutils.unpack_tuple(builder, array.shape)[1]

    def pointer(row: int, vector: int) -> Any:
        place = builder.add(builder.mul(length, ir.Constant(length.type, row)), lane)
        place = builder.add(place, ir.Constant(place.type, vector * WIDTH))
        return builder.bitcast(builder.gep(array.data, [place]), ir.VectorType(INT, WIDTH).as_pointer())

    return pointer


def _loaded(builder: Any, pointer: Callable[[int, int], Any], first: int) -> list[Any]:
    """Return vectors of blocks from four rows of words."""

    def one(vector: int) -> Any:
        rows = [builder.load(pointer(first + row, vector), align=4) for row in range(4)]
        side_by_side = list(range(2 * WIDTH))
        low, high = (_shuffled(builder, rows[at], rows[at + 1], side_by_side) for at in (0, 2))
        return _shuffled(
            builder, low, high, [word * WIDTH + lane for lane in range(WIDTH) for word in range(4)]
        )

    return [one(vector) for vector in range(BESIDE)]


def _stored(builder: Any, pointer: Callable[[int, int], Any], blocks: list[Any]) -> None:
    """Store vectors of blocks as four rows of words."""
    for vector, block in enumerate(blocks):
        for word in range(4):
            row = _shuffled(builder, block, block, [4 * lane + word for lane in range(WIDTH)])
            builder.store(row, pointer(word, vector), align=4)


def _shuffled(builder: Any, left: Any, right: Any, places: list[int]) -> Any:
    return builder.shuffle_vector(left, right, ir.Constant(ir.VectorType(INT, len(places)), places))


def _instructions(words: int, *, decrypt: bool) -> Any:
    """Return the function for numba that takes rows of keys, of blocks and for what comes out, and a lane."""

    def typed(typing: Any, keys: Any, texts: Any, out: Any, lane: Any) -> Any:
        del typing

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            key, text, result = (
                _row(context, builder, kind, value, values[3])
                for kind, value in zip(signature.args[:3], values[:3], strict=True)
            )
            code = _Code(builder)
            expanded = code.expanded([_loaded(builder, key, first) for first in range(0, words, 4)])
            work = code.decrypted if decrypt else code.encrypted
            _stored(builder, result, work(_loaded(builder, text, 0), expanded))
            return context.get_dummy_value()

        return types.void(keys, texts, out, types.intp), generate

    return intrinsic(typed)


_encrypt128 = _instructions(4, decrypt=False)
_encrypt256 = _instructions(8, decrypt=False)
_decrypt128 = _instructions(4, decrypt=True)
_decrypt256 = _instructions(8, decrypt=True)


@njit(cache=True, nogil=True)
def encrypt128(keys: Words, texts: Words, out: Words) -> None:
    """Encrypt a block of every lane; lanes are a multiple of ``LANES``."""
    for lane in range(0, keys.shape[1], LANES):
        _encrypt128(keys, texts, out, lane)


@njit(cache=True, nogil=True)
def encrypt256(keys: Words, texts: Words, out: Words) -> None:
    """Encrypt a block of every lane; lanes are a multiple of ``LANES``."""
    for lane in range(0, keys.shape[1], LANES):
        _encrypt256(keys, texts, out, lane)


@njit(cache=True, nogil=True)
def decrypt128(keys: Words, texts: Words, out: Words) -> None:
    """Decrypt a block of every lane; lanes are a multiple of ``LANES``."""
    for lane in range(0, keys.shape[1], LANES):
        _decrypt128(keys, texts, out, lane)


@njit(cache=True, nogil=True)
def decrypt256(keys: Words, texts: Words, out: Words) -> None:
    """Decrypt a block of every lane; lanes are a multiple of ``LANES``."""
    for lane in range(0, keys.shape[1], LANES):
        _decrypt256(keys, texts, out, lane)
