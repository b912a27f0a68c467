"""Conti 2 and 3, and what was built from its leaked source: ChaCha8, RSA-4096.

Modes: 0x24 the whole file; 0x26 its first MiB; 0x25 three or five chunks of a percentage of it.
"""

from __future__ import annotations

from unransom.catalog.schemes import conti
from unransom.catalog.schemes.family import BadMarkError, Family
from unransom.core.keys import KeyKind
from unransom.core.messages import say

FULL, PARTLY, HEADER = 0x24, 0x25, 0x26
MODES = {FULL: "full", PARTLY: "partly", HEADER: "header"}
HEADER_SIZE = 1 << 20  # bytes
# Percent in the tail to percent of a chunk. There are three chunks, spread to the end of the file; of
# those of 50 percent there are five, each with a gap of its own length behind it.
CHUNKS = {10: 4, 15: 5, 20: 7, 25: 9, 30: 10, 35: 12, 40: 14, 50: 10, 60: 20, 70: 23, 80: 27}
HALF = 50


def _chunks(mode: int, size: int, percent: int) -> tuple[list[int], int]:
    """Return where the chunks start and the bytes of each."""
    if mode == FULL:
        return [0], size
    if mode == HEADER:
        return [0], min(size, HEADER_SIZE)
    if percent not in CHUNKS:
        raise BadMarkError(say("no version is known to lock {percent} percent", percent=percent))
    length = size // 100 * CHUNKS[percent]
    count, gap = (5, length) if percent == HALF else (3, (size - 3 * length) // 2)
    return [index * (length + gap) for index in range(count)], length


SCHEME = conti.Chunked(MODES, _chunks)
FAMILY = Family(
    name="conti",
    title="Conti",
    extensions=(r"\.(?i:exten|conti|gazprom)",),
    notes=(r"(?i)(conti_)?readme\.txt", r"(?i)r3adm3\.txt", r"(?i)gazprom_decrypt\.hta"),
    read=SCHEME.read,
    takes=(KeyKind.RSA,),
    unwrap=conti.UNWRAP,
    plan=SCHEME.plan,
    wanted=say("the RSA-4096 private key of the build"),
    references=("https://github.com/rivitna/Malware/tree/main/Conti",),
    limitations=("Held to files made after a public decryptor; no real file was at hand.",),
)
