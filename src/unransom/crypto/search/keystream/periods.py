"""After how many bytes a key repeats that was XORed over content, by the content's own regularity.

Where a key of n bytes repeats, bytes that are n apart, or twice n, are under the same byte of the key: their
bits agree as often as those of the original do, and that is more often than by chance. At all other distances
the key hides it. The agreement at every distance at once is an autocorrelation, which FFTs compute.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
LARGEST = 1 << 15  # bytes of the longest key that is looked for
LEAST = 64  # bytes of content
ENOUGH = 1 << 18  # bytes of content that are looked at
WINDOWS = (ENOUGH, 1 << 16, 1 << 14)  # first bytes: a key may lock the head of a file only
STEPS = (3, 1, 4, 2)  # bytes from a sample to the next: of true colour, grey, with transparency, of 16 bits
SIGMAS = 9.0  # the best of 32,768 distances in random bytes has less than 5
FAR_MORE = 2.0
CONTRAST = 0.2  # by which multiples of a period must agree better than all other distances, and those beside


class Period(NamedTuple):
    """A distance at which bytes agree.

    Attributes:
        length: Bytes.
        sigmas: How far above chance the agreement is, in standard deviations.
        wider: A multiple of it at which bytes agree far more, 0 where none does: a key may begin anew there.
    """

    length: int
    sigmas: float
    wider: int = 0


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
        return Period(best, float(evidence[best - 1]), _wider(scores, evidence, best))
    alike = float(scores.sum() / np.sqrt(most))
    return Period(1, alike) if alike >= SIGMAS else None


def _wider(scores: NDArray[np.float64], evidence: NDArray[np.float64], length: int) -> int:
    """Return the likeliest multiple of ``length`` at whose own multiples bytes agree far more, or 0."""
    least = FAR_MORE * scores[length - 1 :: length].mean()
    multiples = range(2 * length, len(scores) // 2 + 1, length)
    fitting = [each for each in multiples if scores[each - 1 :: each].mean() >= least]
    likeliest = max(fitting, key=lambda each: evidence[each - 1], default=0)
    return likeliest if likeliest and evidence[likeliest - 1] >= SIGMAS else 0


def periods_in(data: Bytes) -> Iterator[tuple[int, int]]:
    """Yield the distances at which a key repeats in first bytes of ``data``, and how many bytes these are."""
    for window in dict.fromkeys(min(window, len(data)) for window in WINDOWS):
        found = period_of(data[:window])
        if found:
            yield found.length, window
        if found and found.wider:
            yield found.wider, window


def sample_period(data: Bytes) -> int:
    """Return the distance at which a key repeats over samples that are near each other, 0 where none does.

    The key hides that they are, but for every so many of its turns; in what they differ by each turn shows.
    """
    for step in STEPS:
        found = period_of(stepped(data[:ENOUGH], step))
        if found and found.length > 1:
            return found.length
    return 0


def stepped(data: Bytes, step: int) -> Bytes:
    """Return ``data`` XORed with itself ``step`` bytes on: a key that repeats in it does so there too."""
    return data[:-step] ^ data[step:]
