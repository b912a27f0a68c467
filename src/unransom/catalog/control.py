"""How much of a judgement is owed to a key: the same content is judged with noise where it was decrypted.

A wrong key gives noise. A locker that spares the head of a file, or a format that looks at nothing but its
head, would let any key pass: what holds with noise as well says nothing about the key.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator

from unransom.catalog.formats import FORMATS
from unransom.catalog.oracle import Judgement, judge
from unransom.core.records import Grade
from unransom.core.spans import ByteMap, Origin, Span, merge
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


def bits_beside_known(content: Reader, origins: ByteMap, judgement: Judgement, name: bytes = b"") -> int:
    """Return how many bits are due to a key that the format's known bytes may have told.

    Any bytes can be made to begin as a format does, by the key that this takes. So these bytes stay as they
    are when the rest is judged with noise, and count for nothing.

    Args:
        content: What was judged.
        origins: Where its bytes come from.
        judgement: What ``judge`` said about it.
        name: What ``judge`` was told that it is called.
    """
    told = list(_known_in(content, judgement.format))
    kept, count = ByteMap(), 0
    for run in origins:
        for span in told if run.origin is Origin.UNLOCKED else ():
            start, end = max(span.start, run.start), min(span.end, run.end)
            if start < end:
                kept.append(start - kept.size, run.origin)
                kept.append(end - start, Origin.PLAIN)
                count += end - start
        kept.append(run.end - kept.size, run.origin)
    return max(bits_of_key(content, kept, judgement, name) - 8 * count, 0)


def _known_in(content: Reader, format_name: str) -> Iterator[Span]:
    """Yield where bytes stand in ``content`` that files of a format are known to have."""
    places = []
    for known in (each for one in FORMATS if one.name == format_name for each in one.known):
        start = known.offset if known.offset >= 0 else content.size + known.offset
        if start >= 0 and content.read_at(start, len(known.data)) == known.data:
            places.append(Span(start, start + len(known.data)))
    yield from merge(places)


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
