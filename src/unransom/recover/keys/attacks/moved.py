"""Moved: what a locker left in the clear, or only moved, needs no key; nothing is searched here."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.families import phobos
from unransom.core.context import Context
from unransom.core.messages import say
from unransom.core.records import Record
from unransom.core.searches import AttackPlan, Searched, Shard, Target
from unransom.recover.keys.attacks.attack import Attack

NAME = "moved"
LARGE = 1_572_864  # bytes from which Phobos moves pieces instead of locking the whole file


def plan(target: Target, context: Context) -> AttackPlan | None:
    """Say which part of the files needs no key."""
    del context
    large = sum(ref.size >= LARGE for ref in (*target.samples, *target.others))
    if target.family != phobos.FAMILY.name or not large:
        return None
    return AttackPlan(
        attack=NAME,
        family=target.family,
        why=say(
            "of {count} large files all but three pieces of 256 KiB is plain; those stand locked at the end",
            count=large,
        ),
        helps=say("carving and repair bring back what lies between the pieces without any key"),
    )


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Search nothing: its plan has no shards."""
    del context
    yield Searched(attack=NAME, family=shard.target.family, item=0, shard=shard.number, candidates=0)


ATTACK = Attack(
    name=NAME,
    title=say("Bytes that were moved and not locked"),
    weakness="T18",
    plan=plan,
    search=search,
    references=("https://github.com/rivitna/Malware/tree/main/Phobos",),
)
