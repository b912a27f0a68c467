"""Every attack on keys; those that cost least come first."""

from __future__ import annotations

from unransom.core.errors import UsageError
from unransom.core.messages import say
from unransom.recover.keys.attacks import (
    coupled,
    drawn,
    ecb,
    embedded,
    hive_table,
    keystream,
    leftovers,
    library,
    lockbit3_footers,
    memory,
    milliseconds,
    moved,
    nanoseconds,
    products,
    repeats,
    seeds,
    ticks,
    truncated,
    weak_rsa,
    zipcrypto,
)
from unransom.recover.keys.attacks.attack import Attack

ATTACKS: tuple[Attack, ...] = (
    moved.ATTACK,
    weak_rsa.ATTACK,
    products.ATTACK,
    keystream.ATTACK,
    hive_table.ATTACK,
    lockbit3_footers.ATTACK,
    ecb.ATTACK,
    repeats.ATTACK,
    seeds.ATTACK,
    zipcrypto.ATTACK,
    leftovers.ATTACK,
    memory.ATTACK,
    embedded.ATTACK,
    library.ATTACK,
    drawn.ATTACK,
    milliseconds.ATTACK,
    ticks.ATTACK,
    truncated.ATTACK,
    nanoseconds.ATTACK,
    coupled.ATTACK,
)


def attack(name: str) -> Attack:
    """Return the attack called ``name``.

    Raises:
        UsageError: There is none.
    """
    for each in ATTACKS:
        if each.name == name:
            return each
    raise UsageError(say("there is no attack called {name}", name=name))
