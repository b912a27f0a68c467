"""How much of a judgement is owed to a key: the same content is judged with noise where it was decrypted.

A wrong key gives noise. A locker that spares the head of a file, or a format that looks at nothing but its
head, would let any key pass: what holds with noise as well says nothing about the key.
"""

from __future__ import annotations

import bisect
import math

from unransom.catalog.oracle import Judgement, judge
from unransom.core.records import Grade
from unransom.core.spans import ByteMap, Origin
from unransom.core.streams import Reader
from unransom.crypto.ciphers.aes import BLOCK, AesCtr
from unransom.crypto.ciphers.at_once import decrypted

HOLDS = (Grade.PARTIAL, Grade.GOOD)  # the better one last
KEYS = (bytes(32), bytes(range(32)))  # of two controls: noise can be lucky, too
BITS_A_TIME = math.log2(math.e)  # if a fault comes every n bytes, so many bits are due to n without one


def bits_of_key(content: Reader, origins: ByteMap, judgement: Judgement, name: bytes = b"") -> int:
    """Return how many bits of ``judgement`` are due to the key, 0 where noise would have passed as well.

    Args:
        content: What was judged.
        origins: Where its bytes come from.
        judgement: What ``judge`` said about it.
        name: What ``judge`` was told that it is called.
    """
    bits = judgement.validation.bits if judgement.validation.grade in HOLDS else 0
    for key in KEYS:
        if bits:
            bits = min(bits, _owed(judgement, judge(Blind(content, origins, key), name), origins))
    return bits


def _owed(judgement: Judgement, control: Judgement, origins: ByteMap) -> int:
    """Return how many bits of ``judgement`` noise in the place of what was decrypted does not give.

    The sooner a format objects to noise, the more it says that it objects to nothing in all the rest.
    """
    found, noise = judgement.validation, control.validation
    if control.format != judgement.format:
        return found.bits
    if noise.grade in HOLDS and HOLDS.index(noise.grade) >= HOLDS.index(found.grade):
        return 0
    fault = noise.damage[0].start if noise.damage else 0
    unlocked = [run for run in origins if run.origin is Origin.UNLOCKED]
    passed = sum(max(min(run.end, fault) - run.start, 0) for run in unlocked)
    looked = sum(run.end - run.start for run in unlocked)
    return min(found.bits, int(looked / (passed + 1) * BITS_A_TIME))


class Blind:
    """A reader over content with noise, the same for the same key, in place of what was decrypted."""

    def __init__(self, content: Reader, origins: ByteMap, key: bytes) -> None:
        self.size = content.size
        self._content = content
        self._runs = [run for run in origins if run.origin is Origin.UNLOCKED]
        self._ends = [run.end for run in self._runs]
        self._noise = AesCtr(key, bytes(BLOCK))

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset`` on, fewer only at the end."""
        data = bytearray(self._content.read_at(offset, length))
        end = offset + len(data)
        for run in self._runs[bisect.bisect_right(self._ends, offset) :]:
            if run.start >= end:
                break
            low, high = max(run.start, offset), min(run.end, end)
            data[low - offset : high - offset] = decrypted(self._noise.at(low), bytes(high - low))
        return bytes(data)
