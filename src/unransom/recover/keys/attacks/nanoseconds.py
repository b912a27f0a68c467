"""Keys that a locker of no known family drew from a generator of 64 bits seeded with nanoseconds since 1970.

A file system tells the time of a file to 100 nanoseconds at best, and the key is drawn before that: each
second is a thousand million seeds. What is cut to 32 bits is in ``truncated``.
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

MILLISECOND, SECOND = 1_000_000, 1_000_000_000  # nanoseconds
CLOCK = Clock(
    name="nanoseconds",
    ways="nanoseconds",
    windows=(
        Window(-20 * MILLISECOND, 0, 0.4),
        Window(-SECOND, -20 * MILLISECOND, 0.6),
    ),
    near=20 * MILLISECOND,
    chance=0.001,
    per_second=SECOND,
    since_1970=True,
)


def plan(target: Target, context: Context) -> AttackPlan | None:
    """Return the cost for files of no known family whose times are known."""
    del context
    ways = len(CLOCK.recipes)
    why = say(
        "its key may be drawn from nanoseconds since 1970, in the second before its time: {count} ways to"
        " draw it; every second more is as much again",
        count=ways,
    )
    return clocks.plan(
        CLOCK, target, why, say("the family, the locker's program, or the time to the millisecond from a log")
    )


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Try what ``shard`` says on its file."""
    yield from clocks.search(CLOCK, shard, context)


ATTACK = Attack(
    name=CLOCK.name,
    title=say("Keys drawn with nanoseconds since 1970 by a locker that is not known"),
    weakness="T5",
    plan=plan,
    search=search,
    references=(
        "https://pkg.go.dev/time#Time.UnixNano",
        "https://en.cppreference.com/w/cpp/chrono/system_clock",
    ),
    limitations=(
        "The file is locked from its first byte on, or behind an IV of one block.",
        "Seeds of more than a second before the time of the file are not tried.",
    ),
)
