"""AcidRain: the beginning of a file is overwritten with a number that counts down."""

import numpy as np

from unransom.catalog.losses.loss import Clues, Loss, Rule, Stripes
from unransom.catalog.schemes.family import Locked
from unransom.core.messages import say

MOST = 0x40000  # bytes that it writes
WORD = 4
FEWEST = 1024  # words; shorter tables that count down are other programs'
BEGINNINGS = {b"\xff\xff\xff\xff\xff\xff\xff\xfe": ">u4", b"\xff\xff\xff\xff\xfe\xff\xff\xff": "<u4"}


def judge(locked: Locked, clues: Clues) -> Loss | None:
    """Tell the words that count down from 2**32 - 1, in either byte order."""
    del clues
    order = BEGINNINGS.get(locked.read_at(0, 2 * WORD))
    if order is None:
        return None
    data = locked.read_at(0, MOST)
    words = np.frombuffer(data, order, len(data) // WORD)
    wrong = np.flatnonzero(words != 0xFFFFFFFF - np.arange(len(words), dtype=np.uint32))
    count = int(wrong[0]) if len(wrong) else len(words)
    if count < FEWEST:
        return None
    whole = locked.size - count * WORD < WORD
    why = say("AcidRain overwrote its first {bytes:,} bytes with numbers that count down", bytes=count * WORD)
    return Loss(bits=32 * count, why=why, parts=(Stripes(0, count * WORD),), whole=whole)


RULE = Rule(
    name="acidrain",
    title="AcidRain wiper",
    references=("https://www.sentinelone.com/labs/acidrain-a-modem-wiper-rains-down-on-europe/",),
    judge=judge,
    limitations=("What lies behind the numbers is the original's.",),
)
