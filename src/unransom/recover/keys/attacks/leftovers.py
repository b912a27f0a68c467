"""Keys that lie in the evidence itself: in notes, temporary files, captures, registry hives and key files.

Lockers under development, their affiliates and other programs leave keys behind, and nobody sees them among a
million files. The small files that may hold one are searched as dumps are, and what looks like a key is tried
on the locked files at once.
"""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.families import family as family_named
from unransom.core.context import Context
from unransom.core.messages import say
from unransom.core.records import Record
from unransom.core.searches import AttackPlan, Searched, Shard, Target
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.dumps import BYTES_PER_SECOND, clues_of, keys_tried, piece, pieces_of

NAME = "leftovers"
TOGETHER = 32  # files in a shard
SECONDS = 0.01  # that a core takes for a file of no size


def plan(target: Target, context: Context) -> AttackPlan | None:
    """Return the cost of looking through all files that were left."""
    family = family_named(target.family, context.described) if target.family else None
    if family is None or not family.takes or not target.left:
        return None
    size = sum(each.size for each in target.left)
    return AttackPlan(
        attack=NAME,
        family=target.family,
        shards=-(-len(target.left) // TOGETHER),
        candidates=size,
        seconds=len(target.left) * SECONDS + size / BYTES_PER_SECOND,
        chance=0.05 if target.proper else 0.005,
        why=say("its key may lie in one of {count} small files of the evidence", count=len(target.left)),
    )


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Look through some of the files and try what they hold."""
    target = shard.target
    family = family_named(target.family, context.described)
    clues = clues_of(target, family, context)
    size = 0
    for left in target.left[(shard.number - 1) * TOGETHER : shard.number * TOGETHER]:
        for number in range(pieces_of((left,))):
            part = piece((left,), number, context)
            yield from keys_tried(part, clues, target, family, context, NAME)
            size += part.length
    yield Searched(attack=NAME, family=family.name, item=0, shard=shard.number, candidates=size)


ATTACK = Attack(
    name=NAME,
    title=say("Keys left in the evidence"),
    weakness="T17",
    plan=plan,
    search=search,
    references=("https://attack.mitre.org/techniques/T1552/001/",),
    limitations=(
        "Only ransom notes, tiny files of no format, and files whose names speak of keys, captures, registry "
        "hives or temporary files are searched; give others with --memory.",
    ),
)
