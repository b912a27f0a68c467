"""Keys that a locker of no known family drew from a generator seeded with the time of day.

Any generator, any way to draw a key, any cipher, for the seconds around the time when a file was locked. The
file is taken to be locked from its first byte on; an IV may stand before or behind it.
"""

from __future__ import annotations

from functools import partial

from unransom.core.messages import say
from unransom.recover.keys import clocks
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.clocks import Clock, Window

HOUR, WEEK = 3660, 7 * 86400  # seconds: clocks that are wrong, and times that were changed later
ZONES = 14 * 3600 + 60  # seconds: times of another time zone, taken for those of ours
CLOCK = Clock(
    name="drawn",
    ways="unix",
    windows=(
        Window(-HOUR, HOUR, 0.5),
        Window(-ZONES, -HOUR, 0.05, "plain"),
        Window(HOUR, ZONES, 0.05, "plain"),
        Window(-HOUR, HOUR, 0.2, "rare"),
        Window(-ZONES, -HOUR, 0.05, "other"),
        Window(HOUR, ZONES, 0.05, "other"),
        Window(-WEEK, -ZONES, 0.1),
    ),
    near=WEEK,
    chance=0.01,
    per_second=1,
    since_1970=True,
    why=lambda ways: say(
        "its key may be drawn from a clock: {count} ways to draw it, {seconds} seconds around its time",
        count=ways,
        seconds=WEEK + ZONES,
    ),
    helps=say("the family, the locker's program, or the time to the minute"),
)

ATTACK = Attack(
    name=CLOCK.name,
    title=say("Keys drawn with the time of day by a locker that is not known"),
    weakness="T5",
    plan=partial(clocks.plan, CLOCK),
    search=partial(clocks.search, CLOCK),
    references=("https://arxiv.org/abs/2402.06440",),
    limitations=("The file is locked from its first byte on; an IV may stand before or behind it.",),
)
