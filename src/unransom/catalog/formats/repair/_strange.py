"""Where a text begins to be unlike itself: what inflates from encrypted bytes is made of the same letters."""

from __future__ import annotations

import numpy as np

GRAM = 4  # bytes that are looked at together
STEP = 128  # bytes counted together
BITS = 22
FIRST = 16  # counts that must stand in front of the break
REACH = 1 << 14  # counts from the end in which the break is looked for
BESIDE = 64  # counts before and behind it that are compared
SURE = 25.0  # logarithm of how much likelier the break must make them
JUMP = 2.0  # how many times as often as before new combinations come
LEAST = 0.03  # and how much oftener at least


def strange_from(text: bytes) -> int:
    """Return from where on new combinations of bytes come much oftener than before; the size for nowhere.

    The split is taken that best parts what is beside it into two even rates.
    """
    values = np.frombuffer(text, np.uint8).astype(np.uint64)
    count = (len(values) - GRAM) // STEP
    if count <= FIRST + 2:
        return len(text)
    packed = values[:-3] | values[1:-2] << 8 | values[2:-1] << 16 | values[3:] << 24
    hashed = (packed * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - BITS)
    firsts = np.full(1 << BITS, len(text), np.int64)
    np.minimum.at(firsts, hashed, np.arange(len(hashed)))
    new = firsts[hashed] == np.arange(len(hashed))
    rates = new[: count * STEP].reshape(-1, STEP).mean(axis=1)
    sums = np.concatenate(([0.0], np.cumsum(rates)))
    splits = np.arange(max(FIRST, count - REACH), count)
    low, high = np.maximum(splits - BESIDE, 0), np.minimum(splits + BESIDE, count)
    before = (sums[splits] - sums[low]) / (splits - low)
    after = (sums[high] - sums[splits]) / (high - splits)
    whole = (sums[high] - sums[low]) / (high - low)
    gain = (splits - low) * _information(before) + (high - splits) * _information(after)
    gain -= (high - low) * _information(whole)
    gain[after < JUMP * before + LEAST] = 0
    best = int(np.argmax(gain))
    return int(splits[best]) * STEP if gain[best] > SURE else len(text)


def _information(rate: np.ndarray) -> np.ndarray:
    """Return the log-likelihood of a part per count, at the rate that it has."""
    rate = np.clip(rate, 1e-6, 1 - 1e-6)
    return STEP * (rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
