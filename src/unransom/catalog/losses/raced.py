"""Files that two instances of a locker locked at the same time, as builds of LockBit 3 do.

Each instance locks what it reads, part by part. Where both took a part before either wrote its key to the
end of the file, that part is locked twice and one of the two keys is gone.
"""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.formats._uniform import BLOCK, uniform_blocks
from unransom.catalog.losses.loss import Loss, Rule, Stripes
from unransom.catalog.schemes.edges import edge_bits
from unransom.core.messages import say
from unransom.core.spans import ByteMap, Origin, Run, Span
from unransom.core.streams import Reader, Window

PART = 65_536  # bytes: the smallest part that lockers take at a time; larger ones are multiples of it
MOST = 4096  # parts that are told one by one; with more of them the file is something else


def judge_opened(opened: Reader, origins: ByteMap) -> Loss | None:
    """Tell the parts that are random still, while their neighbours, opened by the same key, are not.

    Compressed content is random as well, but it does not begin and end where a locker's parts do. Where the
    key opened nothing at all, the locked parts were written anew after the locking, mostly with zeros.
    """
    lost: list[Span] = []
    bits = 0.0
    unlocked = 0  # bytes
    for run in origins:
        if run.origin is not Origin.UNLOCKED:
            continue
        unlocked += run.end - run.start
        for span in _random(opened, run):
            if (span.start - run.start) % PART or (span.end < run.end and (span.end - run.start) % PART):
                return None
            bits += edge_bits(opened, span.start, PART, begins=True)
            bits += edge_bits(opened, span.end, PART, begins=False)
            lost.append(span)
            if len(lost) > MOST:
                return None
    if not bits or unlocked == sum(map(len, lost)):
        return None
    why = say(
        "{count} parts were locked by a second instance of the locker at the same time, whose keys were"
        " overwritten",
        count=len(lost),
    )
    return Loss(int(bits), why, tuple(Stripes(span.start, len(span)) for span in lost))


def _random(opened: Reader, run: Run) -> Iterator[Span]:
    """Yield the stretches of ``run`` that are random, block by block from its beginning."""
    length = run.end - run.start
    for span in uniform_blocks(Window(opened, run.start, length), 0, length):
        end = length if length - span.end < BLOCK else span.end
        yield Span(run.start + span.start, run.start + end)


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
