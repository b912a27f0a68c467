"""Keys that a locker of no known family drew from a generator seeded with milliseconds since 1970.

That is what Java and JavaScript count in; a generator with a smaller seed takes the low bits of the number.
"""

from __future__ import annotations

from functools import partial

from unransom.core.messages import say
from unransom.recover.keys import clocks
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.clocks import Clock, Window

SECOND = 1000  # milliseconds
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86400 * SECOND
CLOCK = Clock(
    name="milliseconds",
    ways="milliseconds",
    windows=(
        Window(-MINUTE, 2 * SECOND, 0.5),
        Window(-HOUR, -MINUTE, 0.25),
        Window(-DAY, -HOUR, 0.15),
        Window(-7 * DAY, -DAY, 0.1),
    ),
    near=MINUTE,
    chance=0.005,
    per_second=SECOND,
    since_1970=True,
    why=lambda ways: say(
        "its key may be drawn from milliseconds since 1970: {count} ways to draw it, a week before its time",
        count=ways,
    ),
    helps=say("the family, the locker's program, or the time to the second"),
)

ATTACK = Attack(
    name=CLOCK.name,
    title=say("Keys drawn with milliseconds since 1970 by a locker that is not known"),
    weakness="T5",
    plan=partial(clocks.plan, CLOCK),
    search=partial(clocks.search, CLOCK),
    references=(
        "https://docs.oracle.com/javase/8/docs/api/java/util/Random.html",
        "https://docs.oracle.com/javase/8/docs/api/java/lang/System.html#currentTimeMillis--",
    ),
    limitations=("The file is locked from its first byte on, or behind an IV of one block.",),
)
