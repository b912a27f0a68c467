"""Keys that a locker of no known family drew from a generator seeded with 32 bits of a fast clock.

Nanoseconds, processor cycles and hardware numbers that are cut to the seed of the generator may be any
number, and every number is tried: first the small ones, as process numbers and microseconds of a second are.
"""

from __future__ import annotations

from functools import partial

from unransom.core.messages import say
from unransom.recover.keys import clocks
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.clocks import Clock, Window

SMALL, EVERY = 1 << 20, 1 << 32
CLOCK = Clock(
    name="truncated",
    ways="truncated",
    windows=(
        Window(0, SMALL, 0.2),
        Window(SMALL, EVERY, 0.8),
    ),
    near=20_000_000,
    chance=0.01,
    per_second=0,
    since_1970=False,
    why=lambda ways: say(
        "its key may be drawn from 32 bits of a clock or a hardware number: {count} ways to draw it",
        count=ways,
    ),
    helps=say("the family, or the locker's program"),
)

ATTACK = Attack(
    name=CLOCK.name,
    title=say("Keys drawn with any seed of 32 bits by a locker that is not known"),
    weakness="T5",
    plan=partial(clocks.plan, CLOCK),
    search=partial(clocks.search, CLOCK),
    references=(
        "https://pkg.go.dev/math/rand#Seed",
        "https://en.cppreference.com/w/cpp/numeric/random/mersenne_twister_engine",
    ),
    limitations=("The file is locked from its first byte on, or behind an IV of one block.",),
)
