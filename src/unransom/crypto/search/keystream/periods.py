"""After how many bytes a key repeats that was XORed over content, by the content's own regularity.

Where a key of n bytes repeats, bytes that are n apart, or twice n, are under the same byte of the key: their
bits agree as often as those of the original do, and that is more often than by chance. At all other distances
the key hides it. The agreement at every distance at once is an autocorrelation, which FFTs compute.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
LARGEST = 1 << 15  # bytes of the longest key that is looked for
LEAST = 64  # bytes of content
ENOUGH = 1 << 18  # bytes of content that are looked at
SIGMAS = 9.0  # the best of 32,768 distances in random bytes has less than 5
CONTRAST = 0.2  # by which multiples of a period must agree better than all other distances, and those beside


class Period(NamedTuple):
    """A distance at which bytes agree.

    Attributes:
        length: Bytes.
        sigmas: How far above chance the agreement is, in standard deviations.
    """

    length: int
    sigmas: float


def agreement(data: Bytes, most: int) -> NDArray[np.float64]:
    """Return how far above chance the bits of bytes agree that are 1 to ``most`` apart, in deviations.

    Args:
        data: The content; bits are compared in all of it, so a constant bit agrees everywhere.
        most: Largest distance, below the length of ``data``.
    """
    size = 1 << (len(data) + most).bit_length()
    power = np.zeros(size // 2 + 1)
    for bit in range(8):
        plane = (data >> bit & 1).astype(np.float32) * 2 - 1
        spectrum = np.fft.rfft(plane, size)
        power += spectrum.real**2 + spectrum.imag**2
    sums = np.fft.irfft(power, size)[1 : most + 1]
    overlaps = len(data) - np.arange(1, most + 1)
    return np.asarray(sums / np.sqrt(8.0 * overlaps))


def period_of(data: Bytes, most: int = LARGEST) -> Period | None:
    """Return the distance at which a key repeats in ``data``; None where none does.

    A length of 1 says that neighbours agree: content that is not encrypted, or under one byte for all. Where
    the content has a period of its own, the length can be a multiple of the key's.

    Args:
        data: Locked bytes, without gaps.
        most: Bytes of the longest key to look for; it must be there at least twice.
    """
    data = data[:ENOUGH]
    most = min(most, len(data) // 2)
    if len(data) < LEAST:
        return None
    scores = agreement(data, most)
    # The evidence of a period is that of all its multiples; noise adds up to less, as its signs differ.
    centred = scores - scores.mean()
    evidence = np.array(
        [centred[step - 1 :: step].sum() / np.sqrt(most // step) for step in range(1, most + 1)]
    )
    best = int(evidence.argmax()) + 1
    multiples = scores[best - 1 :: best].mean()
    others = (scores.sum() - scores[best - 1 :: best].sum()) / max(most - most // best, 1)
    # Where parts of a file are plain, all distances near that from part to part agree; under a key one does.
    beside = np.concatenate((scores[best - 2 :: best], scores[best::best])).mean() if best > 1 else 0.0
    if evidence[best - 1] >= SIGMAS and multiples - max(others, beside) >= CONTRAST * multiples:
        return Period(best, float(evidence[best - 1]))
    alike = float(scores.sum() / np.sqrt(most))
    return Period(1, alike) if alike >= SIGMAS else None
