"""Keys that a locker of no known family drew from a generator seeded with the time since the machine started.

That is a number of milliseconds below 2**31, and all of them are tried; the recipes are few.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from unransom.core.context import Context
from unransom.core.messages import say
from unransom.core.records import Record
from unransom.core.searches import AttackPlan, Searched, Shard, Target
from unransom.core.spans import Span
from unransom.core.streams import Salvage
from unransom.crypto.search.recipe import Recipe
from unransom.crypto.search.usual import recipes
from unransom.recover.keys.attacks.attack import Attack
from unransom.recover.keys.drawing import hits, proven

NAME = "ticks"
CLOCK = "uptime"
SHARD = 1 << 24  # seeds
EVERY = 1 << 31
NEAR = 2_000_000  # milliseconds on both sides of a neighbour's
SECONDS = 1.5  # of one core, for a shard
SLIM = 0.01


def plan(target: Target, context: Context) -> AttackPlan | None:
    """Return the cost for files of no known family."""
    del context
    if target.family:
        return None
    count = len(recipes(CLOCK))
    return AttackPlan(
        attack=NAME,
        family="",
        each=True,
        shards=EVERY // SHARD * count,
        candidates=EVERY * count,
        seconds=SECONDS * (EVERY // SHARD) * count,
        chance=SLIM,
        why=say("its key may be drawn from a counter of milliseconds: {count} ways to draw it", count=count),
        helps=say("the family, the locker's program, or when the machine was started"),
    )


def search(shard: Shard, context: Context) -> Iterator[Record]:
    """Try one recipe on a range of seeds; in shard 0, what solved neighbours, near their seeds."""
    tried = 0
    (ref,) = shard.target.samples[:1]
    with context.open(ref) as reader:
        locked = Salvage(reader, ref.name)
        for number, recipe, seeds in _work(shard):
            found, count = hits(recipe, seeds, locked, ref)
            tried += count
            for each in found:
                yield from proven(NAME, recipe, number, each, locked, shard.target, ref)
    yield Searched(attack=NAME, family=shard.target.family, item=ref.id, shard=shard.number, candidates=tried)


def _work(shard: Shard) -> Iterator[tuple[int, Recipe, Span]]:
    every = recipes(CLOCK)
    if shard.number:  # the shortest times first, every recipe for each
        piece, number = divmod(shard.number - 1, len(every))
        yield number, every[number], Span(piece * SHARD, (piece + 1) * SHARD)
        return
    for _, clue in shard.target.clues:
        number, seed = json.loads(clue)
        yield number, every[number], Span(max(seed - NEAR, 0), min(seed + NEAR, EVERY))


ATTACK = Attack(
    name=NAME,
    title="Keys drawn with the uptime by a locker that is not known",
    weakness="T5",
    plan=plan,
    search=search,
    references=("https://github.com/Cisco-Talos/ThanatosDecryptor",),
    limitations=("The file is locked from its first byte on, or behind an IV of one block.",),
)
