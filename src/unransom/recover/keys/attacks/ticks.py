"""Keys that a locker of no known family drew from a generator seeded with the time since the machine started.

That is a number of milliseconds below 2**31, and all of them are tried; the recipes are few. They are also
all seeds that these generators have, so that any other clock is among them, whatever it counts.
"""

from __future__ import annotations

from functools import partial

from unransom.core.messages import say
from unransom.recover.keys import clocks
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.clocks import Clock, Window

MORNING = 3 << 23  # milliseconds, 7 hours
EVERY = 1 << 31
CLOCK = Clock(
    name="ticks",
    ways="uptime",
    windows=(
        Window(0, MORNING, 0.5, "plain"),
        Window(0, MORNING, 0.2, "other"),
        Window(MORNING, 4 * MORNING, 0.15, "plain"),
        Window(MORNING, 4 * MORNING, 0.08, "other"),
        Window(0, MORNING, 0.03, "rare"),
        Window(4 * MORNING, EVERY, 0.04),
    ),
    near=2_000_000,
    chance=0.02,  # System.Random of .NET Framework takes it where a program names no seed
    per_second=1000,
    since_1970=False,
    why=lambda ways: say(
        "its key may be drawn from a counter of milliseconds: {count} ways to draw it", count=ways
    ),
    helps=say("the family, the locker's program, or when the machine was started"),
)

ATTACK = Attack(
    name=CLOCK.name,
    title=say("Keys drawn with the uptime by a locker that is not known"),
    weakness="T5",
    plan=partial(clocks.plan, CLOCK),
    search=partial(clocks.search, CLOCK),
    references=("https://github.com/Cisco-Talos/ThanatosDecryptor",),
    limitations=("The file is locked from its first byte on, or behind an IV of one block.",),
)
