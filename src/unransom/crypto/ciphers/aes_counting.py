"""AES of little-endian counters, given to the text at once: no keystream is stored, and no counter either.

The code is for the processor's own instructions. One call takes ``BESIDE`` vectors of counters through all
rounds, so that each hides the latency of the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from unransom.crypto.ciphers.aes_vectors import BLOCKS, INT, VECTOR, WIDTH, instruction
from unransom.crypto.ciphers.kcipher2 import SUBSTITUTION

BLOCK = 16
BESIDE = 8
GROUP = BLOCK * WIDTH * BESIDE  # bytes
WORD = 4


def round_keys(key: bytes) -> NDArray[np.uint8]:
    """Return the round keys of ``key``, 16, 24 or 32 bytes, one after the other (FIPS 197, 5.2)."""
    size, constant = len(key) // WORD, 1
    words = [key[at : at + WORD] for at in range(0, len(key), WORD)]
    while len(words) < WORD * (size + 7):
        word = words[-1]
        if len(words) % size == 0:
            word = _substituted(word[1:] + word[:1])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = constant << 1 ^ (0x11B if constant & 0x80 else 0)
        elif size == 8 and len(words) % size == WORD:
            word = _substituted(word)
        words.append(bytes(left ^ right for left, right in zip(words[-size], word, strict=True)))
    return np.frombuffer(b"".join(words), np.uint8)


def _substituted(word: bytes) -> bytes:
    return bytes(int(SUBSTITUTION[byte]) >> 8 & 0xFF for byte in word)


def _instructions(rounds: int) -> Any:
    """Return the function for numba that takes round keys, a counter's halves, a text and a place in it."""

    def typed(typing: Any, keys: Any, low: Any, high: Any, text: Any, at: Any) -> Any:
        del typing, low, high, at

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            def pointer(number: int, place: Any, kind: Any) -> Any:
                array = context.make_array(signature.args[number])(context, builder, value=values[number])
                return builder.bitcast(builder.gep(array.data, [place]), kind.as_pointer())

            def round_key(number: int) -> Any:
                place = ir.Constant(values[4].type, number * BLOCK)
                one = builder.load(pointer(0, place, ir.VectorType(INT, 4)), align=1)
                spread = ir.Constant(ir.VectorType(INT, 4 * WIDTH), [0, 1, 2, 3] * WIDTH)
                return builder.shuffle_vector(one, one, spread)

            counter = ir.Constant(BLOCKS, ir.Undefined)
            for half in range(2 * WIDTH):
                counter = builder.insert_element(counter, values[1 + half % 2], ir.Constant(INT, half))
            steps = [[at + each // 2 if each % 2 == 0 else 0 for each in range(2 * WIDTH)] for at in _FIRST]
            key = round_key(0)
            blocks = [
                builder.xor(builder.bitcast(builder.add(counter, ir.Constant(BLOCKS, step)), VECTOR), key)
                for step in steps
            ]
            for number in range(1, rounds + 1):
                key, name = round_key(number), "aesenc" if number < rounds else "aesenclast"
                blocks = [instruction(builder, name, block, key) for block in blocks]
            for number, block in enumerate(blocks):
                place = builder.add(values[4], ir.Constant(values[4].type, number * BLOCK * WIDTH))
                there = pointer(3, place, VECTOR)
                builder.store(builder.xor(builder.load(there, align=1), block), there, align=1)
            return context.get_dummy_value()

        return types.void(keys, types.uint64, types.uint64, text, types.intp), generate

    return intrinsic(typed)


_FIRST = range(0, BESIDE * WIDTH, WIDTH)  # number of the first counter in each vector
_mix128, _mix192, _mix256 = map(_instructions, (10, 12, 14))


@njit(cache=True, nogil=True)
def mix128(keys, low, high, text):  # type: ignore[no-untyped-def]
    """XOR ``text``, whole groups, with what the counters from ``low`` on become; no counter may wrap."""
    for at in range(0, len(text), GROUP):
        _mix128(keys, low + np.uint64(at // BLOCK), high, text, at)


@njit(cache=True, nogil=True)
def mix192(keys, low, high, text):  # type: ignore[no-untyped-def]
    """The same for a key of 24 bytes."""
    for at in range(0, len(text), GROUP):
        _mix192(keys, low + np.uint64(at // BLOCK), high, text, at)


@njit(cache=True, nogil=True)
def mix256(keys, low, high, text):  # type: ignore[no-untyped-def]
    """The same for a key of 32 bytes."""
    for at in range(0, len(text), GROUP):
        _mix256(keys, low + np.uint64(at // BLOCK), high, text, at)


MIXED = {16: mix128, 24: mix192, 32: mix256}  # by the bytes of the key
