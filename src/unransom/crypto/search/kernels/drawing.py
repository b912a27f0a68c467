"""From outputs of a generator to the bytes of keys: every symbol of every lane."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Words = NDArray[np.uint32]
Bytes = NDArray[np.uint8]
Longs = NDArray[np.uint64]
TILE = 512  # lanes whose symbols fit in the first cache


@njit(cache=True, nogil=True)
def slices(rows: Longs, shift: int, out: Bytes) -> None:
    """Fill ``out`` with bytes of every row, the lowest first, from bit ``shift`` on."""
    size = len(out) // len(rows)
    for row in range(len(rows)):
        source = rows[row]
        for byte in range(size):
            bits, target = np.uint64(shift + 8 * byte), out[row * size + byte]
            for lane in range(len(source)):
                target[lane] = np.uint64(source[lane]) >> bits


@njit(cache=True, nogil=True)
def remainders(rows: Longs, shift: int, mask: int, divisor: int, base: int, out: Bytes) -> None:
    """Fill ``out`` with ``base`` and the remainder of ``row >> shift & mask``, which has 32 bits at most."""
    bits, most = np.uint64(shift), np.uint64(mask)
    times, whole, less, plus = 1.0 / divisor, np.int64(divisor), np.int64(0), np.int64(base)
    for row in range(len(rows)):
        source, target = rows[row], out[row]
        for lane in range(len(source)):
            value = np.int64((np.uint64(source[lane]) >> bits) & most)
            # The quotient in floating point is one off at most.
            rest = value - np.int64(np.float64(value) * times) * whole
            rest += whole if rest < less else less
            rest -= whole if rest >= whole else less
            target[lane] = rest + plus


@njit(cache=True, nogil=True)
def long_remainders(rows: Longs, shift: int, mask: np.uint64, divisor: int, base: int, out: Bytes) -> None:
    """Fill ``out`` as ``remainders`` does, of up to 64 bits."""
    bits, whole, plus = np.uint64(shift), np.uint64(divisor), np.uint64(base)
    for row in range(len(rows)):
        source, target = rows[row], out[row]
        for lane in range(len(source)):
            target[lane] = ((np.uint64(source[lane]) >> bits) & mask) % whole + plus


@njit(cache=True, nogil=True)
def products(rows: Longs, shift: int, bits: int, factor: int, base: int, out: Bytes) -> None:
    """Fill ``out`` with ``base`` and what of ``(row >> shift) * factor`` lies above ``bits``."""
    right, above, times, plus = np.uint64(shift), np.uint64(bits), np.uint64(factor), np.uint64(base)
    for row in range(len(rows)):
        source, target = rows[row], out[row]
        for lane in range(len(source)):
            target[lane] = (((np.uint64(source[lane]) >> right) * times) >> above) + plus


@njit(cache=True, nogil=True)
def fractions(rows: Longs, unit: float, factor: int, base: int, out: Bytes) -> None:
    """Fill ``out`` with ``base`` and the whole part of ``row * unit * factor``, rounded as C# rounds it."""
    times, plus = np.float64(factor), np.int32(base)
    for row in range(len(rows)):
        source, target = rows[row], out[row]
        for lane in range(len(source)):
            target[lane] = np.int32(np.float64(np.int64(source[lane])) * unit * times) + plus


@njit(cache=True, nogil=True)
def doubles(rows: Longs, shifts: tuple[int, int, int], factor: int, base: int, step: int, out: Bytes) -> None:
    """Fill ``out`` with ``base`` and the whole part of a fraction of 53 bits times ``factor``.

    Args:
        rows: Outputs; a fraction is made of two that follow each other.
        shifts: What the first and the second are shifted right by, and how many bits the second has.
        factor: Of the range.
        base: Of the range.
        step: Outputs from one fraction to the next: 2, or 1 where each is wanted from any output on.
        out: A row for each fraction.
    """
    upper, lower, times = np.uint64(shifts[0]), np.uint64(shifts[1]), np.float64(1 << shifts[2])
    unit, most, plus = 1.0 / (1 << 53), np.float64(factor), np.int32(base)
    for row in range(len(out)):
        one, two = rows[step * row], rows[step * row + 1]
        target = out[row]
        for lane in range(len(target)):
            left = np.float64(np.int64(np.uint64(one[lane]) >> upper))
            right = np.float64(np.int64(np.uint64(two[lane]) >> lower))
            target[lane] = np.int32((left * times + right) * unit * most) + plus


@njit(cache=True, nogil=True)
def letters(symbols: Bytes, table: Bytes) -> None:
    """Replace every symbol by its letter in ``table``, which has 256."""
    for row in range(len(symbols)):
        for lane in range(symbols.shape[1]):
            symbols[row, lane] = table[symbols[row, lane]]


