"""Salsa20 and ChaCha many blocks at a time: every word of the state is a row with a lane for each block.

A loop over the lanes whose body is a whole double round is what LLVM turns into vector instructions of
whatever width the processor has: no branch, no call, and nothing but additions modulo 2**32, exclusive
ors and rotations. The rows are then turned into blocks by shuffles, since storing word by word would
take longer than eight rounds do, and a block goes to the text it is for at once: to store a keystream and
read it again would take as long as two rounds.

The functions here are compiled into the kernels that call them; numba's cache does not see when they
change, so ``find src -name '*.nb[ci]' -delete`` after working on this file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

WORDS = 16  # of a block
LANES = 32  # blocks at a time; two vectors of 512 bits, so that one hides the latency of the other
GROUP = 4 * WORDS * LANES  # bytes of so many blocks


@njit(nogil=True, inline="always")
def rotated(value: np.uint32, count: int) -> np.uint32:
    """Return ``value`` rotated left."""
    return np.uint32((value << np.uint32(count)) | (value >> np.uint32(32 - count)))


@njit(nogil=True)
def spread(state: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return ``state``, 16 words, as rows: ``WORDS * LANES`` words, the same in all lanes of a row."""
    rows = np.empty(WORDS * LANES, np.uint32)
    for word in range(WORDS):
        rows[word * LANES : (word + 1) * LANES] = state[word]
    return rows


@njit(nogil=True)
def count(rows: NDArray[np.uint32], low: int, high: int, block: np.uint64) -> None:
    """Number the lanes from ``block`` on: rows ``low`` and ``high`` are the halves of the counter.

    They are the same row where the counter has 32 bits.
    """
    for lane in range(LANES):
        rows[high * LANES + lane] = np.uint32((block + np.uint64(lane)) >> np.uint64(32))
    for lane in range(LANES):
        rows[low * LANES + lane] = np.uint32((block + np.uint64(lane)) & np.uint64(0xFFFFFFFF))


@njit(nogil=True)
def mix(first: NDArray[np.uint32], rows: NDArray[np.uint32], text: NDArray[np.uint8], start: int) -> None:
    """Add the ``first`` rows to ``rows`` after all rounds; XOR the blocks into ``text`` from ``start`` on."""
    for index in range(WORDS * LANES):
        rows[index] += first[index]
    for lane in range(0, LANES, WORDS):
        _mix_blocks(rows, lane, text, start + 4 * lane * WORDS)  # type: ignore[call-arg]


@intrinsic
def _mix_blocks(typing: Any, rows: Any, lane: Any, text: Any, start: Any) -> Any:
    """XOR 16 lanes of ``rows``, from ``lane`` on, as 16 blocks into ``text`` from byte ``start`` on."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        vector = ir.VectorType(ir.IntType(32), WORDS)
        source, first, target, begin = (
            context.make_array(kind)(context, builder, value=value).data
            if isinstance(kind, types.Array)
            else value
            for kind, value in zip(signature.args, values, strict=True)
        )

        def pointer(base: Any, index: Any, more: int) -> Any:
            index = builder.add(index, ir.Constant(index.type, more))
            return builder.bitcast(builder.gep(base, [index]), vector.as_pointer())

        block = [builder.load(pointer(source, first, LANES * word), align=4) for word in range(WORDS)]
        for step in (1, 2, 4, 8):  # swap this bit of the row's number with that of the place in the row
            upper = [place | step if not place & step else WORDS + place for place in range(WORDS)]
            lower = [place if not place & step else WORDS + (place ^ step) for place in range(WORDS)]
            for row in range(WORDS):
                if not row & step:
                    pair = block[row], block[row | step]
                    block[row] = _shuffled(builder, pair, lower)
                    block[row | step] = _shuffled(builder, pair, upper)
        for number in range(WORDS):
            place = pointer(target, begin, 4 * WORDS * number)
            builder.store(builder.xor(builder.load(place, align=1), block[number]), place, align=1)
        return context.get_dummy_value()

    return types.void(rows, types.intp, text, types.intp), generate


def _shuffled(builder: Any, pair: tuple[Any, Any], places: list[int]) -> Any:
    """Return the vector with the elements of ``pair``, taken as one, at ``places``."""
    mask = ir.Constant(ir.VectorType(ir.IntType(32), len(places)), places)
    return builder.shuffle_vector(*pair, mask)
