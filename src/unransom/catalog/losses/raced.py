"""Files that two instances of a locker locked at the same time, as builds of LockBit 3 do.

Each instance locks what it reads, part by part. Where both took a part before either wrote its key to the
end of the file, that part is locked twice and one of the two keys is gone.
"""

from __future__ import annotations

from unransom.catalog.formats._uniform import uniform_blocks
from unransom.catalog.losses._evidence import edge_bits
from unransom.catalog.losses.loss import Loss, Rule, Stripes
from unransom.core.messages import say
from unransom.core.spans import ByteMap, Origin, Span
from unransom.core.streams import Reader

PART = 65_536  # bytes: the smallest part that lockers take at a time; larger ones are multiples of it
MOST = 4096  # parts that are told one by one; with more of them the file is something else


def judge_opened(opened: Reader, origins: ByteMap) -> Loss | None:
    """Tell the parts that are random still, while their neighbours, opened by the same key, are not.

    Compressed content is random as well, but it does not begin and end at multiples of a locker's part.
    """
    lost: list[Span] = []
    bits = 0.0
    for run in origins:
        if run.origin is not Origin.UNLOCKED:
            continue
        for span in uniform_blocks(opened, run.start, run.end):
            begins, ends = span.start > run.start, span.end < run.end
            if (begins and span.start % PART) or (ends and span.end % PART) or len(lost) >= MOST:
                return None
            bits += edge_bits(opened, span.start, PART, begins=True) if begins else 0.0
            bits += edge_bits(opened, span.end, PART, begins=False) if ends else 0.0
            lost.append(span)
    if not bits:
        return None
    why = say(
        "{count} parts were locked by a second instance of the locker at the same time, whose keys were"
        " overwritten",
        count=len(lost),
    )
    return Loss(int(bits), why, tuple(Stripes(span.start, len(span)) for span in lost))


RULE = Rule(
    name="raced",
    title="Locked by two instances at once (LockBit 3)",
    references=("https://blog.calif.io/p/dissecting-lockbit-v3-ransomware",),
    judge_opened=judge_opened,
    limitations=(
        "It shows only once a proven key has opened the file.",
        "Compressed originals look random in any case: of them nothing is said.",
    ),
)