@njit(cache=True, nogil=True)
def accepted(
    symbols: Bytes, table: Bytes, keeps: Bytes, step: int, cursors: NDArray[np.int64], out: Bytes
) -> None:
    """Fill ``out`` with the letters of the first symbols that are kept, for every lane from its cursor on.

    Args:
        symbols: A row for each output that a symbol may begin at.
        table: The letter of each of 256 symbols.
        keeps: 1 for each that is kept, else 0.
        step: Outputs that a symbol takes.
        cursors: Where each lane begins; moved on, and made negative where there were too few symbols.
        out: A row for each letter.
    """
    count = len(out)
    for lane in range(symbols.shape[1]):
        place, found = cursors[lane], 0
        while found < count and 0 <= place < len(symbols):
            symbol = symbols[place, lane]
            out[found, lane] = table[symbol]
            found += keeps[symbol]
            place += step
        cursors[lane] = place if found == count else -1


@njit(cache=True, nogil=True)
def squeezed(symbols: Bytes, limit: int, drops: Bytes, out: Bytes, ends: NDArray[np.int64]) -> None:
    """Fill ``out`` with the first symbols that are kept, where few are not and all lanes begin together.

    A symbol that comes after ``n`` others that are dropped moves up by ``n`` rows: all lanes are asked
    for every such ``n``, which vectors do faster than each lane walks for itself.

    Args:
        symbols: A row for each symbol that may be needed.
        limit: Symbols from this one on are dropped.
        drops: Others that are.
        out: A row for each symbol that is wanted.
        ends: How many symbols each lane takes; negative where there are too few.
    """
    spare, last = len(symbols) - len(out), len(out) - 1
    dropped, moves, taken = np.empty(TILE, np.uint8), np.empty(TILE, np.uint8), np.empty(TILE, np.uint8)
    for start in range(0, symbols.shape[1], TILE):
        lanes = min(TILE, symbols.shape[1] - start)
        dropped[:], taken[:] = np.uint8(0), np.uint8(0)
        for row in range(len(symbols)):
            source = symbols[row, start : start + lanes]
            _kept(source, limit, drops, moves)
            _count(np.uint8(row + 1), np.uint8(last), moves, dropped, taken)
            for back in range(max(0, row - last), min(row, spare) + 1):
                _move(source, moves, np.uint8(back), out[row - back, start : start + lanes])
        for lane in range(lanes):
            short = np.int64(taken[lane]) >= len(symbols)
            ends[start + lane] = -1 if short else np.int64(taken[lane]) + 1


# The following are vectors only because they have no condition in them.


@njit(nogil=True)
def _kept(symbols: Bytes, limit: int, drops: Bytes, kept: Bytes) -> None:
    """Fill ``kept`` with 1 for each symbol that is kept, else 0."""
    most = np.uint8(limit - 1)
    for lane in range(len(symbols)):
        kept[lane] = np.uint8(symbols[lane] <= most)
    for drop in drops:
        for lane in range(len(symbols)):
            kept[lane] &= np.uint8(symbols[lane] != drop)


@njit(nogil=True)
def _count(seen: np.uint8, last: np.uint8, moves: Bytes, dropped: Bytes, taken: Bytes) -> None:
    """Count what is dropped, turn 1 in ``moves`` into by how many rows to move, and 0 into 255."""
    for lane in range(TILE):
        kept = moves[lane]
        moves[lane] = dropped[lane] | np.uint8(kept - np.uint8(1))
        dropped[lane] += np.uint8(np.uint8(1) - kept)
        taken[lane] += np.uint8(np.uint8(seen - dropped[lane]) <= last)


@njit(nogil=True)
def _move(source: Bytes, moves: Bytes, back: np.uint8, target: Bytes) -> None:
    """Copy the symbols that move up by ``back`` rows."""
    for lane in range(len(source)):
        mask = np.uint8(np.uint8(0) - np.uint8(moves[lane] == back))
        target[lane] = (source[lane] & mask) | (target[lane] & np.uint8(~mask))


@njit(cache=True, nogil=True)
def packed(symbols: Bytes, out: Words) -> None:
    """Fill ``out`` with little-endian words of the bytes; those that are not there are zero."""
    for row in range(len(out)):
        target = out[row]
        target[:] = np.uint32(0)
        for byte in range(min(4, len(symbols) - 4 * row)):
            source, shift = symbols[4 * row + byte], np.uint32(8 * byte)
            for lane in range(len(target)):
                target[lane] |= np.uint32(np.uint32(source[lane]) << shift)


@njit(cache=True, nogil=True)
def turned(words: Words) -> None:
    """Reverse the bytes of every word."""
    for row in range(len(words)):
        for lane in range(words.shape[1]):
            word = words[row, lane]
            outer = np.uint32(word << np.uint32(24)) | np.uint32(word >> np.uint32(24))
            inner = np.uint32(np.uint32(word & np.uint32(0xFF00)) << np.uint32(8))
            words[row, lane] = outer | inner | (np.uint32(word >> np.uint32(8)) & np.uint32(0xFF00))
