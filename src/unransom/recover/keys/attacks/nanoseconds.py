"""Keys that a locker of no known family drew from a generator of 64 bits seeded with nanoseconds since 1970.

A file system tells the time of a file to 100 nanoseconds at best, and the key is drawn before that: each
second is a thousand million seeds. What is cut to 32 bits is in ``truncated``.
"""

from __future__ import annotations

from functools import partial

from unransom.core.messages import say
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
    why=lambda ways: say(
        "its key may be drawn from nanoseconds since 1970, in the second before its time: {count} ways to"
        " draw it; every second more is as much again",
        count=ways,
    ),
    helps=say("the family, the locker's program, or the time to the millisecond from a log"),
)

ATTACK = Attack(
    name=CLOCK.name,
    title=say("Keys drawn with nanoseconds since 1970 by a locker that is not known"),
    weakness="T5",
    plan=partial(clocks.plan, CLOCK),
    search=partial(clocks.search, CLOCK),
    references=(
        "https://pkg.go.dev/time#Time.UnixNano",
        "https://en.cppreference.com/w/cpp/chrono/system_clock",
    ),
    limitations=(
        "The file is locked from its first byte on, or behind an IV of one block.",
        "Seeds of more than a second before the time of the file are not tried.",
    ),
)
