"""Hunters International, first generation: Hive v6 with another marker, and large files in parts."""

from __future__ import annotations

from unransom.catalog.schemes.family import Family
from unransom.catalog.schemes.hive import HUNTERS1, TAKES, ByTurns, unwrap
from unransom.core.messages import say
from unransom.core.spans import Span

SMALL = 5 << 20  # bytes up to which all of a file is locked
MOST = 100 << 20  # bytes of the head, and of all blocks behind it
BLOCK = 512 << 10


def extents(size: int) -> list[Span]:
    """Return what is locked of ``size`` bytes.

    That is a tenth at the start and a twentieth in blocks behind gaps of equal length; what is left of
    the twentieth stands at the end.
    """
    if size <= SMALL:
        return [Span(0, size)] if size else []
    head, rest = min(MOST, size // 10), min(MOST, size * 5 // 100)
    blocks, last = divmod(rest, BLOCK)
    gap = (size - head - rest) // max(blocks, 1)
    starts = [head + gap + index * (gap + BLOCK) for index in range(blocks)]
    spans = [Span(0, head), *(Span(start, start + BLOCK) for start in starts)]
    return [*spans, Span(size - last, size)] if last else spans


FAMILY = Family(
    name="hunters1",
    title="Hunters International 1",
    extensions=(r"\.locked",),
    notes=(r"(?i)contact us\.txt",),
    read=HUNTERS1,
    takes=TAKES,
    unwrap=unwrap,
    plan=ByTurns(HUNTERS1, extents),
    wanted=say("one of the two RSA-5120 private keys of the build"),
    references=("https://github.com/rivitna/Malware/tree/main/Hunters",),
    limitations=("Only the marker of one build is known.",),
)
