"""Keys in memory: dumps, hibernation and page files, captures and temporary files are scanned for them.

What looks like a key is tried on the locked files at once. A dump is cut into pieces that overlap, so that
no key is missed between two.
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

NAME = "memory"


def plan(target: Target, context: Context) -> AttackPlan | None:
    """Return the cost of looking through all dumps."""
    family = family_named(target.family, context.described) if target.family else None
    if family is None or not family.takes:
        return None
    if not target.dumps:
        if not target.proper:
            return None
        why = say("no memory dump, hibernation or page file was given")
        helps = say("the memory of a machine that was locked, before it was switched off")
        return AttackPlan(attack=NAME, family=target.family, why=why, helps=helps)
    size = sum(dump.size for dump in target.dumps)
    return AttackPlan(
        attack=NAME,
        family=target.family,
        shards=pieces_of(target.dumps),
        candidates=size,
        seconds=size / BYTES_PER_SECOND,
        chance=0.5 if target.proper else 0.05,
        why=say("{count} dumps with {bytes} bytes may hold its key", count=len(target.dumps), bytes=size),
    )


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Scan one piece of a dump and try what it holds."""
    target = shard.target
    family = family_named(target.family, context.described)
    part = piece(target.dumps, shard.number - 1, context)
    clues = clues_of(target, family, context)
    yield from keys_tried(part, clues, target, family, context, NAME)
    yield Searched(attack=NAME, family=family.name, item=0, shard=shard.number, candidates=part.length)


ATTACK = Attack(
    name=NAME,
    title=say("Keys in memory dumps"),
    weakness="T12",
    plan=plan,
    search=search,
    references=(
        "https://www.usenix.org/conference/17th-usenix-security-symposium/"
        "lest-we-remember-cold-boot-attacks-encryption-keys",
        "https://arxiv.org/abs/2012.08487",
    ),
    limitations=(
        "Memory that Windows 10 and later keep compressed while they run is not expanded.",
        "AES in programs that slice bits, as Rust's do without AES instructions, leaves no schedule to find.",
    ),
)
