"""Keys that a locker of no known family drew from a generator seeded with the time of day.

Any generator, any way to draw a key, any cipher, for the seconds around the time when a file was locked. The
file is taken to be locked from its first byte on, or behind an IV of one block.
"""

from __future__ import annotations

from collections.abc import Iterator

from unransom.core.context import Context
from unransom.core.messages import say
from unransom.core.records import Record
from unransom.core.searches import AttackPlan, Shard, Target
from unransom.recover.keys import clocks
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.clocks import Clock, Window

HOUR, WEEK = 3660, 7 * 86400  # seconds: clocks that are wrong, and times that were changed later
CLOCK = Clock(
    name="drawn",
    ways="unix",
    windows=(
        Window(-HOUR, HOUR, 0.7),
        Window(-WEEK, -HOUR, 0.3),
    ),
    near=WEEK,
    chance=0.01,
    per_second=1,
    since_1970=True,
)


def plan(target: Target, context: Context) -> AttackPlan | None:
    """Return the cost for files of no known family whose times are known."""
    del context
    ways = len(CLOCK.recipes)
    why = say(
        "its key may be drawn from a clock: {count} ways to draw it, {seconds} seconds around its time",
        count=ways,
        seconds=WEEK + HOUR,
    )
    return clocks.plan(CLOCK, target, why, say("the family, the locker's program, or the time to the minute"))


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Try what ``shard`` says on its file."""
    yield from clocks.search(CLOCK, shard, context)


ATTACK = Attack(
    name=CLOCK.name,
    title=say("Keys drawn with the time of day by a locker that is not known"),
    weakness="T5",
    plan=plan,
    search=search,
    references=("https://arxiv.org/abs/2402.06440",),
    limitations=("The file is locked from its first byte on, or behind an IV of one block.",),
)
