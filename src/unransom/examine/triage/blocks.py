"""Statistics that tell encrypted bytes from plain and from compressed ones, where no format helps.

Four questions, from cheap to dear. `plain_bits`: do these few bytes look like data that people and
programs write, in bits of evidence; that works from 16 bytes on. `uniform`: are these some hundred bytes or
more uniform and independent, as encrypted bytes are everywhere and compressed ones not quite. `repeated`: are
these encrypted blocks, each by itself, so that equal ones stay equal. `striped`: is a part of every period
encrypted, although no block as a whole is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.core.stats import DEVIATION

BLOCK = 4096  # bytes: the finest piece that lockers take, save those that lock in stripes
SMALLEST = 192  # bytes from which a histogram tells something
SURE = 2048  # bytes from which two histograms differ for sure
GRANULE = 16  # bytes of an AES block: stripes begin and end at multiples of it
HEADERS = (4, 8, 16, 32, 64)  # bytes that a header may have
HEADER = 8.0  # bits of evidence for a header: of random heads one of some 250 has as much
FEWEST = 3  # different blocks of a cipher that show to be random
TIMES = 4  # that each of them is there on average where there are too few for a histogram
VARIED = 0.85  # of the values that so few random bytes have on average
RANDOM = -0.5  # bits of evidence per byte which so few random bytes do not have
SIGMAS = 4.5  # random blocks outside of this: one of some 100,000

# Share of each class of bytes in plain data; every model is a guess of its own, and the best one counts.
_BINARY = (
    (range(256), 0.15),
    (range(1), 0.32),
    (range(1, 9), 0.13),
    (range(32, 127), 0.36),
    (range(255, 256), 0.04),
)
_TEXT = ((range(256), 0.08), ((9, 10, 13, *range(32, 127)), 0.92))
_MODELS = len((_BINARY, _TEXT))


def _weights(classes: tuple[tuple[Sequence[int], float], ...]) -> NDArray[np.float32]:
    """Return per byte value the log2 of its probability in plain data over that in random data."""
    shares = np.zeros(256)
    for values, share in classes:
        shares[list(values)] += share / len(values)
    return np.log2(shares * 256).astype(np.float32)


_WEIGHTS = np.stack([_weights(_BINARY), _weights(_TEXT)])


def plain_bits(data: bytes) -> float:
    """Return the evidence in bits that ``data`` is plain: of random bytes 2**-x have x or more.

    Random bytes have -0.5 bits per byte or less, plain ones +1 to +4; compressed ones are like random ones.
    """
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    return float((_WEIGHTS @ counts).max()) - math.log2(_MODELS)


def header_bits(head: bytes) -> float:
    """Return the evidence in bits that ``head`` begins with a header, of 4 to 64 bytes."""
    sums = _WEIGHTS[:, np.frombuffer(head[:64], np.uint8)].cumsum(axis=1)
    lengths = [length - 1 for length in HEADERS if length <= sums.shape[1]]
    return float(sums[:, lengths].max()) - math.log2(_MODELS * len(HEADERS)) if lengths else 0.0


def uniform_blocks(data: bytes, apart: int = 1) -> list[bool]:
    """Return for whole blocks of ``data``, each ``apart`` blocks from the next, whether they are uniform."""
    values = np.frombuffer(data, np.uint8)
    return [_fits(values[at : at + BLOCK]) for at in range(0, len(values) - BLOCK + 1, apart * BLOCK)]


def uniform(data: bytes) -> bool:
    """Return whether ``data`` is uniform and its neighbouring bytes independent; False for few bytes."""
    if len(data) < SMALLEST:
        return False
    values: NDArray[np.uint8] = np.frombuffer(data, np.uint8)
    return (
        _fits(values)
        and all(
            _fits(each)
            for each in (
                values[1:] - values[:-1],  # modulo 256: samples and pixels differ little
                values[2:] - values[:-2],
                values[4:] - values[:-4],
                (values[:-1] & 15) << 4 | values[1:] >> 4,  # bits across the borders of bytes
            )
        )
    )


def repeated(data: bytes) -> bool:
    """Return whether ``data`` is random but for equal blocks of 16 bytes, as a cipher in ECB leaves them.

    Plain data repeat themselves as well: what tells is that all that does is random. Compressed data may be
    there twice, too, but begin with a header that says what they are.
    """
    count = len(data) // GRANULE
    if count < FEWEST or header_bits(data) >= HEADER:
        return False
    halves = np.frombuffer(data, np.uint64, 2 * count).reshape(count, 2)
    different = np.unique(halves[:, 0] * _ODD + halves[:, 1], return_index=True)[1]
    if not FEWEST <= len(different) < count:
        return False
    blocks = halves[different].tobytes()
    if len(blocks) >= SMALLEST:
        return plain_bits(blocks) < 0 and uniform(blocks)
    values = len(set(blocks))
    return (
        count >= TIMES * len(different)
        and values >= VARIED * 256 * (1 - (255 / 256) ** len(blocks))
        and plain_bits(blocks) < RANDOM * len(blocks)
    )


_ODD = np.uint64(0x9E3779B97F4A7C15)  # makes one number of two, as hashing does


def _chi(values: NDArray[np.integer[Any]]) -> float:
    """Return the chi-square of the histogram of some bytes against uniform."""
    counts = np.bincount(values, minlength=256)
    return int(counts @ counts) * 256 / len(values) - len(values)


def _fits(values: NDArray[np.integer[Any]]) -> bool:
    return abs(_chi(values) - 255) < SIGMAS * DEVIATION


class Stripes(NamedTuple):
    """A part of every period that is encrypted while the rest is not.

    Attributes:
        period: Bytes.
        length: Bytes of each period that are encrypted, from its start.
    """

    period: int
    length: int


def striped(data: bytes) -> Stripes | None:
    """Return the stripes that begin with ``data``: its every n-th bytes are random, the others are not.

    The evidence of `plain_bits` adds up over the lanes of a period. Over those that are encrypted it is what
    random bytes have; over the others it is positive, or else their histogram is far from uniform.
    """
    granules = len(data) // GRANULE
    values = np.frombuffer(data, np.uint8, granules * GRANULE)
    bits = _WEIGHTS[:, values].reshape(_MODELS, granules, GRANULE).sum(axis=2)
    for period, length in _PERIODS:
        rows = granules // period
        if rows < 2:
            continue
        table = bits[:, : rows * period].reshape(_MODELS, rows, period)
        if not _random_lane(table[:, :, :length]):
            continue
        lanes = values[: rows * period * GRANULE].reshape(rows, -1)
        locked, other = lanes[:, : length * GRANULE].ravel(), lanes[:, length * GRANULE :].ravel()
        plain = float(table[:, :, length:].sum(axis=(1, 2)).max()) >= other.size / GRANULE
        differs = len(locked) >= SURE and _chi(other) > 255 + 2 * SIGMAS * DEVIATION
        if (plain and len(locked) < SMALLEST) or ((plain or differs) and uniform(locked.tobytes())):
            return Stripes(period * GRANULE, length * GRANULE)
    return None


_PERIODS = ((12, 4), (2, 1), (4, 2), (8, 4), (16, 4), (16, 8), (32, 16), (64, 32), (400, 4))  # granules
_MEANS = _WEIGHTS.mean(axis=1)
_SPREADS = _WEIGHTS.std(axis=1)


def _random_lane(bits: NDArray[np.float32]) -> bool:
    """Return whether the evidence in a lane is, by every model, what random bytes have."""
    count = bits[0].size * GRANULE
    off = np.abs(bits.sum(axis=(1, 2)) - count * _MEANS)
    return bool((off < SIGMAS * _SPREADS * math.sqrt(count)).all())
